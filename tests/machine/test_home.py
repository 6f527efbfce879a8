import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from svc.machine.errors import MachineError
from svc.machine.home import Home

HOLDER = """
import sys, time
from pathlib import Path
from svc.machine.home import Home
home = Home(Path(sys.argv[1]))
home.prepare()
home.lock()
print("locked", flush=True)
time.sleep(60)
"""


def test_the_home_is_where_svc_home_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SVC_HOME", str(tmp_path / "there"))
    assert Home().path == tmp_path / "there"
    monkeypatch.delenv("SVC_HOME")
    assert Home().path == Path(__file__).parents[2] / ".svc"


def test_a_home_in_use_is_refused_until_its_process_is_gone_even_by_kill(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        home = Home(tmp_path)
        with pytest.raises(MachineError, match=f"in use by process {holder.pid}.*SVC_HOME"):
            home.lock()
        holder.kill()
    home.lock()
    assert (tmp_path / "lock").read_text() == str(os.getpid())
    home.unlock()


def test_a_home_that_cannot_be_made_is_told_with_its_path_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match=f"{tmp_path}/file.*set SVC_HOME"):
        Home(tmp_path / "file" / "home").prepare()


def test_passwords_last_differ_and_are_private(tmp_path: Path) -> None:
    first = Home(tmp_path).passwords(["plan", "engage"])
    again = Home(tmp_path).passwords(["engage", "improve"])
    assert first["engage"] == again["engage"]
    assert len({*first.values(), *again.values()}) == 3
    assert stat.S_IMODE((tmp_path / "passwords.json").stat().st_mode) == 0o600
