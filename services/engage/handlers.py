"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import ENGAGE
from services.chassis.handlers import Handlers
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
from services.engage.feedback import (
    answer_feedback,
    hear_improvement_plan,
    hear_initiative,
    hear_initiative_status,
    pass_on_feedback,
    weigh_feedback,
)
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
    hand_over_service,
    hand_over_support,
    judge_value,
    note_notice,
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

handles = Handlers(ENGAGE)

# Heard in any value stream, and outside of all.
at_the_desk = handles.draws_on("service desk", "relationship management")
at_the_desk(take_ticket)
at_the_desk(take_followed_ticket)
at_the_desk(take_demand)
at_the_desk(classify_demand)
at_the_desk(withdraw_demand)
at_the_desk(note_notice)

of_value = handles.draws_on("relationship management")
of_value(judge_value)  # here it refuses: a demand that nobody knows has no stream
of_value(assume_value)
of_value(state_stakeholder)
of_value(take_answer)

of_needs = handles.draws_on("business analysis", "relationship management")
of_needs(join_need)
of_needs(settle_merge)
of_needs(leave_need)
of_needs(tell_of_first)
handles.draws_on("project management", "change enablement", "service financial management")(alter_demand)
handles.draws_on("service catalogue management")(describe_service)
handles.draws_on("service level management", "business analysis")(state_requirements)

of_chances = handles.draws_on("relationship management", "portfolio management")
of_chances(report_opportunity)
of_chances(weigh_opportunity)
of_chances(end_opportunity)
of_chances(lose_opportunity)
handles.draws_on("strategy management", "portfolio management")(hear_plan)

of_suppliers = handles.draws_on("supplier management")
of_suppliers(state_supplier_service)
of_suppliers(review_supplier_service)
of_suppliers(note_contract)
of_suppliers(list_offer)
of_suppliers(seek_partner)
of_suppliers(end_search)

of_agreements = handles.draws_on("service level management", "supplier management")
of_agreements(require_agreement)
of_agreements(hear_design_need)
of_agreements(hear_support_need)
of_agreements(hear_improvement_need)
of_agreements(hear_supplier)
of_agreements(weigh_offers)
of_agreements(conclude_agreement)
of_agreements(terminate_agreement)
of_agreements(expire_agreement)
of_agreements(note_reliance)
of_agreements(lose_support)

of_feedback = handles.draws_on("continual improvement", "relationship management")
of_feedback(hear_initiative)
of_feedback(hear_improvement_plan)
of_feedback(hear_initiative_status)
of_feedback(answer_feedback)

of_reports = handles.draws_on("measurement and reporting")
of_reports(count)
of_reports(end_day)
of_reports(carry_over)
of_reports(close_day)

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
