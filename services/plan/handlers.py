"""Which decision hears what: the one list. The decisions themselves stand with the practice they belong to."""

from contracts.value_chain import PLAN
from services.chassis.handlers import Handlers
from services.plan.agreements import require_agreement
from services.plan.governance import grant_budget, issue_policy, review_deferred
from services.plan.improvement import (
    follow_initiative,
    plan_improvement,
    reconsider_initiative,
    settle_initiative,
    take_up_initiative,
)
from services.plan.market import note_supplier
from services.plan.measurement import count_decision, report_day
from services.plan.pipeline import follow_opportunity, note_delivery, note_opportunity
from services.plan.planning import count_demand, note_performance, notice_demand, review_plan
from services.plan.portfolio import (
    follow_change,
    follow_transition,
    reconsider_demand,
    settle_funding,
    take_up_demand,
    weigh_demand,
)
from services.plan.proof import prove_improvement

handles = Handlers(PLAN)

# Heard in any value stream and outside of all, with the practices that each draws on.
handles.draws_on("strategy management", "risk management")(issue_policy)
handles.draws_on("strategy management", "service financial management")(grant_budget)
handles.draws_on("portfolio management", "service financial management")(review_deferred)
handles.draws_on("strategy management", "measurement and reporting")(review_plan)
handles.draws_on("strategy management", "measurement and reporting")(note_performance)
handles.draws_on("supplier management", "risk management")(note_supplier)
handles.draws_on("supplier management", "service level management")(require_agreement)
handles.draws_on("relationship management", "portfolio management")(follow_opportunity)
handles.draws_on("relationship management", "portfolio management")(note_opportunity)
handles.draws_on("service catalogue management", "risk management")(note_delivery)
handles.draws_on("business analysis", "strategy management")(notice_demand)
handles.draws_on("business analysis", "measurement and reporting")(count_demand)
handles.draws_on("portfolio management", "service financial management")(follow_transition)
handles.draws_on("portfolio management", "service financial management")(follow_change)
handles.draws_on("portfolio management", "measurement and reporting")(count_decision)
handles.draws_on("portfolio management", "measurement and reporting")(report_day)
handles.draws_on("continual improvement", "service financial management")(follow_initiative)
handles.draws_on("continual improvement", "service financial management")(settle_initiative)
handles.draws_on("continual improvement", "knowledge management")(prove_improvement)

# Initiatives are cases of their own: they come by a stream or by none.
for initiative in (take_up_initiative, reconsider_initiative, plan_improvement):
    handles.draws_on("continual improvement", "portfolio management")(initiative)
    handles.step("decide on improvement")(initiative)

# What value streams name.
for step in (take_up_demand, reconsider_demand, weigh_demand, follow_transition, follow_change, settle_funding):
    handles.step("weigh demand")(step)
