"""Who hears what: the registers hear their messages always, the practices within the steps of value streams."""

from contracts.value_chain import DESIGN_TRANSITION
from services.chassis.handlers import Handlers
from services.design_transition.change_policy import take_policy, take_policy_that_is_due
from services.design_transition.change_requests import hear_change_request, weigh_change_request
from services.design_transition.continual_improvement import (
    take_chain_performance,
    take_improvement_plan,
    take_initiative,
    take_initiative_status,
    take_plan,
)
from services.design_transition.early_life_support import (
    give_notice,
    hear_delivery,
    retire_service,
    review_change,
)
from services.design_transition.registers import ask_for_agreement, hear_third_party, take_contract, take_readiness
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

for keeps_the_policy in (take_policy, take_policy_that_is_due):
    handles.draws_on("change enablement", "risk management")(keeps_the_policy)

for keeps_suppliers in (hear_third_party, take_contract, ask_for_agreement):
    handles.draws_on("supplier management", "service level management")(keeps_suppliers)

handles.draws_on("workforce and talent management", "information security management")(take_readiness)

for keeps_what_is_measured in (take_chain_performance, take_plan):
    handles.draws_on("measurement and reporting", "risk management")(keeps_what_is_measured)

for keeps_initiatives in (take_initiative, take_improvement_plan, take_initiative_status):
    handles.draws_on("continual improvement", "change enablement")(keeps_initiatives)

handles.draws_on("change enablement", "problem management")(hear_change_request)
handles.draws_on("service configuration management", "knowledge management")(hear_delivery)
handles.draws_on("change enablement", "continual improvement")(review_change)

for ends_a_service in (give_notice, retire_service):
    handles.draws_on("portfolio management", "service catalogue management")(ends_a_service)

for designs in (take_demand, take_requirements, take_decision, assess_design, weigh_change_request):
    handles.step("design service")(designs)

for validates in (validate_component, hear_that_parts_cannot_be_had):
    handles.step("validate components")(validates)

# A review and a retirement belong to the release that they follow; outside of streams too, when there was none.
for releases in (release_service, review_change, retire_service):
    handles.step("release service")(releases)
