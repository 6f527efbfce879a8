"""What the other activities tell Obtain/build, each with what is usual; say what is different."""

from datetime import timedelta
from uuid import UUID

from contracts.deliver_support import ChangeRequested
from contracts.engage import (
    AgreementConcluded,
    ChangeInitiationRequested,
    DemandConsolidated,
    ProjectChangeRequested,
    ThirdPartyServiceReported,
)
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, Objective, PlanPublished
from contracts.values import Term
from tests.obtain_build.workshop import MORNING, THE_DEMAND

TERMS = (Term(name="price", value=1000, unit="euros"), Term(name="delivery", value=48, unit="hours"))


def plan(share: float | None, version: int = 1, **said: object) -> PlanPublished:
    """A plan for the quarter; without a share it says nothing of the parts to be had in time."""
    objective = Objective(
        objective="obtained-in-time",
        statement="Parts are there when they were promised.",
        measure="obtained_in_time",
        target=share or 0,
        unit="share",
        due_at=MORNING + timedelta(days=60),
    )
    usual: dict[str, object] = {
        "plan": "portfolio-2026-q4",
        "version": version,
        "level": "tactical",
        "title": "The quarter",
        "vision": "",
        "status": "",
        "direction": "",
        "objectives": (objective,) if share is not None else (),
        "valid_from": MORNING - timedelta(days=54),
        "reasons": ("Demand and budget.",),
        "basis": (),
    }
    return PlanPublished.model_validate(usual | said).at(MORNING)


def proposed(measure: str, service: str | None = None, initiative: str = "init-1") -> ImprovementInitiated:
    """Improve proposes an initiative about a key figure."""
    return ImprovementInitiated(
        initiative=initiative,
        title="Better",
        subject="chain",
        hypothesis="",
        measure=measure,
        baseline=0.8,
        target=0.95,
        unit="share",
        service=service,
        source="performance",
        owner="Supplier manager",
        value=10_000,
        cost=1_000,
        reasons=("It is below its target.",),
        basis=(),
    ).at(MORNING)


def decided(
    measure: str, decision: str = "approve", service: str | None = None, starts_in: float = 0
) -> ImprovementPlanned:
    """Plan decides about it."""
    said = {
        "initiative": "init-1",
        "title": "Better",
        "decision": decision,
        "subject": "chain",
        "owner": "Supplier manager",
        "cost": 0,
        "quarter": "2026-Q4",
        "starts_at": MORNING + timedelta(days=starts_in) if decision == "approve" else None,
        "measure": measure,
        "service": service,
        "reasons": ("Ranked.",),
        "basis": (),
    }
    return ImprovementPlanned.model_validate(said).at(MORNING)


def judged(measure: str, result: str | None, status: str = "closed") -> InitiativeStatusReported:
    """Improve says how it stands."""
    said = {
        "initiative": "init-1",
        "title": "Better",
        "status": status,
        "result": result,
        "target": 0.95,
        "unit": "share",
        "text": "",
        "measure": measure,
    }
    return InitiativeStatusReported.model_validate(said).at(MORNING)


def needed(demand: UUID = THE_DEMAND, users: int = 0, wanted_in: float | None = None) -> DemandConsolidated:
    """Engage consolidates the demand; `wanted_in` hours."""
    return DemandConsolidated(
        demand=demand,
        title="Games",
        text="",
        kind="change_request",
        requester="ada@example.org",
        segment="",
        service="video-games",
        tickets=(),
        users=users,
        value=0,
        effort=None,
        wanted_by=None if wanted_in is None else MORNING + timedelta(hours=wanted_in),
        promise_by=MORNING + timedelta(days=90),
        channel="api",
    ).at(MORNING)


def initiated(budget: int | None = None, wanted_in: float | None = None) -> ChangeInitiationRequested:
    """A customer begins the change, with what their sponsor is ready to spend."""
    return ChangeInitiationRequested(
        demand=THE_DEMAND,
        title="Games",
        service="video-games",
        justification="",
        requester="ada@example.org",
        sponsor="the CFO",
        budget=budget,
        wanted_by=None if wanted_in is None else MORNING + timedelta(hours=wanted_in),
    ).at(MORNING)


def altered(more_budget: int = 0, wanted_in: float | None = None, number: int = 1) -> ProjectChangeRequested:
    """A customer alters it while it is under way."""
    return ProjectChangeRequested(
        demand=THE_DEMAND,
        change="CHG-1",
        title="More",
        scope="",
        requester="ada@example.org",
        more_budget=more_budget,
        wanted_by=None if wanted_in is None else MORNING + timedelta(hours=wanted_in),
    ).at(MORNING, id=UUID(int=number))


def requested(origin: str = "problem", urgency: int = 2, **said: object) -> ChangeRequested:
    """Deliver and support asks for a change."""
    usual: dict[str, object] = {
        "change": "CR-1",
        "service": "video-games",
        "title": "Pads again",
        "text": "",
        "origin": origin,
        "urgency": urgency,
        "benefit": 10_000,
    }
    return ChangeRequested.model_validate(usual | said).at(MORNING)


def offered(version: int = 1, service: str = "store", **said: object) -> ThirdPartyServiceReported:
    """Engage tells what a supplier offers."""
    usual: dict[str, object] = {
        "supplier": "cloudy",
        "version": version,
        "name": "Cloudy",
        "service": service,
        "title": "A store",
        "status": "offered",
        "terms": TERMS,
        "support_hours": "",
        "valid_from": MORNING,
    }
    return ThirdPartyServiceReported.model_validate(usual | said).at(MORNING)


def concluded(version: int = 1, **said: object) -> AgreementConcluded:
    """Engage tells a contract with a supplier."""
    usual: dict[str, object] = {
        "agreement": "UC-7",
        "version": version,
        "kind": "underpinning_contract",
        "state": "in_force",
        "title": "Cloudy",
        "service": "video-games",
        "counterparty": "cloudy",
        "terms": (),
        "valid_from": MORNING - timedelta(days=1),
    }
    return AgreementConcluded.model_validate(usual | said).at(MORNING)
