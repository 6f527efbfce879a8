from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from svc import running
from svc.running import Running, find
from svc.trouble import Trouble


def this_process(born: float = 0.0) -> Running:
    me = psutil.Process()
    return Running(
        pid=me.pid, born=born or me.create_time(), started=datetime.now(UTC), start_seconds=9.5,
        services={"plan": "http://127.0.0.1:1"}, page="http://127.0.0.1:2", kafka="127.0.0.1:3", speed=60,
    )  # fmt: skip


def test_a_running_chain_is_found_until_it_ends(tmp_path: Path):
    this_process().write(tmp_path)
    assert find(tmp_path) == this_process().model_copy(update={"started": find(tmp_path).started})
    running.forget(tmp_path)
    with pytest.raises(Trouble, match="No chain is running"):
        find(tmp_path)


def test_a_chain_that_was_killed_is_not_taken_for_the_process_that_has_its_number_now(tmp_path: Path):
    this_process(born=1.0).write(tmp_path)
    with pytest.raises(Trouble, match="start one with `svc up`"):
        find(tmp_path)


def test_a_file_that_is_no_longer_understood_is_no_running_chain(tmp_path: Path):
    (tmp_path / running.FILE).write_text('{"pid": 1}')
    with pytest.raises(Trouble, match="No chain is running"):
        find(tmp_path)
