import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from svc.machine import jars
from svc.machine.errors import MachineError


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a Maven repository on this machine, which MAVEN_MIRROR names."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Repository(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]  # as called by the server

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Repository)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("MAVEN_MIRROR", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()


CONTENT = b"the right jar"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of one jar."""
    file = tmp_path / "jgo.lock.toml"
    file.write_text(locked_jar("kafka", "9.9"))
    return file


def locked_jar(artifact: str, version: str) -> str:
    return f"""
[[dependencies]]
groupId = "org.apache.kafka"
artifactId = "{artifact}"
version = "{version}"
sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
"""


def publish(mirror: Path, content: bytes) -> Path:
    file = mirror / "org/apache/kafka/kafka/9.9/kafka-9.9.jar"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def silent(text: str) -> None:
    pass


def test_the_committed_lock_is_of_one_kafka_and_has_a_sum_for_each_jar() -> None:
    found = jars.locked(jars.LOCK)
    assert {jar.version for jar in found if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert all(len(jar.sha256) == 64 for jar in found)
    assert len({jar.file for jar in found}) == len(found)


def test_a_lock_that_mixes_versions_of_kafka_is_refused(lock: Path) -> None:
    lock.write_text(locked_jar("kafka", "4.3.1") + locked_jar("kafka-clients", "3.9.1"))
    with pytest.raises(MachineError, match=r"3\.9\.1.*4\.3\.1"):
        jars.locked(lock)


def test_jars_are_fetched_once(mirror: Path, lock: Path, tmp_path: Path) -> None:
    published = publish(mirror, CONTENT)
    said: list[str] = []
    for _ in range(2):
        (jar,) = jars.install(tmp_path / "downloads", said.append, lock=lock)
        assert jar.read_bytes() == CONTENT
        published.unlink(missing_ok=True)
    assert len(said) == 1


def test_a_jar_with_another_sum_is_thrown_away(mirror: Path, lock: Path, tmp_path: Path) -> None:
    publish(mirror, b"a changed jar")
    with pytest.raises(MachineError, match="not the file that was locked"):
        jars.install(tmp_path / "downloads", silent, lock=lock)
    publish(mirror, CONTENT)
    (jar,) = jars.install(tmp_path / "downloads", silent, lock=lock)
    assert jar.read_bytes() == CONTENT


def test_a_source_without_the_jar_is_told_with_the_ways_out(mirror: Path, lock: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"MAVEN_MIRROR.*KAFKA_BOOTSTRAP"):
        jars.install(tmp_path / "downloads", silent, lock=lock)
