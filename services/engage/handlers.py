"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import ENGAGE
from services.chassis.handlers import Handlers
from services.engage.agreement_register import agree_hours
from services.engage.backfill import ask_desk, hear_desk
from services.engage.business_analysis import (
    alter_demand,
    consolidate_demand,
    initiate_change,
    join_need,
    leave_need,
    seek_change,
    seek_need,
    settle_merge,
    tell_of_first,
)
from services.engage.channels import ask_merge, stand_for, stay_apart
from services.engage.feedback import (
    answer_feedback,
    hear_improvement_plan,
    hear_initiative,
    hear_initiative_status,
    pass_on_feedback,
    weigh_feedback,
)
from services.engage.notices import note_notice
from services.engage.onboarding import onboard_consumer, take_answer
from services.engage.opportunities import (
    end_opportunity,
    hear_plan,
    lose_opportunity,
    report_opportunity,
    weigh_opportunity,
)
from services.engage.relationship_management import (
    assume_value,
    give_up_demand,
    hand_over_service,
    hand_over_support,
    judge_value,
    pass_on_decision,
    state_stakeholder,
    withdraw_demand,
)
from services.engage.reports import carry_over, close_day, count, end_day
from services.engage.service_agreements import (
    conclude_agreement,
    expire_agreement,
    hear_design_need,
    hear_improvement_need,
    hear_supplier,
    hear_support_need,
    lose_support,
    note_reliance,
    require_agreement,
    terminate_agreement,
    weigh_offers,
)
from services.engage.service_desk import classify_demand, take_demand, take_followed_ticket, take_ticket
from services.engage.service_level_management import describe_service, request_support, state_requirements
from services.engage.supplier_management import (
    end_search,
    list_offer,
    note_contract,
    review_supplier_service,
    seek_partner,
    state_supplier_service,
)
from services.engage.triaging import ask_what_it_is, end_triage, open_triage

handles = Handlers(ENGAGE)

# Heard in any value stream, and outside of all.
for takes_in in (
    take_ticket,
    take_followed_ticket,
    take_demand,
    classify_demand,
    withdraw_demand,
    note_notice,
    ask_desk,
    hear_desk,
    open_triage,
    end_triage,
    ask_what_it_is,
):
    handles.draws_on("service desk", "relationship management")(takes_in)

for asks_for_value in (
    judge_value,  # here it refuses: a demand that nobody knows has no stream
    assume_value,
    give_up_demand,
    state_stakeholder,
    take_answer,
):
    handles.draws_on("relationship management")(asks_for_value)

for consolidates in (
    join_need,
    settle_merge,
    leave_need,
    tell_of_first,
    ask_merge,
    stand_for,
    stay_apart,
):
    handles.draws_on("business analysis", "relationship management")(consolidates)
handles.draws_on("project management", "change enablement", "service financial management")(alter_demand)
handles.draws_on("service catalogue management")(describe_service)
handles.draws_on("service level management", "business analysis")(state_requirements)

for weighs_chances in (
    report_opportunity,
    weigh_opportunity,
    end_opportunity,
    lose_opportunity,
):
    handles.draws_on("relationship management", "portfolio management")(weighs_chances)
handles.draws_on("strategy management", "portfolio management")(hear_plan)

for looks_after_suppliers in (
    state_supplier_service,
    review_supplier_service,
    note_contract,
    list_offer,
    seek_partner,
    end_search,
):
    handles.draws_on("supplier management")(looks_after_suppliers)

for agrees in (
    require_agreement,
    hear_design_need,
    hear_support_need,
    hear_improvement_need,
    hear_supplier,
    weigh_offers,
    conclude_agreement,
    terminate_agreement,
    expire_agreement,
    note_reliance,
    lose_support,
    agree_hours,
):
    handles.draws_on("service level management", "supplier management")(agrees)

for answers_feedback in (
    hear_initiative,
    hear_improvement_plan,
    hear_initiative_status,
    answer_feedback,
):
    handles.draws_on("continual improvement", "relationship management")(answers_feedback)

for reports in (
    count,
    end_day,
    carry_over,
    close_day,
):
    handles.draws_on("measurement and reporting")(reports)

# What value streams name.
handles.step("request support")(request_support)
handles.step("consolidate demand")(seek_need)
handles.step("consolidate demand")(consolidate_demand)
handles.step("initiate change")(seek_change)
handles.step("initiate change")(initiate_change)
handles.step("onboard consumer")(onboard_consumer)
handles.step("pass on feedback")(pass_on_feedback)
handles.step("pass on feedback")(weigh_feedback)
handles.step("answer feedback")(hear_initiative)
handles.step("answer feedback")(hear_improvement_plan)
handles.step("answer feedback")(hear_initiative_status)
handles.step("answer feedback")(answer_feedback)
handles.step("answer feedback")(judge_value)
handles.step("confirm value")(pass_on_decision)
handles.step("confirm value")(hand_over_support)
handles.step("confirm value")(hand_over_service)
handles.step("confirm value")(judge_value)
