"""The second oracle on the worked examples."""

from __future__ import annotations

import pytest

from . import judge
from .examples import EXAMPLES, brief, clock_s, events, expected, policy


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_oracle_gives_the_alerts_of_the_example(number: int) -> None:
    example = EXAMPLES[number]
    result = judge(events(example), [policy(example)], clock_s(example.now))
    assert sorted(map(brief, result.alerts), key=str) == sorted(expected(example), key=str)
