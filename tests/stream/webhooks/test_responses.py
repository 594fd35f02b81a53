"""What answers mean and how long the next attempt waits."""

from __future__ import annotations

import random

import pytest

from stream.delivery.destination import Meaning, backoff_s
from stream.webhooks.config import Retry
from stream.webhooks.responses import Answer

NOW_S = 1_790_000_000.0


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Meaning.DELIVERED), (204, Meaning.DELIVERED), (299, Meaning.DELIVERED),
        (301, Meaning.RETRY), (307, Meaning.RETRY), (None, Meaning.RETRY),
        (400, Meaning.REFUSED), (401, Meaning.REFUSED), (404, Meaning.REFUSED), (499, Meaning.REFUSED),
        (408, Meaning.RETRY), (429, Meaning.RETRY), (410, Meaning.GONE),
        (500, Meaning.RETRY), (503, Meaning.RETRY), (599, Meaning.RETRY),
    ],
)  # fmt: skip
def test_a_status_says_what_to_do(status: int | None, meaning: Meaning) -> None:
    assert Answer(status, "").meaning is meaning


@pytest.mark.parametrize(
    ("status", "header", "wait_s"),
    [
        (429, "7", 7.0), (503, " 7 ", 7.0), (429, "0", 0.0), (429, "9999999999999", 300.0),
        (500, "7", 0.0), (200, "7", 0.0), (429, None, 0.0),
        (429, "soon", 0.0), (429, "-5", 0.0), (429, "1.5", 0.0), (429, "٧", 0.0),
        (503, "Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
        (503, "Mon, 21 Sep 2026 14:13:10 GMT", 0.0),
        (503, "Mon, 21 Sep 2099 14:13:10 GMT", 300.0),
    ],
)  # fmt: skip
def test_retry_after_is_obeyed_within_bounds(status: int, header: str | None, wait_s: float) -> None:
    assert Answer(status, "", header).asked_wait_s(NOW_S, 300.0) == wait_s


def test_the_wait_is_anything_up_to_a_bound_that_doubles_and_ends() -> None:
    retry = Retry.model_validate({"first": "1s", "longest": "1min"})
    chance = random.Random(1)
    for attempts, bound_s in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (900, 60)]:
        waits = [backoff_s(retry, attempts, chance) for _ in range(400)]
        assert 0 <= min(waits) < 0.05 * bound_s
        assert 0.95 * bound_s < max(waits) <= bound_s
