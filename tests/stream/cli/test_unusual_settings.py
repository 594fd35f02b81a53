"""Settings that are allowed and that no service would want are said to be."""

from __future__ import annotations

import pytest

from stream.cli.unusual_settings import doubts
from stream.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"max_open_order": "3s"},
            "max_open_order (RESPITE_MAX_OPEN_ORDER) = 3s: so long",
        ),
        ({"lateness": "24s"}, "lateness (RESPITE_LATENESS) = 24s: most events will be refused as too_late"),
        ({"keep": "1d", "lateness": "72h"}, "a rider is forgotten while his events may still come"),
    ],
)
def test_a_value_that_no_service_would_want_is_warned_of(options: dict[str, str], said: str) -> None:
    assert said in "\n".join(doubts(load_settings(**options)))


def test_the_defaults_are_not_warned_of() -> None:
    assert doubts(Settings()) == []
