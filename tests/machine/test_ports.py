import os
import socket

import pytest

from svc.machine import ports
from svc.machine.errors import MachineError


def test_free_ports_differ_and_can_be_listened_on() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    assert all(map(ports.is_free, found))


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
