"""Where messages are delivered to, whatever the protocol: what an outlet must know of itself and answer."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol


class Retry(Protocol):
    """How patiently a message is tried again; waits in seconds."""

    @property
    def attempts(self) -> int:
        """How often in all, before the dead letters."""

    @property
    def first(self) -> float:
        """Longest wait before the second attempt; doubled each time."""

    @property
    def longest(self) -> float:
        """Longest wait between two attempts."""


class Destination(Protocol):
    """One receiver of a platform's alerts, and of its statuses if they are wanted."""

    @property
    def name(self) -> str:
        """Names the consumer group and the metrics."""

    @property
    def concurrency(self) -> int:
        """Most attempts at a time."""

    @property
    def max_pending(self) -> int:
        """Most messages in memory."""

    @property
    def timeout(self) -> float:
        """The longest attempt, seconds."""

    @property
    def retry(self) -> Retry:
        """How patiently a message is tried again."""

    @property
    def statuses(self) -> bool:
        """Whether dispatch statuses are wanted too."""

    @property
    def sent_kinds(self) -> frozenset[str]:
        """The kinds of alerts that are wanted."""


class Meaning(Enum):
    """What to do with a message after an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    GONE = "gone"


class Response(Protocol):
    """How an attempt ended."""

    @property
    def status(self) -> int | None:
        """The protocol's own number; None when there was no answer."""

    @property
    def detail(self) -> str:
        """In words, for people."""

    @property
    def meaning(self) -> Meaning:
        """What to do with the message now."""

    def asked_wait_s(self, now_s: float, longest_s: float) -> float:
        """Seconds that the receiver asks to be left alone, at most ``longest_s``; else 0."""


#: One attempt to deliver: the message's id and its body.
Attempt = Callable[[str, bytes], Awaitable[Response]]


def backoff_s(retry: Retry, attempts: int, chance: random.Random) -> float:
    """The wait after so many attempts: anything up to a bound that doubles (full jitter).

    References
    ----------
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    bound_s: float = min(retry.longest, retry.first * 2.0 ** min(attempts - 1, 40))
    return chance.uniform(0, bound_s)
