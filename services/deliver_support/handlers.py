"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import DELIVER_SUPPORT
from services.chassis.handlers import Handlers
from services.deliver_support.access import end_access
from services.deliver_support.asset_management import (
    book_in,
    fail_order,
    give_up_order,
    order_goods,
    receive_goods,
    set_stock,
)
from services.deliver_support.deployment import (
    end_waiting,
    finish_deployment,
    note_requirements,
    plan_deployment,
    receive_component,
    start_deployment,
    take_live,
)
from services.deliver_support.deployment import put_live as put_live
from services.deliver_support.incident import (
    complete_alarm,
    complete_support_task,
    pause_support_task,
    raise_incident,
    resume_support_task,
    take_support_task,
    take_up_support_task,
)
from services.deliver_support.monitoring import take_monitoring_event
from services.deliver_support.problem import (
    ask_for_change,
    close_problem,
    count_incident,
    end_problem_change,
    prove_change,
    review_problems,
    settle_problem,
)
from services.deliver_support.register import (
    expect_change,
    hear_demand,
    record_known_error,
    rest_on_supplier,
    take_over_service,
)
from services.deliver_support.request_fulfilment import (
    decide_approval,
    finish_request,
    miss_approval,
    publish_offering,
    take_request,
    watch_request,
    weigh_request,
)
from services.deliver_support.service_level import (
    follow_improvement_plan,
    follow_initiative,
    follow_plan,
    follow_supplier,
    keep_promise,
    note_initiative,
    weigh_support,
)
from services.deliver_support.targets import watch_target

handles = Handlers(DELIVER_SUPPORT)

# Heard in any value stream, and outside of all.
handles.draws_on("service configuration management", "service catalogue management")(take_over_service)
handles.draws_on("problem management", "knowledge management")(record_known_error)
handles.draws_on("service level management", "service validation and testing")(note_requirements)
handles.draws_on("incident management", "service desk")(take_up_support_task)
handles.draws_on("incident management", "service level management")(pause_support_task)
handles.draws_on("incident management", "service level management")(resume_support_task)
handles.draws_on("incident management", "monitoring and event management")(raise_incident)
handles.draws_on("incident management", "service level management")(watch_target)
handles.draws_on("incident management", "availability management")(complete_alarm)
handles.draws_on("monitoring and event management", "incident management")(take_monitoring_event)

handles.draws_on("problem management")(count_incident)
handles.draws_on("problem management", "change enablement", "service financial management")(ask_for_change)
handles.draws_on("problem management")(settle_problem)
handles.draws_on("problem management", "continual improvement")(review_problems)
handles.draws_on("problem management", "release management")(prove_change)
handles.draws_on("problem management", "knowledge management")(close_problem)
handles.draws_on("problem management", "change enablement")(end_problem_change)
handles.draws_on("change enablement", "relationship management")(hear_demand)
handles.draws_on("change enablement", "service configuration management")(expect_change)

handles.draws_on("strategy management", "service level management")(follow_plan)
handles.draws_on("continual improvement")(note_initiative)
handles.draws_on("continual improvement", "workforce and talent management")(follow_improvement_plan)
handles.draws_on("continual improvement", "measurement and reporting")(follow_initiative)
handles.draws_on("service level management", "supplier management")(keep_promise)
handles.draws_on("supplier management")(follow_supplier)
handles.draws_on("supplier management", "service configuration management")(rest_on_supplier)
handles.draws_on("service level management", "supplier management")(weigh_support)

handles.draws_on("service catalogue management", "service request management")(publish_offering)
handles.draws_on("IT asset management")(set_stock)
handles.draws_on("IT asset management", "capacity and performance management")(order_goods)
handles.draws_on("IT asset management")(book_in)
handles.draws_on("IT asset management", "supplier management")(give_up_order)
handles.draws_on("IT asset management", "service request management")(receive_goods)
handles.draws_on("IT asset management", "supplier management")(fail_order)
handles.draws_on("service request management")(decide_approval)

# What value streams name.
handles.step("resolve incident")(take_support_task)
handles.step("resolve incident")(watch_target)
handles.step("resolve incident")(complete_support_task)
handles.step("fulfil request")(take_request)
handles.step("fulfil request")(weigh_request)
handles.step("fulfil request")(decide_approval)
handles.step("fulfil request")(miss_approval)
handles.step("fulfil request")(finish_request)
handles.step("fulfil request")(end_access)
handles.step("fulfil request")(watch_request)
handles.step("deploy service")(plan_deployment)
handles.step("deploy service")(receive_component)
handles.step("deploy service")(start_deployment)
handles.step("deploy service")(finish_deployment)
handles.step("deploy service")(end_waiting)
handles.step("put live")(take_live)
