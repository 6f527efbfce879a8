"""Apache Kafka's jars: fetched once by their Maven coordinates, checked against the committed sha256 sums."""

import fcntl
import hashlib
import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from svc.machine.errors import MachineError
from svc.machine.progress import Say

LOCK = Path(__file__).parent / "kafka_jars" / "jgo.lock.toml"
_KAFKA = "org.apache.kafka"


class Jar(NamedTuple):
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file name, which is unique among the locked jars."""
        return f"{self.artifact}-{self.version}.jar"


def locked(lock: Path) -> list[Jar]:
    """The jars in class path order; MachineError if they mix versions of Kafka."""
    rows = tomllib.loads(lock.read_text())["dependencies"]
    jars = [Jar(row["groupId"], row["artifactId"], row["version"], row["sha256"]) for row in rows]
    versions = {jar.version for jar in jars if jar.group == _KAFKA}
    if len(versions) != 1:
        raise MachineError(f"{lock} mixes versions of Apache Kafka ({sorted(versions)}): resolve it anew.")
    return jars


def install(downloads: Path, say: Say, *, lock: Path = LOCK) -> list[Path]:
    """The jars' files, in class path order, fetched if they are not there yet.

    A file gets its name only after its sum was checked, so what is there is right. Several processes
    may do this at once. MAVEN_MIRROR names another repository than Maven Central.
    """
    jars = locked(lock)
    version = next(jar.version for jar in jars if jar.group == _KAFKA)
    folder = downloads / f"kafka-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        missing = [jar for jar in jars if not (folder / jar.file).exists()]
        if missing:
            say(f"fetching Apache Kafka {version} ({len(missing)} jars, 44 MB)")
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda jar: _fetch(jar, folder), missing))
    return [folder / jar.file for jar in jars]


def _fetch(jar: Jar, folder: Path) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 - takes 0.3 s, only for a first start

    mirror = os.environ.get("MAVEN_MIRROR")
    context = MavenContext(
        repo_cache=folder / "fetched",
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=60,
    )
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    fetched = artifact.cached_path
    if fetched is None:
        raise AssertionError("jgo has no file for an artifact in its own cache")
    # A part of an interrupted download: jgo would not write over it.
    fetched.unlink(missing_ok=True)
    try:
        context.resolver.download(artifact)
    except (OSError, RuntimeError) as error:
        raise MachineError(
            f"{jar.file} could not be fetched from {mirror or 'Maven Central'} ({error}). Check the "
            "network, set MAVEN_MIRROR to a Maven repository you reach, or set KAFKA_BOOTSTRAP to an "
            "Apache Kafka that runs already."
        ) from error
    found = hashlib.sha256(fetched.read_bytes()).hexdigest()
    if found != jar.sha256:
        fetched.unlink()
        raise MachineError(
            f"{jar.file} from {mirror or 'Maven Central'} is not the file that was locked: sha256 is {found} "
            f"and not {jar.sha256}. It was thrown away; do not use that source."
        )
    fetched.replace(folder / jar.file)
