import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from svc.machine import ports
from svc.machine.errors import MachineError


def test_free_ports_differ_and_can_be_listened_on() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    assert all(map(ports.is_free, found))


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[range]:
    """The only ports there are, and a place of the test's own for their claims."""
    few = range(32_000, 32_006)
    monkeypatch.setattr(ports, "_RANGE", few)
    monkeypatch.setattr(ports, "_chosen", set())
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    ports._claims.cache_clear()
    yield few
    ports._claims.cache_clear()


def test_of_two_processes_that_choose_at_the_same_time_none_gets_the_others_ports(few: range) -> None:
    program = f"from svc.machine import ports; ports._RANGE = {few!r}; print(*ports.free(3), flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin is not None
    assert other.stdout is not None
    theirs = {int(port) for port in other.stdout.readline().split()}
    ours = set(ports.free(2)) | set(ports.free(1))
    assert theirs | ours == set(few), "nobody listens yet, and all the same none is given twice"
    with pytest.raises(MachineError, match="No free port"):
        ports.free(4)
    other.communicate("\n", timeout=30)
    assert set(ports.free(6)) == set(few), "who has ended has none, and who has them all begins anew"


def test_ports_are_found_where_no_claim_can_be_written(few: range, tmp_path: Path) -> None:
    (tmp_path / f"svc-ports-{os.getuid()}").mkdir()
    assert set(ports.free(6)) == set(few)


def test_a_configured_port_that_is_free_is_taken() -> None:
    (port,) = ports.free(1)
    assert ports.configured(str(port), "SVC_KAFKA_PORT") == port


def test_a_configured_port_in_use_is_refused_with_its_user_and_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        with pytest.raises(MachineError, match=f"{port} of SVC_KAFKA_PORT.*{os.getpid()}.*another port"):
            ports.configured(str(port), "SVC_KAFKA_PORT")


@pytest.mark.parametrize("value", ["", "0", "65536", "-1", "kafka", "80.5"])
def test_a_setting_that_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(MachineError, match="no port"):
        ports.configured(value, "SVC_KAFKA_PORT")
