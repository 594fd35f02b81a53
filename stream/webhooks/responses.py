"""What the answer of an HTTP endpoint means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from stream.delivery.destination import Meaning

_GONE, _REQUEST_TIMEOUT, _TOO_MANY, _UNAVAILABLE = 410, 408, 429, 503
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended.

    Parameters
    ----------
    status
        HTTP's; None when there was no answer.
    detail
        In words, for people; made of at most the first of the body.
    retry_after
        The header, as it came.
    """

    status: int | None
    detail: str
    retry_after: str | None = None

    @property
    def meaning(self) -> Meaning:
        """2xx is delivered, 410 is goodbye, other 4xx (not 408, 429) are for good; the rest may pass."""
        status = self.status
        if status is None or status in (_REQUEST_TIMEOUT, _TOO_MANY):
            return Meaning.RETRY
        if status == _GONE:
            return Meaning.GONE
        if 200 <= status < 300:
            return Meaning.DELIVERED
        return Meaning.REFUSED if 400 <= status < 500 else Meaning.RETRY

    def asked_wait_s(self, now_s: float, longest_s: float) -> float:
        """Seconds that a 429 or 503 asks to be left alone, at most ``longest_s``; else 0."""
        if self.status not in (_TOO_MANY, _UNAVAILABLE) or self.retry_after is None:
            return 0.0
        return min(longest_s, max(0.0, _retry_after_s(self.retry_after.strip(), now_s)))


def _retry_after_s(text: str, now_s: float) -> float:
    """RFC 9110, 10.2.3: seconds, or a date; what is neither asks for nothing."""
    if text.isascii() and text.isdigit():
        return float(text[:_MOST_DIGITS]) if len(text) <= _MOST_DIGITS else float("inf")
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now_s
