"""A service without its decisions and its database: it tells what the service told before, because of the same records.

`python -m svc.bench.echo ACTIVITY SCRIPT`; the script says what each activity told because of which record, and where.
"""

import asyncio
import sys
from pathlib import Path

import orjson

from services.chassis.settings import Settings
from svc.bench.workers import HEADERS, clients, until_told
from svc.log import handlers_of

ECHO = "bench."
"""What the topics of the echoes begin with."""


async def echo(activity: str, script: Path, settings: Settings) -> None:
    """Run until cancelled."""
    told: dict[str, list[tuple[str, str, str]]] = {}
    known: set[str] = set()
    async with clients(settings, *(f"{ECHO}{topic}" for topic in handlers_of(activity).topics)) as (consumer, producer):
        while True:
            found = await consumer.getmany(timeout_ms=200, max_records=settings.batch)
            sent = []
            for record in (record for records in found.values() for record in records):
                id = orjson.loads(record.value)["id"]
                if id not in known:  # the script has grown
                    told = orjson.loads(await asyncio.to_thread(script.read_bytes))
                    known |= {id, *(cause.partition(" ")[2] for cause in told)}
                for topic, key, value in told.get(f"{activity} {id}", ()):
                    sent.append(await producer.send(topic, value.encode(), key=key.encode(), headers=HEADERS))
            await asyncio.gather(*sent)
            if found:
                await consumer.commit()


if __name__ == "__main__":
    asyncio.run(until_told(echo(sys.argv[1], Path(sys.argv[2]), Settings())))
