"""How much memory a process and its children take."""

from pathlib import Path

import psutil

_MIB = 2**20


def of_tree(pid: int) -> float:
    """MiB of a process and all its descendants; 0 if it is gone.

    Linux: the proportional set size, in which a page shared by n processes counts 1/n in each, so
    that PostgreSQL's shared buffers are not counted once per connection. Elsewhere: resident size.
    """
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_of_process, tree)) / _MIB


def _of_process(process: psutil.Process) -> int:
    """Bytes of one process; 0 if it ended meanwhile."""
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # no such file on this system, not ours to read, or the process is gone
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
