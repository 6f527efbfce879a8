"""What Improve tells: initiatives and how they stand, and how the chain performs."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, FiniteFloat

from contracts.event import Decision, Event
from contracts.values import AgreementNeed, Euros, PeriodReport, Share, Slug


class ImprovementInitiated(Decision, case="initiative"):
    """Improve proposes to everybody to make something measurably better; Plan decides about it."""

    initiative: str
    """Its id."""
    title: str
    """What is to become better, in one line."""
    subject: Literal["products", "services", "chain"]
    """What it changes: how products are designed, how services are delivered, or how the chain works."""
    objective: Slug | None = None
    """The objective of a plan that it serves; None if none fits."""
    hypothesis: str
    """What is to be done, and why that is expected to help."""
    measure: str
    """What will be measured."""
    baseline: FiniteFloat
    """The value now, in `unit`."""
    target: FiniteFloat
    """The value to reach, in `unit`."""
    unit: str
    """Of baseline and target."""
    service: Slug | None = None
    """The service it is about; None for more than one."""
    value_stream: Slug | None = None
    """The value stream it is about; None for more than one."""
    bottleneck: str | None = None
    """The activity that holds the flow up, if that is why."""
    source: Literal["complaint", "feedback", "review", "supplier", "performance", "audit"]
    """What gave rise to it."""
    owner: str
    """The role that would answer for it."""
    value: Euros
    """What it is expected to bring, euros a year."""
    cost: Euros
    """What it is expected to cost, euros in all."""
    demands: tuple[UUID, ...] = ()
    """The feedback that gave rise to it: who gave it is told how it goes on."""


class InitiativeStatusReported(Event, case="initiative"):
    """Improve says how far an initiative has come, and in the end by what it is judged."""

    initiative: str
    """The initiative."""
    title: str
    """What is to become better, in one line."""
    status: Literal[
        "new",
        "accepted",
        "assessed",
        "approved",
        "in_progress",
        "on_hold",
        "under_review",
        "closed",
    ]
    """Its state in the improvement register."""
    result: Literal["kept", "reverted", "inconclusive"] | None = None
    """How it was judged by its measured effect; None until closed, and if it was refused."""
    measured: FiniteFloat | None = None
    """The value now, in `unit`; None if it was not measured yet."""
    target: FiniteFloat
    """The value to reach, in `unit`."""
    unit: str
    """Of the values."""
    text: str
    """What has been done and what comes next, in words."""
    measure: str = ""
    """What is measured: the name of a key figure."""
    service: Slug | None = None
    """The service it is about; None for more than one."""
    demands: tuple[UUID, ...] = ()
    """The feedback that gave rise to it."""
    due_at: AwareDatetime | None = None
    """When its effect is measured; None if that is open."""


class ChainPerformanceReported(Event, PeriodReport, case="period"):
    """Improve tells how the whole value chain performs.

    Computed from the chain's own events.
    """

    bottleneck: str | None = None
    """The activity that holds the flow up most; None if none stands out."""
    bottleneck_waiting: Share | None = None
    """The share of all lead time that cases wait there."""


class ImprovementAgreementNeeded(Event, AgreementNeed, case="agreement"):
    """Improve says which agreement an improvement needs, made or changed.

    Engage is to reach it.
    """
