"""The bound of a state (`check`, written as SQL), evaluated without a database, as PostgreSQL would.

Comparisons, arithmetic, AND, OR, NOT, IN and IS NULL over the state's own columns; anything else is refused when the
simulation starts, because a bound that is passed over proves nothing.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import CheckConstraint

from services.chassis.state import State

WORDS = (
    (re.compile(r"<>"), "!="), (re.compile(r"(?<![<>!=])=(?!=)"), "=="),
    (re.compile(r"\bIS\s+NOT\s+NULL\b", re.I), "is not None"), (re.compile(r"\bIS\s+NULL\b", re.I), "is None"),
    (re.compile(r"\bAND\b", re.I), "and"), (re.compile(r"\bOR\b", re.I), "or"), (re.compile(r"\bNOT\b", re.I), "not"),
    (re.compile(r"\bIN\b", re.I), "in"),
)  # fmt: skip
"""SQL's words, and Python's for the same."""
OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.In: lambda one, several: one in several,
    ast.NotIn: lambda one, several: one not in several,
}  # fmt: skip
READABLE = (
    ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Constant, ast.Tuple, ast.Load,
    ast.And, ast.Or, ast.Not, ast.USub, ast.Is, ast.IsNot, *OPERATORS,
)  # fmt: skip

NOTHING_ELSE: dict[str, Any] = {"__builtins__": {}}
"""What a bound knows besides its columns."""


class BoundBroken(Exception):  # noqa: N818 - it says what has happened to the row
    """A row that its database would not have taken."""


class Bound:
    """One bound of a state; `ValueError` if it cannot be read here."""

    def __init__(self, state: type[State[Any]], sql: str) -> None:
        self.sql = sql
        apart = re.split(r"('[^']*')", sql)
        for word, ours in WORDS:
            apart[::2] = [word.sub(ours, part) for part in apart[::2]]
        try:
            self._tree = ast.parse("".join(apart).strip(), mode="eval").body
        except SyntaxError:
            raise ValueError(f"{state.__name__}: the bound {sql!r} cannot be read by the simulation") from None
        self._columns = set[str]()
        for node in ast.walk(self._tree):
            column = node.id if isinstance(node, ast.Name) else None
            if not isinstance(node, READABLE) or (column and column not in state.model_fields):
                what = column or type(node).__name__
                raise ValueError(f"{state.__name__}: the bound {sql!r}: the simulation cannot read {what}")
            self._columns |= {column} if column else set()
        self._code = compile(ast.Expression(self._tree), sql, "eval")

    def holds(self, row: State[Any]) -> bool:
        """Whether the row may be so; what is unknown because of a NULL may."""
        columns = row.__dict__
        for column in self._columns:
            if columns[column] is None:
                return _value(self._tree, row) is not False
        return bool(eval(self._code, NOTHING_ELSE, columns))  # without a NULL, Python comes to what SQL does


def bounds_of(state: type[State[Any]]) -> tuple[Bound, ...]:
    """The bounds that a state declares."""
    table: Any = state.rows()
    found = (constraint for constraint in table.__table__.constraints if isinstance(constraint, CheckConstraint))
    return tuple(Bound(state, str(constraint.sqltext)) for constraint in found)


def _value(node: ast.AST, row: State[Any]) -> Any:
    """What a part of the bound comes to; None is unknown, as in SQL."""
    match node:
        case ast.Name(id=column):
            return getattr(row, column)
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=parts):
            return tuple(_value(part, row) for part in parts)
        case ast.BoolOp(op=joined, values=parts):
            found, decisive = [_value(part, row) for part in parts], isinstance(joined, ast.Or)
            if any(one is decisive for one in found):
                return decisive
            return None if None in found else not decisive
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return None if (inner := _value(part, row)) is None else not inner
        case ast.UnaryOp(operand=part):
            return None if (inner := _value(part, row)) is None else -inner
        case ast.BinOp(left=left, op=how, right=right):
            return _both(OPERATORS[type(how)], _value(left, row), _value(right, row))
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as how], comparators=[right]):
            return (_value(left, row) is _value(right, row)) is isinstance(how, ast.Is)
        case ast.Compare(left=left, ops=[how], comparators=[right]):
            return _both(OPERATORS[type(how)], _value(left, row), _value(right, row))
    raise ValueError(f"a bound with {ast.unparse(node)}")


def _both(how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    return None if left is None or right is None else how(left, right)
