"""The desks that Engage knows in a home: `desks.json`, which `svc desk add` writes and `svc up` reads."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_settings import SettingsError

from contracts.values import Slug
from svc.machine.home import write_private
from svc.trouble import Trouble

FILE, SETTING = "desks.json", "SVC_DESKS"
Json = dict[str, Any]


def kept(home: Path) -> dict[str, Json]:
    """The desks of a home by name, each as an entry of `SVC_DESKS`; `Trouble` names what is wrong with the file."""
    file = home / FILE
    try:
        return checked(file.read_bytes(), str(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def keep(home: Path, name: str, desk: Json | None) -> Path:
    """Add a desk to them, or put it in the place of one of that name; None forgets it. The file is for its owner."""
    desks = kept(home) | {name: desk}
    found = orjson.dumps({one: about for one, about in desks.items() if about is not None}, option=orjson.OPT_INDENT_2)
    checked(found, f"The desk {name!r}")
    home.mkdir(parents=True, exist_ok=True)
    write_private(home / FILE, found.decode())
    return home / FILE


def known(home: Path) -> str:
    """What Engage is told, as `SVC_DESKS`: those of the home, and those of the environment, which win. Empty: none."""
    said = os.environ.get(SETTING, "")
    desks = kept(home) | (checked(said.encode(), SETTING) if said else {})
    return orjson.dumps(desks).decode() if desks else ""


def stamp(home: Path) -> float:
    """When the file was changed last; 0 if there is none."""
    try:
        return (home / FILE).stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return 0


def checked(text: bytes, where: str) -> dict[str, Json]:
    """Desks as Engage would take them; `Trouble` says what it would not take, and never shows a secret."""
    try:
        desks: dict[str, Json] = orjson.loads(text)
        _taken().validate_python(desks)
    except orjson.JSONDecodeError as error:
        raise Trouble(f"{where} is no JSON: {error}.") from None
    except ValidationError as error:
        wrong = "; ".join(_fault(one) for one in error.errors(include_input=False, include_url=False))
        raise Trouble(f"{where} is of no use to Engage: {wrong}") from None
    return desks


@cache
def _taken() -> TypeAdapter[Any]:
    """What Engage takes as `SVC_DESKS`; its module reads that setting when it is loaded."""
    try:
        from services.engage.notices import Desk  # noqa: PLC0415 - what is set may be wrong
    except (ValidationError, SettingsError) as error:
        raise Trouble(f"{SETTING}, as it is set in this shell, is of no use: unset or correct it. {error}") from None
    return TypeAdapter(dict[Slug, Desk])


def _fault(one: Mapping[str, Any]) -> str:
    place = ".".join(map(str, one["loc"]))
    return f"{place}: {str(one['msg']).removeprefix('Value error, ')}" if place else str(one["msg"])
