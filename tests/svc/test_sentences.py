import inspect
from datetime import timedelta

import pytest

from contracts import value_chain
from svc import sentences, words


def test_every_message_of_the_two_shipped_streams_has_a_sentence_of_its_own():
    told = inspect.getsource(sentences)
    in_streams = {
        "TicketPushed", "DemandSubmitted", "ValueConfirmed", "DemandWithdrawn", "GovernanceDirected", "BudgetGranted",
        "DemandConsolidated", "ServiceRequirementsStated", "SupportTaskRequested", "DemandStatusReported",
        "ValueJudged", "PortfolioDecisionMade", "PolicyIssued", "SpecificationIssued", "ChangeProposed",
        "DeploymentPlanned", "ServiceReleased", "ServiceTransitionReported", "DesignPerformanceReported",
        "ComponentProvided", "ChangedServiceReported", "ObtainPerformanceReported",
        "ServiceDelivered", "SupportTaskCompleted",
        "ServicePerformanceReported", "SupportEscalated", "ChainPerformanceReported",
    }  # fmt: skip
    assert in_streams <= {flow.event.__name__ for flow in value_chain.FLOWS}
    assert {name for name in in_streams if f"case {name}()" not in told} == set()


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(milliseconds=1500), "1.5 s"), (timedelta(seconds=59), "59 s"), (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"), (timedelta(days=90), "90 d"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
        (timedelta(hours=-1), "-1 h"), (timedelta(0), "0 s"), (timedelta(seconds=59.9), "59.9 s"),
        (timedelta(seconds=3599), "1 h"), (timedelta(days=1, minutes=5), "1 d"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_two_units_at_most(duration: timedelta, said: str):
    assert words.span(duration) == said


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("svc.plan.portfolio-decision-made.v1", "PortfolioDecisionMade"),
        ("svc.deliver-support.inbox.resolution-done.v1", "ResolutionDone"),
        ("requester-notice", "RequesterNotice"),
    ],
)
def test_a_message_is_named_by_its_class(type: str, name: str):
    assert words.message_name(type) == name


def test_what_comes_from_outside_is_one_plain_line():
    assert words.plain("two\nlines\x1b[31m \t\x07red") == "two lines [31m red"
