"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import ENGAGE
from services.chassis.handlers import Handlers
from services.engage.relationship_management import (
    assume_value,
    hand_over_service,
    hand_over_support,
    judge_value,
    note_notice,
    pass_on_decision,
    withdraw_demand,
)
from services.engage.service_desk import classify_demand, take_demand, take_followed_ticket, take_ticket
from services.engage.service_level_management import (
    consolidate_demand,
    describe_service,
    request_support,
    state_requirements,
)

handles = Handlers(ENGAGE)

# Heard in any value stream, and outside of all.
handles(take_ticket)
handles(take_followed_ticket)
handles(take_demand)
handles(classify_demand)
handles(withdraw_demand)
handles(judge_value)  # here it refuses: a demand that nobody knows has no stream
handles(assume_value)
handles(note_notice)
handles(describe_service)
handles(state_requirements)

# What value streams name.
handles.step("request support")(request_support)
handles.step("consolidate demand")(consolidate_demand)
handles.step("confirm value")(pass_on_decision)
handles.step("confirm value")(hand_over_support)
handles.step("confirm value")(hand_over_service)
handles.step("confirm value")(judge_value)
