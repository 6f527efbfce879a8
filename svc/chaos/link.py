"""A link to a server of this machine that can be slow, narrow, or cut: a TCP proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Link:
    """What goes through `port` goes to the server, as late and as slowly as the link is just now."""

    def __init__(self, server: int) -> None:
        self.port = 0
        self.delay = 0.0
        """Seconds that each piece takes, each way."""
        self.bandwidth = 0
        """Bytes a second; 0 for no limit."""
        self.carries = asyncio.Event()
        """Cleared: nothing comes through, and nobody is told."""
        self.carries.set()
        self._server = server
        self._ends: set[asyncio.StreamWriter] = set()

    def reset(self) -> None:
        """Break every connection off: both sides are told."""
        for end in self._ends:
            end.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one side ends it."""
        self._ends.add(writer)
        try:
            await self.carries.wait()
            back, forth = await asyncio.open_connection("127.0.0.1", self._server)
            self._ends.add(forth)
            try:
                ways = [asyncio.create_task(self.carry(*way)) for way in ((reader, forth), (back, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            finally:
                self._ends.discard(forth)
                forth.transport.abort()
        except OSError:
            pass  # the server is away: so the client is told
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One way of a connection."""
        with suppress(OSError):
            while piece := await reader.read(16_384):
                await asyncio.sleep(self.delay + (len(piece) / self.bandwidth if self.bandwidth else 0))
                await self.carries.wait()
                writer.write(piece)
                await writer.drain()


@asynccontextmanager
async def link(server: int) -> AsyncIterator[Link]:
    """A link to the server at this port, good to begin with."""
    made = Link(server)
    listening = await asyncio.start_server(made.connect, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        made.carries.set()
        made.reset()
