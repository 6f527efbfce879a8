"""A service that reads otherwise than usual, as a broker may have it: some topics last, or not at all for now.

python -m tests.value_chain.reading APP late|never TOPIC...
"""

import sys
from importlib import import_module
from typing import Any

from aiokafka import AIOKafkaConsumer

from services.chassis.service import serve


def late(topics: set[str]) -> None:
    """Put the records of these topics behind all others that are fetched with them."""
    getmany = AIOKafkaConsumer.getmany

    async def sorted_getmany(self: AIOKafkaConsumer, *places: Any, **limits: Any) -> dict[Any, Any]:
        fetched = await getmany(self, *places, **limits)
        return dict(sorted(fetched.items(), key=lambda entry: entry[0].topic in topics))

    AIOKafkaConsumer.getmany = sorted_getmany


def never(topics: set[str]) -> None:
    """Leave the records of these topics to the next process of the group: nothing of them is handed over.

    The group is joined with all topics: a broker gives a static member that it knows its old partitions, whatever it
    subscribes to.
    """
    getmany = AIOKafkaConsumer.getmany

    async def fewer(self: AIOKafkaConsumer, *places: Any, **limits: Any) -> dict[Any, Any]:
        fetched = await getmany(self, *places, **limits)
        return {place: records for place, records in fetched.items() if place.topic not in topics}

    AIOKafkaConsumer.getmany = fewer


if __name__ == "__main__":
    app, how, *chosen = sys.argv[1:]
    {"late": late, "never": never}[how](set(chosen))
    module, _, attribute = app.partition(":")
    serve(getattr(import_module(module), attribute))
