"""The wiring of Obtain/build: which of its functions decides on which message."""

from contracts.value_chain import OBTAIN_BUILD
from services.chassis.handlers import Handlers
from services.obtain_build.component_register import (
    follow_service,
    gain_component,
    hear_supplier,
    note_offer,
    return_capacity,
)
from services.obtain_build.provision import (
    hear_change,
    hear_specification,
    obtain_parts,
    report_purchase,
    take_what_is_built,
    take_what_is_delivered,
)
from services.obtain_build.sourcing_policy import note_policy

handles = Handlers(OBTAIN_BUILD)

obtains = handles.step("obtain components")
obtains(hear_specification)
obtains(hear_change)
obtains(obtain_parts)
obtains(take_what_is_built)
obtains(take_what_is_delivered)

handles(note_policy)
handles(hear_supplier)
handles(note_offer)
handles(gain_component)
handles(return_capacity)
handles(follow_service)
handles(report_purchase)
