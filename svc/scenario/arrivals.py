"""When demand comes at random, and what it says: drawn from the seed alone, the same in every process."""

from datetime import datetime, timedelta
from random import Random

from contracts.service_hours import WEEKDAYS
from svc.scenario import doors
from svc.scenario.model import PLACEHOLDER, Asked, Calendar, Organisation, Range, Rate
from svc.scenario.say import Json, Say

DAY = timedelta(days=1)


def times(rate: Rate, calendar: Calendar, seed: str) -> list[timedelta]:
    """The times of a day at which it comes, in order: as if every open moment were as likely as any other (Poisson)."""
    random, count, waited = Random(seed), 0, 0.0
    while (waited := waited + random.expovariate(1.0)) < rate.a_day:
        count += 1
    windows = [(doors.of_day(one.opens), doors.of_day(one.closes)) for one in calendar.windows]
    weights = [(closes - opens) / DAY for opens, closes in windows]
    chosen = random.choices(windows, weights, k=count)
    return sorted(opens + (closes - opens) * random.random() for opens, closes in chosen)


def moments(rate: Rate, calendar: Calendar, begins: datetime, seed: str) -> list[datetime]:
    """The moments of the 24 hours from `begins` on at which it comes, on weekdays of its calendar."""
    midnight = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    since = begins - midnight
    found = (begins + (time - since) % DAY for time in times(rate, calendar, seed))
    return [at for at in found if WEEKDAYS[at.weekday()] in calendar.days]


def demand(told: Organisation, rate: Rate, at: datetime, key: str) -> Say:
    """One demand of this sort."""
    random = Random(key)
    who = told.stakeholder(random.choice(rate.requesters))
    requester = who.member(random.randint(1, who.many))
    channel, wording = random.choice(rate.channels), random.choice(rate.wordings)
    filled = {name: random.choice(choices) for name, choices in rate.fillings.items()}
    title, text = (PLACEHOLDER.sub(lambda found: filled[found[1]], said) for said in (wording.title, wording.text))
    users = within(random, rate.users_affected) if rate.users_affected else 1
    if channel == "desk":
        about = doors.about_ticket(rate, title, users)
        return Say(at, *doors.ticket(about, text, who, requester, at, key), key=key)
    body: Json = doors.plain(rate, *set(Rate.model_fields).difference(Asked.model_fields))
    body |= {"title": title, "text": text, "channel": channel, "users_affected": users}
    if rate.value:
        body["value"] = within(random, rate.value)
    return Say(at, *doors.submitted(doors.until(body, at, "wanted_in_hours", "wanted_by"), who, requester), key=key)


def within(random: Random, span: Range) -> int:
    """Any whole number of a range."""
    return random.randint(span.least, span.most)
