"""A small organisation as a file, and ways to spoil it."""

from collections.abc import Callable

import pytest

from svc.scenario import Scenario
from svc.scenario.marks import Mistake
from svc.scenario.reading import STREAMS, parse, read_streams

SMALL = """
scenario: bakery
title: A bakery
mission: Fresh bread.
holds_from: 2026-01-01T00:00:00Z
business_model:
  value_propositions:
    - {title: Warm bread, segments: [locals], services: [delivery], measure: minutes from the oven}
  channels: [phone]
  revenue: [{name: bread, euros_a_year: 300}]
  costs: [{name: flour, euros_a_year: 100}]
segments:
  - segment: locals
    title: Locals
    stated:
      - {customer: anna@locals.example, preferences: [{kind: incident, wanted_priority: 2}]}
stakeholders:
  - {stakeholder: anna@locals.example, name: Anna, kind: consumer, roles: [customer], segment: locals}
  - {stakeholder: "guest-{n}@locals.example", name: Guest, kind: consumer, roles: [user], segment: locals, many: 3}
services:
  - service: delivery
    title: Delivery
    owner: baker
    known_errors:
      - {error: flat-tyre, symptoms: [flat tyre], workaround: Walk.}
    readiness: {declared_by: baker}
offerings:
  - {offering: loaf, title: A loaf, service: delivery, goods: {item: loaf}}
components:
  - {component: bread, title: Bread, capacity: 9, unit: pieces}
stock:
  - {item: loaf, component: bread, unit: pieces, quantity: 5, reorder_at: 1, reorder_quantity: 5}
suppliers:
  - supplier: mill
    name: Mill
    services:
      - {service: bread, title: Flour, terms: [{name: price, value: 10, unit: euros}]}
agreements:
  - agreement: fresh-bread
    kind: service_level
    title: Fresh bread
    service: delivery
    counterparty: anna@locals.example
    terms: [{name: resolve, value: 1, unit: hours}]
    calendar: mornings
policies:
  - {policy: funding, title: Money, statement: Little., issued_by: baker}
budgets:
  - {quarter: 1, total: 100}
calendars:
  - calendar: always
    windows: [{opens: "00:00", closes: "24:00"}]
  - calendar: mornings
    days: [mon]
    windows: [{opens: "06:00", closes: "09:00"}]
value_streams: [restore-a-live-service]
consumers:
  - kind: consumer
    answers:
      - {share: 0.5, answer: {verdict: fully, satisfaction: 5}}
    after_workaround:
      - {share: 1, answer: {verdict: not, satisfaction: 1}}
    minutes: {least: 1, usual: 2, most: 3}
    accepts: 0
triage: {by: baker, kind: incident, minutes: {least: 1, usual: 1, most: 1}}
day:
  begins: "06:00"
  events:
    - do: demand
      at: "07:00"
      requester: anna@locals.example
      channel: desk
      kind: incident
      title: No bread
      text: There is no bread.
      then:
        - {do: reply, when: {status: delivered, minutes: 30}, text: Still none.}
    - do: demand
      at: "05:00"
      requester: guest-{n}@locals.example
      member: 2
      channel: phone
      title: Late
      text: The bread was late.
      answer: {verdict: partly, satisfaction: 3}
      accepts: true
    - {do: supplier, at: "08:00", supplier: mill, service: bread, status: degraded, valid_for_hours: 2}
  rates:
    - &often
      kind: incident
      a_day: 20
      calendar: mornings
      channels: [phone, desk]
      requesters: ["guest-{n}@locals.example"]
      users_affected: {least: 1, most: 5}
      wordings: [{title: "No {bread}", text: "There is no {bread}."}]
      fillings: {bread: [rye, wheat]}
quarter:
  days: 14
  the_day: 3
  rates: [*often]
  special:
    - day: 2
      events:
        - {do: budget, at: "10:00", quarter: 0, total: 500}
"""
Parse = Callable[..., Scenario | list[Mistake]]


@pytest.fixture(scope="session")
def small() -> str:
    """The small file."""
    return SMALL


@pytest.fixture(scope="session")
def parsed() -> Parse:
    """Reads the small file with something in it replaced."""
    streams = read_streams(STREAMS)

    def read(right: str = "", wrong: str = "") -> Scenario | list[Mistake]:
        assert not right or right in SMALL
        return parse(SMALL.replace(right, wrong, 1) if right else SMALL, "bakery.yaml", streams)

    return read


@pytest.fixture(scope="session")
def bakery(parsed: Parse) -> Scenario:
    """The small organisation."""
    scenario = parsed()
    assert isinstance(scenario, Scenario), scenario
    return scenario
