"""The state of an activity: typed rows that handlers change, and the SQLModel tables derived from them.

A row that a handler gets is a plain pydantic object (1.2 us to load; an instance of a SQLModel table costs 34).
`rows()` is its table, for the read side: `select(Budget.rows()).where(Budget.rows().spent > 0)`.
`Case` is the chassis's own state.
"""

import types
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, DateTime, Double, Text, Uuid
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from contracts.event import dashed

Id = TypeVar("Id")
MetaClass: Any = type(SQLModel)  # makes a table class from a body of columns
Row = TypeVar("Row", bound="State[Any]")

READ = "read"
Read = Annotated[Row, READ]
"""A row that is only looked at: unlocked, unguarded; a handler that changes one is refused."""
ONE = "="
"""`by=ONE`: the state has a single row, with the id `ONE_ROW`."""
ONE_ROW = "the"


class State(BaseModel, Generic[Id]):
    """One row of an activity's state, found by the message's field `by`; a row that is missing is one with defaults.

    `shared=True` when other cases change the row too (it is then locked for the batch); `check` is its bound, as SQL.
    Columns hold immutable values, because a change inside a list would go unseen.
    """

    id: Id
    version: int = 0
    by: ClassVar[str] = ""
    shared: ClassVar[bool] = False
    table: ClassVar[str] = ""
    _rows: ClassVar[Any] = None
    _many: ClassVar[TypeAdapter[list[Any]]]

    def __init_subclass__(cls, **keywords: Any) -> None:  # pydantic hands the keywords to the next one as well
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, *, by: str = "", shared: bool = False, check: str = "", **others: Any) -> None:
        if by:
            cls.by, cls.shared = by, shared
            cls.table = vars(cls).get("table") or dashed(cls.__name__).replace("-", "_")
            cls._rows, cls._many = _derive_table(cls, check), TypeAdapter(list[cls])  # type: ignore[valid-type]

    def __setattr__(self, name: str, value: object) -> None:
        """As pydantic's own, a third of the time; columns are not validated when a handler sets them: mypy has."""
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no column '{name}'")
        self.__dict__[name] = value

    @classmethod
    def rows(cls) -> type[Self]:
        """The SQLModel table, for `select`."""
        return cast("type[Self]", cls._rows)

    @classmethod
    def load(cls, rows: bytes | None) -> dict[Any, Self]:
        """Rows by id, from a JSON array (None: no row)."""
        return {row.id: row for row in cls._many.validate_json(rows, extra="ignore")} if rows else {}

    @classmethod
    def dump(cls, rows: list[Self]) -> bytes:
        """Rows as a JSON array."""
        return cls._many.dump_json(rows)


@cache
def base(package: str) -> Any:
    """The base of the tables of a package (`services.plan`); its `metadata` has those whose states are imported.

    Each package has one of its own: two activities may own a table of one name in one process.
    """
    return MetaClass("Table", (SQLModel,), {"__module__": package}, registry=registry())


def _derive_table(state: type[State[Any]], check: str) -> Any:
    package = state.__module__.rpartition(".")[0] or state.__module__
    body: dict[str, Any] = {"__module__": state.__module__, "__tablename__": state.table}
    body["__table_args__"] = (CheckConstraint(check, name=f"{state.table}_bound"),) if check else ()
    body["__annotations__"] = {name: field.annotation for name, field in state.model_fields.items()}
    for name, field in state.model_fields.items():
        kind, nullable = _column_type(f"{state.__name__}.{name}", field.annotation)
        column = Column(name, kind, primary_key=name == "id", nullable=nullable)
        body[name] = Field(default=field.default, sa_column=column)
    return MetaClass(f"{state.__name__}Row", (base(package),), body, table=True)


PLAIN = {UUID: Uuid(), bool: Boolean(), int: BigInteger(), float: Double(), str: Text(), datetime: DateTime(True)}


def _column_type(name: str, annotation: Any) -> tuple[Any, bool]:
    """The column's type and whether it may be null. `TypeError` for a value that could change in place."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _column_type(name, arguments[0])
    if origin in (Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        return _column_type(name, next(a for a in arguments if a is not type(None)))[0], True
    if annotation in PLAIN:
        return PLAIN[annotation], False
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return Text(), False
    if origin is tuple or getattr(annotation, "model_config", {}).get("frozen"):
        return JSON(), False
    raise TypeError(f"{name}: {annotation} cannot be a column; state holds immutable values: tuples, frozen models")


class Case(State[str], by="case"):
    """What the chassis knows about a case: how many events this activity has told of it, and whether it is parked."""

    table: ClassVar[str] = "cases"
    sequence: int = 0
    parked_by: UUID | None = None
    """The record that could not be handled; later ones of the case wait behind it."""
    stream: str = ""
    """The value stream of its first message, for commands that come without one."""
    traceparent: str = ""
    """The trace of its first message: a later command about the case continues it."""
