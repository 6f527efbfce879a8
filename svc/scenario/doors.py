"""Which door takes what a scenario says, and how it is said there: the one place that knows the paths and bodies."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from contracts.value_chain import DELIVER_SUPPORT, DESIGN_TRANSITION, ENGAGE, IMPROVE, OBTAIN_BUILD, PLAN
from svc.governance import quarter_of
from svc.scenario import model
from svc.scenario.model import Organisation, Part
from svc.scenario.say import DESKS, Json

DESK = "roundup"
"""The desk whose tickets come in; its pushes have the shape of a Roundup desk's."""
LEVELS = {"high": 1, "medium": 2, "low": 3}
"""How critical a service is, as Deliver and support counts it."""
DAY = timedelta(days=1)


class Call(NamedTuple):
    """A call at a door, whenever it is made."""

    activity: str
    method: str
    path: str
    body: Json


def post(activity: str, path: str, body: Json) -> Call:
    """A call as most of them are."""
    return Call(activity, "POST", path, body)


def plain(part: Part, *without: str) -> Json:
    """A part as JSON, without the fields that the door does not take; what is not said is left out."""
    return part.model_dump(mode="json", exclude={*without}, exclude_none=True)


def setup(told: Organisation, now: datetime) -> Iterator[tuple[str, Call]]:
    """Each thing that is said before any demand comes, by a name of its own; what others rest on comes first."""
    since = told.holds_from.isoformat()
    for policy in told.policies:
        body = plain(policy, "policy") | {"valid_from": since}
        yield f"policies/{policy.policy}", post(PLAN, f"/policies/{policy.policy}", body)
    for budget in told.budgets:
        quarter = later_quarter(now, budget.quarter)
        yield f"budgets/{quarter}", post(PLAN, f"/budgets/{quarter}", plain(budget, "quarter"))
    for group in told.stakeholders:
        for number in range(1, group.many + 1):
            yield f"stakeholders/{group.member(number)}", stakeholder(group, number)
    for service in told.services:
        yield from of_service(service)
    for segment in told.segments:
        for number, stated in enumerate(segment.stated):
            path = f"/segments/{segment.segment}/requirements"
            yield f"segments/{segment.segment}/{number}", post(ENGAGE, path, plain(stated))
    for component in told.components:
        if component.capacity:
            path, body = f"/components/{component.component}", plain(component, "component", "title")
            yield f"components/{component.component}", post(OBTAIN_BUILD, path, body)
    for item in told.stock:
        yield f"stock/{item.item}", post(DELIVER_SUPPORT, f"/stock/{item.item}", plain(item, "item"))
    for offering in told.offerings:
        path = f"/offerings/{offering.offering}"
        yield f"offerings/{offering.offering}", post(DELIVER_SUPPORT, path, plain(offering, "offering"))
    for supplier in told.suppliers:
        for supplied in supplier.services:
            call = supply(supplier, plain(supplied), since)
            yield f"suppliers/{supplier.supplier}/{supplied.service}", call
    for agreement in told.agreements:
        body = promise(told, agreement) | {"valid_from": since}
        yield f"agreements/{agreement.agreement}", post(ENGAGE, f"/agreements/{agreement.agreement}", body)


def promise(told: Organisation, agreement: model.AgreementTerms) -> Json:
    """What both sides agree on; a calendar is said as the hours that it stands for."""
    body = plain(agreement, "do", "at", "agreement", "calendar")
    if agreement.calendar:
        body["service_hours"] = [one.model_dump(mode="json") for one in told.calendar(agreement.calendar).hours]
    return body


def of_service(service: model.Service) -> Iterator[tuple[str, Call]]:
    """A service as those who support it, those who answer for it and those who design for it have to know it."""
    name = service.service
    body = plain(service, "names", "live", "known_errors", "readiness") | {"criticality": LEVELS[service.criticality]}
    if service.live:
        yield f"services/{name}", post(DELIVER_SUPPORT, "/services", body)
    described = {"names": list(service.names), "criticality": service.criticality}
    yield f"services/{name}/names", post(ENGAGE, f"/services/{name}", described)
    for error in service.known_errors if service.live else ():
        path = f"/services/{name}/known-errors"
        yield f"services/{name}/known-errors/{error.error}", post(DELIVER_SUPPORT, path, plain(error))
    if service.readiness:
        yield f"services/{name}/readiness", readiness(name, service.readiness)


def readiness(service: str, declared: model.Readiness) -> Call:
    """Who can run a service, for those who design for it."""
    body = plain(declared, "do", "at", "service")
    return Call(DESIGN_TRANSITION, "PUT", f"/services/{service}/readiness", body)


def stakeholder(group: model.Stakeholder, number: int) -> Call:
    """One stakeholder, or the member of a group that has this number."""
    who = group.member(number)
    body = plain(group, "stakeholder", "many")
    if group.many > 1:
        body["name"] = f"{group.name} {number}"
    return post(ENGAGE, f"/stakeholders/{quote(who, safe='')}", body)


def supply(supplier: model.Supplier, service: Json, since: str) -> Call:
    """What a supplier offers."""
    path = f"/suppliers/{supplier.supplier}/services/{service['service']}"
    body = {name: value for name, value in service.items() if name != "service"}
    return post(ENGAGE, path, {"name": supplier.name, "valid_from": since} | body)


