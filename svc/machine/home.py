"""Where the machine keeps its downloads, data, logs and secrets."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO

from svc.machine.errors import MachineError

_ROOT = Path(__file__).parents[2]


def default_path() -> Path:
    """The folder named by SVC_HOME, else `.svc` in the checkout (in the home folder if there is none)."""
    if configured := os.environ.get("SVC_HOME"):
        return Path(configured).expanduser().resolve()
    return (_ROOT if (_ROOT / "pyproject.toml").exists() else Path.home()) / ".svc"


class Home:
    """The folder of one machine: everything in it can be removed when nothing runs.

    Downloads may be shared by several homes; all else belongs to the one process that holds `lock`.
    """

    def __init__(self, path: Path | None = None, *, downloads: Path | None = None) -> None:
        self.path = (path or default_path()).resolve()
        self.downloads = downloads or self.path / "downloads"
        self.kafka = self.path / "kafka"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self._lock: IO[str] | None = None

    def prepare(self) -> None:
        """Make the folders; MachineError if that is not possible."""
        try:
            for folder in (self.path, self.downloads, self.kafka, self.postgres, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".writable-{os.getpid()}"
                probe.touch()
                probe.unlink()
            # PostgreSQL runs as another user when we are root: it must get through to its folder.
            if os.geteuid() == 0:
                for folder in (self.path, self.postgres):
                    folder.chmod(folder.stat().st_mode | 0o111)
        except OSError as error:
            raise MachineError(
                f"{error.filename or self.path} cannot be written ({error.strerror}). Make it writable, "
                "or set SVC_HOME to a folder that is."
            ) from error

    def lock(self) -> None:
        """Take this home for this process until `unlock` or its end; MachineError if another has it."""
        file = (self.path / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise MachineError(
                f"{self.path} is in use by process {holder}: stop it first, "
                "or set SVC_HOME to another folder for a second machine."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def unlock(self) -> None:
        """Let the next process have this home; the file stays, for removing it would race."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def passwords(self, names: list[str]) -> dict[str, str]:
        """A lasting random password for each name, kept in a file that only its owner can read."""
        file = self.path / "passwords.json"
        kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        missing = [name for name in names if name not in kept]
        if missing:
            kept |= {name: secrets.token_urlsafe(24) for name in missing}
            write_private(file, json.dumps(kept, indent=1))
        return {name: kept[name] for name in names}


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    new.replace(file)
