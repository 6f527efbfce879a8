"""Becomes, or guards, a child process that must not outlive its parent. Run as a script, before any import of ours.

    python -I -S launch.py PARENT SIGNAL UID:GID|- PIPE|- command ...

Without a pipe (Linux) the kernel is asked to send SIGNAL to the command when its parent dies. With a pipe
this process stays: the pipe's other end is closed by the parent's death, and then it ends the command.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
_PATIENCE = 10.0
"""Seconds a guarded command has to end after its signal."""


def _become(command: list[str], parent: int, ending: int) -> None:
    """Turn into the command, to be signalled when the parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ending)
    # The parent may have died before that call; then nobody is left to signal us.
    if os.getppid() != parent:
        sys.exit(f"the parent process {parent} has ended")
    os.execv(command[0], command)


def _guard(command: list[str], pipe: int, ending: int) -> int:
    """Run the command until it ends or the pipe closes; its exit code, as a shell gives it."""
    child = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda received, _: child.send_signal(received))

    def end_with_parent() -> None:
        os.read(pipe, 1)
        child.send_signal(ending)
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=end_with_parent, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _main() -> int:
    parent, ending, user, pipe, *command = sys.argv[1:]
    if user != "-":
        uid, gid = map(int, user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # Only now: a change of user makes the kernel forget whom to signal at a parent's death.
    if pipe == "-":
        _become(command, int(parent), int(ending))
    return _guard(command, int(pipe), int(ending))


if __name__ == "__main__":
    sys.exit(_main())
