"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import IMPROVE
from services.chassis.handlers import Handlers
from services.improve.assessment import assess_feedback, free_scope, take_need, take_remark
from services.improve.continual_improvement import (
    begin_initiative,
    count_effect,
    enter_finding,
    judge_initiative,
    let_lapse,
    review_initiative,
    take_decision,
)
from services.improve.flow import (
    begin_journey,
    compute_flow,
    follow_delivery,
    hear_planning,
    measure_design,
    measure_obtaining,
    measure_transition,
    take_queue,
)
from services.improve.improvement_register import enter_review, hold_initiative, resume_initiative
from services.improve.measurement_and_reporting import (
    count_escalation,
    follow_plan,
    hear_engagement,
    judge_again,
    learn_from_feedback,
    measure_service,
    report_week,
    take_bottleneck,
    take_day,
    take_measure,
)
from services.improve.supplier_management import ask_for_agreement, follow_supplier

handles = Handlers(IMPROVE)

# What value streams name; feedback outside of a stream is assessed likewise.
handles.step("learn from feedback")(learn_from_feedback)
handles.step("assess feedback")(assess_feedback)
handles.draws_on("continual improvement", "relationship management")(assess_feedback)

# Key figures, in any value stream and outside of all.
measures = handles.draws_on("measurement and reporting", "service level management")
measures(measure_service)
measures(count_escalation)
measures(take_measure)
measures(report_week)
handles.draws_on("measurement and reporting", "release management")(measure_transition)
handles.draws_on("measurement and reporting", "service design")(measure_design)
handles.draws_on("measurement and reporting", "supplier management")(measure_obtaining)
handles.draws_on("measurement and reporting", "relationship management")(hear_engagement)
handles.draws_on("measurement and reporting", "portfolio management")(hear_planning)
handles.draws_on("measurement and reporting")(take_day)
targets = handles.draws_on("measurement and reporting", "strategy management")
targets(follow_plan)
targets(judge_again)

# How demand flows.
flows = handles.draws_on("measurement and reporting", "capacity and performance management")
flows(begin_journey)
flows(follow_delivery)
flows(compute_flow)
flows(take_queue)
flows(take_bottleneck)

# The improvement register.
improves = handles.draws_on("continual improvement")
improves(take_remark)
improves(take_need)
improves(free_scope)
improves(enter_finding)
improves(let_lapse)
improves(enter_review)
improves(begin_initiative)
improves(hold_initiative)
improves(resume_initiative)
handles.draws_on("continual improvement", "portfolio management")(take_decision)
reviews = handles.draws_on("continual improvement", "measurement and reporting")
reviews(count_effect)
reviews(review_initiative)
reviews(judge_initiative)

# What improvement needs of others.
supplies = handles.draws_on("continual improvement", "supplier management", "service level management")
supplies(follow_supplier)
supplies(ask_for_agreement)