def happening(told: Organisation, event: model.Event, at: datetime, key: str) -> Call:
    """What somebody outside says when this happens."""
    body = plain(event, "do", "at")
    match event:
        case model.DemandComes():
            return demand(told, event, at, key)
        case model.SupplierNews():
            return news(told, event, at)
        case model.OpportunityComes():
            body = until(body, at, "closes_in_hours", "closes_at")
            return post(ENGAGE, f"/opportunities/{event.opportunity}", _less(body, "opportunity"))
        case model.OpportunityCloses():
            return post(ENGAGE, f"/opportunities/{event.opportunity}/outcome", _less(body, "opportunity"))
        case model.AgreementComes():
            body = until(promise(told, event), at, "valid_for_hours", "valid_until") | {"valid_from": at.isoformat()}
            return post(ENGAGE, f"/agreements/{event.agreement}", body)
        case model.AgreementEnds():
            return post(ENGAGE, f"/agreements/{event.agreement}/termination", _less(body, "agreement"))
        case model.Signal():
            return post(DELIVER_SUPPORT, f"/monitoring/{event.service}", _less(body, "service") | {"event": key})
        case model.GovernanceDirects():
            body = until(body, at, "valid_for_hours", "valid_until") | {"valid_from": at.isoformat()}
            return post(PLAN, f"/policies/{event.policy}", _less(body, "policy"))
        case model.BudgetComes():
            return post(PLAN, f"/budgets/{later_quarter(at, event.quarter)}", _less(body, "quarter"))
        case model.InitiativeComes():
            return post(IMPROVE, f"/initiatives/{event.initiative}", _less(body, "initiative"))
        case model.InitiativeMoves():
            return post(IMPROVE, f"/initiatives/{event.initiative}/{event.do}", _less(body, "initiative"))
        case model.SegmentStates():
            return post(ENGAGE, f"/segments/{event.segment}/requirements", _less(body, "segment"))
        case model.ReadinessChanges():
            return readiness(event.service, event)


def demand(told: Organisation, event: model.DemandComes, at: datetime, key: str) -> Call:
    """A demand of the day, at the door that its channel leads to."""
    who = told.stakeholder(event.requester)
    requester = who.member(event.member)
    if event.channel == "desk":
        about = about_ticket(event, event.title, event.users_affected)
        return ticket(about, event.text, who, requester, at, key)
    body = plain(event, "do", "at", "member", "answer", "silent", "accepts", "then")
    body = until(body, at, "wanted_in_hours", "wanted_by")
    return submitted(body, who, requester)


def submitted(body: Json, who: model.Stakeholder, requester: str) -> Call:
    """A demand at Engage's own door."""
    segment = {"segment": who.segment} if who.segment else {}
    return post(ENGAGE, "/demands", body | {"requester": requester, "requester_name": who.name, **segment})


def ticket(about: Json, text: str, who: model.Stakeholder, requester: str, at: datetime, key: str) -> Call:
    """A new ticket, as the service desk pushes it; its number is derived from the key."""
    number = str(uuid5(NAMESPACE_URL, key).int % 10**10)
    said = {"id": number, "url": f"https://desk.example/issue{number}"} | about
    return push("issue.created", said | {"requester": {"name": who.name, "email": requester}}, text, at)


def about_ticket(asked: model.Asked, title: str, users: int) -> Json:
    """What a ticket has fields for; what is not said is left out."""
    fields = {"title": title, "type": asked.kind, "service": asked.service, "users_affected": users}
    return {name: value for name, value in fields.items() if value is not None}


def push(kind: str, about: Json, text: str, at: datetime) -> Call:
    """A push of the desk about a ticket."""
    data = {"ticket": about, "message": {"text": text}}
    return post(ENGAGE, f"{DESKS}{DESK}", {"type": kind, "timestamp": at.isoformat(), "data": data})


def news(told: Organisation, event: model.SupplierNews, at: datetime) -> Call:
    """What a supplier says now; as before where it says nothing."""
    supplier = next(one for one in told.suppliers if one.supplier == event.supplier)
    before = next(one for one in supplier.services if one.service == event.service)
    said = plain(event, "do", "at", "supplier", "valid_for_hours")
    body = plain(before) | said
    if event.valid_for_hours is not None:
        body["valid_until"] = (at + timedelta(hours=event.valid_for_hours)).isoformat()
    return supply(supplier, body, at.isoformat())


def later_quarter(now: datetime, quarters: int) -> str:
    """The quarter that begins so many after the one of `now`."""
    count = now.year * 4 + (now.month - 1) // 3 + quarters
    return quarter_of(now.replace(year=count // 4, month=count % 4 * 3 + 1, day=1))


def of_day(time: str) -> timedelta:
    """A time of day as the time since midnight."""
    hours, minutes = time.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def after(time: str, begins: str) -> timedelta:
    """How long after the beginning of the scenario's day a time of day comes."""
    return (of_day(time) - of_day(begins)) % DAY


def _less(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def until(body: Json, at: datetime, hours: str, until: str) -> Json:
    """The same with a moment in the place of the hours until then."""
    if hours not in body:
        return body
    return _less(body, hours) | {until: (at + timedelta(hours=body[hours])).isoformat()}
