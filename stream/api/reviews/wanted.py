"""Which reviews a caller may see, and which of them are asked for, as conditions of SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from stream.api.access.roles import Caller
from stream.api.documents.cursor import Cursor, read_cursor

State = Literal["open", "overdue", "answered", "all"]
Sort = Literal["due", "-asked"]
#: Answered ones come after all that are open: no instant is as late as this.
_BEHIND_S = 1 << 40
#: What a line is sorted by; the review's id follows.
_ORDER: dict[Sort, str] = {"due": f"due_s + (outcome is not null) * {_BEHIND_S}", "-asked": "-asked_s"}


class Condition(NamedTuple):
    """A condition, and the values of its question marks."""

    text: str = "true"
    values: tuple[object, ...] = ()

    def also(self, *more: Condition) -> Condition:
        """Both it and the others."""
        every = [self, *more]
        return Condition(
            " and ".join(f"({one.text})" for one in every),
            tuple(value for one in every for value in one.values),
        )


def own(caller: Caller) -> Condition:
    """What a caller may see: a platform and a rider those that they have asked for, other roles all.

    The role of who asked stands beside the name: a platform may be called like a role.
    """
    if caller.platform is not None:
        return Condition("platform = ?", (caller.platform,))
    if caller.rider is not None:
        return Condition("platform is null and asked_by = ? and rider_id = ?", (caller.role, caller.rider))
    return Condition()


@dataclass(frozen=True, slots=True)
class WantedReviews:
    """Which reviews; None or empty: all. ``text`` is part of a rider's id."""

    state: State = "all"
    text: str = ""
    asked_by: str | None = None
    kind: str | None = None
    limit: str | None = None

    def condition(self, now_s: int) -> Condition:
        """As SQL."""
        found = [Condition("instr(rider_id, ?) > 0", (self.text,))] if self.text else []
        named = {"asked_by": self.asked_by, "kind": self.kind}
        found += [Condition(f"{column} = ?", (value,)) for column, value in named.items() if value]
        if self.limit is not None:
            limit = '"limit" = ? or policy || \'/\' || "limit" = ?'
            found.append(Condition(limit, (self.limit, self.limit)))
        return _of_state(self.state, now_s).also(*found)


def _of_state(state: State, now_s: int) -> Condition:
    if state == "overdue":
        return Condition("outcome is null and due_s < ?", (now_s,))
    return Condition({"open": "outcome is null", "answered": "outcome is not null", "all": "true"}[state])


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted, and behind which line it begins."""

    sort: Sort = "due"
    after: Cursor | None = None

    @classmethod
    def of(cls, sort: Sort, cursor: str | None) -> Order:
        """As a caller asks for it.

        Raises
        ------
        InvalidCursor
            When the cursor is none of a list sorted like this.
        """
        return cls(sort, None if cursor is None else read_cursor(cursor, sort))

    @property
    def expression(self) -> str:
        """What lines are sorted by, as SQL."""
        return _ORDER[self.sort]

    def behind(self) -> Condition:
        """The lines that follow."""
        if self.after is None:
            return Condition()
        return Condition(f"({self.expression}, review_id) > (?, ?)", (self.after.value, self.after.last))

    def cursor(self, due_s: int, asked_s: int, last: str, *, is_open: bool) -> str:
        """The place behind a line."""
        value = -asked_s if self.sort == "-asked" else due_s + (0 if is_open else _BEHIND_S)
        return Cursor(self.sort, value, last).written()
