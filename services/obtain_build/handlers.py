"""The wiring of Obtain/build: which of its functions decides on which message."""

from contracts.value_chain import OBTAIN_BUILD
from services.chassis.handlers import Handlers
from services.obtain_build.change_requests import (
    hear_alteration,
    hear_demand,
    hear_initiation,
    hear_request,
    note_request,
    restock,
)
from services.obtain_build.component_register import follow_service, gain_component, return_capacity
from services.obtain_build.direction import note_improvement, note_objectives, note_proposal, note_result
from services.obtain_build.ordering import hear_change, hear_specification, obtain_parts, stop_waiting
from services.obtain_build.provision import take_what_is_built, take_what_is_delivered
from services.obtain_build.sourcing_policy import note_policy
from services.obtain_build.supplier_management import (
    hear_agreement,
    hear_supplier,
    note_contract,
    note_contracts,
    note_offer,
    report_agreement,
)

handles = Handlers(OBTAIN_BUILD)

obtains = handles.step("obtain components")
obtains(hear_specification)
obtains(hear_change)
obtains(obtain_parts)
obtains(take_what_is_built)
obtains(take_what_is_delivered)
obtains(stop_waiting)

# what operation needs again travels in no stream
handles.draws_on("supplier management", "service financial management")(obtain_parts)
handles.draws_on("software development and management")(take_what_is_built)
handles.draws_on("supplier management", "IT asset management")(take_what_is_delivered)
handles.draws_on("supplier management")(stop_waiting)
handles.draws_on("IT asset management", "service continuity management")(restock)

handles.draws_on("business analysis")(hear_demand)
handles.draws_on("project management", "service financial management")(hear_initiation)
handles.draws_on("project management", "service financial management")(hear_alteration)
handles.draws_on("change enablement")(hear_request)
handles.draws_on("change enablement", "risk management")(note_request)

handles.draws_on("supplier management")(hear_supplier)
handles.draws_on("supplier management")(note_offer)
handles.draws_on("supplier management", "service level management")(hear_agreement)
handles.draws_on("supplier management", "service level management")(note_contract)
handles.draws_on("supplier management", "service level management")(note_contracts)
handles.draws_on("supplier management", "service financial management")(report_agreement)

handles.draws_on("IT asset management", "service configuration management")(gain_component)
handles.draws_on("IT asset management", "capacity and performance management")(return_capacity)
handles.draws_on("IT asset management", "service configuration management")(follow_service)

handles.draws_on("supplier management", "service financial management")(note_policy)
handles.draws_on("strategy management", "measurement and reporting")(note_objectives)
handles.draws_on("continual improvement")(note_proposal)
handles.draws_on("continual improvement", "risk management")(note_improvement)
handles.draws_on("continual improvement", "measurement and reporting")(note_result)
