"""Reviews in one small file that survives crashes (SQLite), and what is to be sent because of them.

What an answer sends is written in the same transaction as the answer, and taken out once Kafka has it. So it
is sent at least once; and orders, voids and notes that come twice change nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path

from schemas.control import Outcome
from stream.api.reviews.wanted import Condition, Order

_TABLES = """
create table if not exists reviews (
  review_id text primary key, alert_id text not null, rider_id text not null, platform text,
  asked_by text not null, kind text not null, policy text not null, "limit" text not null,
  hold_from text, hold_ended integer not null, text text not null, asked_s integer not null,
  due_s integer not null, outcome text, reason text, answered_s integer
) strict;
create index if not exists of_alert on reviews (alert_id);
create index if not exists open_ones on reviews (due_s) where outcome is null;
create table if not exists outbox (
  number integer primary key autoincrement, topic text not null, key blob not null, value blob not null
) strict;
"""
_LOCKED_S = 10.0


class ReviewsRefused(ValueError):
    """A file that cannot be used; the message names it."""


class AlreadyAnswered(Exception):
    """A review has its outcome."""


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A review; ``platform`` is that of who asked, None for roles that see all. Epoch seconds."""

    review_id: str
    alert_id: str
    rider_id: str
    platform: str | None
    asked_by: str
    kind: str
    policy: str
    limit: str
    hold_from: str | None
    hold_ended: int
    text: str
    asked_s: int
    due_s: int
    outcome: Outcome | None = None
    reason: str | None = None
    answered_s: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be sent: ``topic`` is a role of the settings, ``control`` or ``source``."""

    topic: str
    key: bytes
    value: bytes
    number: int = 0


_ALL, _FIRST_DUE = Condition(), Order()
_COLUMNS = ", ".join(f'"{one.name}"' for one in fields(StoredReview))
_PLACES = ", ".join("?" for _ in fields(StoredReview))


class ReviewStore:
    """Reviews of one file; several processes of one machine may share it.

    Raises
    ------
    ReviewsRefused
        The file is no store of reviews, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=_LOCKED_S, check_same_thread=False, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            # What has been answered to a caller is on the disk.
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise ReviewsRefused(f"{path}: is no file of reviews, or cannot be written: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def open(self, review: StoredReview, sends: Sequence[Outgoing]) -> StoredReview:
        """Enter a review; one of the same asker on the same alert that is open already is given back."""
        with self._transaction():
            # A platform may be called like a role.
            asker = "alert_id = ? and asked_by = ? and platform is ? and outcome is null"
            found = self._select(Condition(asker, (review.alert_id, review.asked_by, review.platform)))
            if found:
                return found[0]
            self._db.execute(f"insert into reviews ({_COLUMNS}) values ({_PLACES})", astuple(review))  # noqa: S608
            self._send(sends)
        return review

    def answer(
        self, review_id: str, outcome: Outcome, reason: str, at_s: int, sends: Sequence[Outgoing]
    ) -> StoredReview:
        """Give a review its outcome, and enter what is to be sent.

        Raises
        ------
        AlreadyAnswered
            It has one.
        KeyError
            There is no such review.
        """
        with self._transaction():
            found = self._select(Condition("review_id = ?", (review_id,)))
            if not found:
                raise KeyError(review_id)
            if found[0].outcome is not None:
                raise AlreadyAnswered(review_id)
            self._db.execute(
                "update reviews set outcome = ?, reason = ?, answered_s = ? where review_id = ?",
                (outcome, reason, at_s, review_id),
            )
            self._send(sends)
        return replace(found[0], outcome=outcome, reason=reason, answered_s=at_s)

    def one(self, review_id: str, seen: Condition = _ALL) -> StoredReview | None:
        """A review, if it is among those that the caller sees."""
        with self._lock:
            found = self._select(Condition("review_id = ?", (review_id,)).also(seen))
        return found[0] if found else None

    def of_alert(self, alert_id: str, seen: Condition) -> list[StoredReview]:
        """Reviews of an alert."""
        with self._lock:
            return self._select(Condition("alert_id = ?", (alert_id,)).also(seen))

    def page(self, wanted: Condition, order: Order, most: int) -> tuple[int, list[StoredReview]]:
        """How many are wanted in all, and some of them, behind where the page before ended."""
        with self._lock:
            (count,) = self._db.execute(
                f"select count(*) from reviews where {wanted.text}",  # noqa: S608
                wanted.values,
            ).fetchone()
            return int(count), self._select(wanted.also(order.behind()), order, most)

    def tally(self, now_s: int) -> list[tuple[str, int, int]]:
        """Reviews that are in time, overdue, or have an outcome: how many, and of how many riders."""
        with self._lock:
            return self._db.execute(
                "select coalesce(outcome, case when due_s < ? then 'overdue' else 'in_time' end) as state, "
                "count(*), count(distinct rider_id) from reviews group by state",
                (now_s,),
            ).fetchall()

    def counts(self, now_s: int) -> tuple[int, int, int | None]:
        """How many are open, how many of these are overdue, and when the first is due."""
        with self._lock:
            (count, late, first) = self._db.execute(
                "select count(*), coalesce(sum(due_s < ?), 0), min(due_s) from reviews where outcome is null",
                (now_s,),
            ).fetchone()
        return int(count), int(late), first

    def outgoing(self, most: int) -> list[Outgoing]:
        """What is to be sent, in its order."""
        with self._lock:
            rows = self._db.execute(
                "select topic, key, value, number from outbox order by number limit ?", (most,)
            ).fetchall()
        return [Outgoing(*row) for row in rows]

    def sent(self, number: int) -> None:
        """Kafka has it."""
        with self._transaction():
            self._db.execute("delete from outbox where number = ?", (number,))

    def _send(self, sends: Sequence[Outgoing]) -> None:
        rows = [(one.topic, one.key, one.value) for one in sends]
        self._db.executemany("insert into outbox (topic, key, value) values (?, ?, ?)", rows)

    def _select(self, wanted: Condition, order: Order = _FIRST_DUE, most: int = -1) -> list[StoredReview]:
        rows = self._db.execute(
            f"select {_COLUMNS} from reviews where {wanted.text} "  # noqa: S608
            f"order by {order.expression}, review_id limit ?",
            (*wanted.values, most),
        ).fetchall()
        return [StoredReview(*row) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")


def plain(review: StoredReview) -> dict[str, object]:
    """A review as names and values."""
    return asdict(review)
