import os
import subprocess
import sys

from svc.machine import Machine, memory


def test_memory_counts_a_process_and_its_children() -> None:
    hungry = "x = bytearray(b'x' * 50_000_000); print('full', flush=True); input()"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "full\n"
        assert 50 < memory.of_tree(parent.pid) < 150
        assert memory.of_tree(os.getpid()) > memory.of_tree(parent.pid)
        parent.communicate("\n")
    assert memory.of_tree(parent.pid) == 0


async def test_a_machine_tells_what_its_servers_take(machine: Machine) -> None:
    taken = machine.memory()
    assert 50 < taken["kafka"] < 700
    assert 5 < taken["postgres"] < 200
