"""Who hears what: the registers hear their messages always, the practices within the steps of value streams."""

from contracts.value_chain import DESIGN_TRANSITION
from services.chassis.handlers import Handlers
from services.design_transition.change_policy import take_policy, take_policy_that_is_due
from services.design_transition.registers import (
    ask_for_agreement,
    hear_third_party,
    take_chain_performance,
    take_contract,
    take_readiness,
)
from services.design_transition.release_management import release_service
from services.design_transition.service_design import (
    assess_design,
    hear_that_parts_cannot_be_had,
    take_decision,
    take_demand,
    take_requirements,
)
from services.design_transition.service_validation import validate_component

handles = Handlers(DESIGN_TRANSITION)

for keeps_a_register in (
    take_policy,
    take_policy_that_is_due,
    take_readiness,
    hear_third_party,
    take_contract,
    ask_for_agreement,
    take_chain_performance,
):
    handles(keeps_a_register)

for designs in (take_demand, take_requirements, take_decision, assess_design):
    handles.step("design service")(designs)

for validates in (validate_component, hear_that_parts_cannot_be_had):
    handles.step("validate components")(validates)

handles.step("release service")(release_service)
