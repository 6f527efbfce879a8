"""How the people of a scenario react to what they are told: they answer, accept, reply, alter, or say nothing."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from contracts.engage import DemandStatusReported
from contracts.value_chain import ENGAGE
from svc.scenario import doors, model
from svc.scenario.doors import Call, plain, post
from svc.scenario.model import Organisation
from svc.scenario.say import Json, Say

WORKAROUND = "workaround"
"""The word in a notice by which a consumer knows that the cause is still there."""
ACCEPTS = {True: "The terms suit me.", False: "These terms do not suit me."}


class Reactions:
    """The people behind the demands, each of whom knows no more than the notices to them.

    What they do hangs on the seed, the demand and how often they were asked, not on what else happens.
    """

    def __init__(self, told: Organisation, seed: int, tickets: Mapping[UUID, Json]) -> None:
        self.told, self.seed, self.tickets = told, seed, tickets
        self.people = told.everybody()
        self.behaviours = {one.kind: one for one in told.consumers}
        special = (event for one in told.quarter_of_demand.special for event in one.events)
        demands = (one for one in (*told.day_of_demand.events, *special) if isinstance(one, model.DemandComes))
        self.stories = {(told.requester(one), one.title): one for one in demands}
        self.heard: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.followed: Counter[str] = Counter()

    def __call__(self, event: Mapping[str, Any]) -> list[Say]:
        """What somebody does because of an event; a copy of one that was given before moves nobody."""
        if event["type"] != DemandStatusReported.type or event["id"] in self.heard:
            return []
        self.heard.add(event["id"])
        notice, time = event["data"], event["time"]
        at = (time if isinstance(time, datetime) else datetime.fromisoformat(time)).astimezone(UTC)
        story = self.stories.get((notice["requester"], notice.get("title", "")))
        if story and (follow_up := self._next(story, notice)):
            self.followed[notice["demand"]] += 1
            at += timedelta(minutes=follow_up.when.minutes)
            call, what = self._follow(follow_up, notice, at), f"then/{self.followed[notice['demand']]}"
            return [Say(at, *call, key=self._key(notice, what))] if call else []
        return self._usual(notice, story, at)

    def _next(self, story: model.DemandComes, notice: Json) -> model.FollowUp | None:
        """What follows next in a demand's story, if this is the notice on which it does."""
        done = self.followed[notice["demand"]]
        following = story.then[done] if done < len(story.then) else None
        if following is None or following.when.status != notice["status"]:
            return None
        return following if following.when.says.lower() in notice["text"].lower() else None

    def _follow(self, step: model.FollowUp, notice: Json, at: datetime) -> Call | None:
        door, who = f"/demands/{notice['demand']}", {"stakeholder": notice["requester"]}
        body = plain(step, "do", "when")
        match step:
            case model.Alteration():
                return post(ENGAGE, f"{door}/alteration", who | doors.until(body, at, "wanted_in_hours", "wanted_by"))
            case model.Classification():
                return post(ENGAGE, f"{door}/classification", body)
            case model.Withdrawal():
                return post(ENGAGE, f"{door}/withdrawal", who | body)
            case model.Reply():
                ticket = self.tickets.get(UUID(notice["demand"]))
                return doors.push("issue.replied", ticket, step.text, at) if ticket else None

    def _usual(self, notice: Json, story: model.DemandComes | None, at: datetime) -> list[Say]:
        """What people do whom nothing special is told of."""
        demand, who = notice["demand"], notice["requester"]
        person = self.people.get(who)
        behaviour = self.behaviours.get(person.kind if person else "consumer")
        count = self.asked[demand] = self.asked[demand] + 1
        random = Random(f"{self.seed} {demand} {count}")
        triage = self.told.triage
        if notice["status"] == "unclassified" and triage:
            classified = {"kind": triage.kind, "by": triage.by, "reason": "It reads like that."}
            call = post(ENGAGE, f"/demands/{demand}/classification", classified)
            return [Say(at + drawn(random, triage.minutes), *call, key=self._key(notice, f"triage/{count}"))]
        if behaviour is None:
            return []
        at += drawn(random, behaviour.minutes)
        if notice["status"] == "waiting_for_consumer":
            accepts = random.random() < behaviour.accepts if story is None or story.accepts is None else story.accepts
            body: Json = {"stakeholder": who, "accepted": accepts, "remark": ACCEPTS[accepts]}
            call = post(ENGAGE, f"/demands/{demand}/acceptance", body)
            return [Say(at, *call, key=self._key(notice, f"acceptance/{count}"))]
        answer = self._answer(notice, story, behaviour, random) if notice["asks_confirmation"] else None
        if answer is None:
            return []
        body = {"stakeholder": who, "stakeholder_kind": behaviour.kind, **plain(answer)}
        call = post(ENGAGE, f"/demands/{demand}/value", body)
        return [Say(at, *call, key=self._key(notice, f"value/{count}"))]

    def _answer(
        self, notice: Json, story: model.DemandComes | None, behaviour: model.Behaviour, random: Random
    ) -> model.Answer | None:
        """What they say that it was worth; None if they say nothing."""
        if story and (story.silent or story.answer):
            return None if story.silent else story.answer
        worse = behaviour.after_workaround if WORKAROUND in notice["text"].lower() else ()
        drawn = random.random()
        for one in worse or behaviour.answers:
            if drawn < one.share:
                return one.answer
            drawn -= one.share
        return None

    def _key(self, notice: Json, what: str) -> str:
        return f"{self.told.scenario}/{self.seed}/{notice['demand']}/{what}"


def drawn(random: Random, minutes: model.Spread) -> timedelta:
    """How long it takes this time."""
    return timedelta(minutes=random.triangular(minutes.least, minutes.most, minutes.usual))
