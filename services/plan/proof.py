"""Knowledge management in planning: what an improvement has proved becomes policy."""

from contracts.event import Fact
from contracts.plan import PolicyIssued
from contracts.values import PolicyParameter
from services.plan.model import ImprovementProved, Policy, PolicyEdition

LOWER_IS_BETTER = frozenset(
    ("time_to_restore", "complaints", "recurrence", "escalations", "obtaining_cost", "decisions_waiting", "flow_time")
)
"""The key figures of which less is better; of any other one more is."""
PROVED = 50
"""How many proved values the policy holds; the newest bind, and there are fewer scopes than that."""


def prove_improvement(proved: ImprovementProved, policy: Policy) -> list[PolicyIssued]:
    """Make what an improvement has reached a policy, for its scope: never worse than what was proved before."""
    binding = policy.in_force(proved.time)
    held = binding.parameters if binding else ()
    if any(parameter.name == proved.initiative for parameter in held):
        return []
    value, why = best_proved(proved, policy, held)
    scope = scope_of(proved.initiative)
    others = [parameter for parameter in held if scope_of(parameter.name) != scope]
    parameter = PolicyParameter(name=proved.initiative, value=value, unit=proved.unit)
    where = f"for {proved.service}" if proved.service else "for the chain"
    statement = f"{proved.measure} {where} is kept at {value:g} {proved.unit}, as it was proved: {proved.title}"
    edition = PolicyEdition(
        edition=policy.next_edition,
        title="What improvements have proved",
        statement=statement,
        parameters=(*others, parameter)[-PROVED:],
        issued_by="Plan",
        valid_from=proved.time,
        valid_until=None,
    )
    policy.add(edition)
    issued = PolicyIssued(
        reasons=(
            f"{proved.initiative} was kept: it has reached {proved.reached:g} {proved.unit}.",
            *why,
        ),
        basis=(
            Fact(name="reached", value=proved.reached, source=f"initiative {proved.initiative}"),
            *(Fact(name=one.name, value=one.value, source=f"policy {policy.id}") for one in held),
        ),
        policy=proved.policy,
        version=edition.edition,
        title=edition.title,
        statement=statement,
        subject="solutions" if proved.subject == "products" else "processes",
        parameters=edition.parameters,
        valid_from=edition.valid_from,
    )
    return [issued]


def best_proved(
    proved: ImprovementProved, policy: Policy, held: tuple[PolicyParameter, ...]
) -> tuple[float, tuple[str, ...]]:
    """The value to keep: governance's where it has fixed one, else the best that this scope has reached."""
    scope = scope_of(proved.initiative)
    for parameter, edition in policy.constraints(proved.time).values():
        if scope_of(parameter.name) == scope and not isinstance(parameter.value, str):
            return float(parameter.value), (f"{edition.issued_by} has fixed {parameter.value:g} for it.",)
    before = [p for p in held if scope_of(p.name) == scope and not isinstance(p.value, str)]
    better = min if proved.measure in LOWER_IS_BETTER else max
    best = better([proved.reached, *(float(p.value) for p in before)])
    earlier = next((p.name for p in before if float(p.value) == best != proved.reached), None)
    return best, (f"{earlier} has proved {best:g} {proved.unit} before, and that stays.",) if earlier else ()


def scope_of(initiative: str) -> str:
    """The key figure and the service of an initiative: its id without the number."""
    return initiative.rpartition("-")[0] or initiative
