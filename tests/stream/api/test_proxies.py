"""Whose word on an address is believed: `X-Forwarded-For` with and without ``--api-proxies``, as served."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.stream.api.guarded_server import Served, served

#: A guesser's bucket fills while others keep the machine busy.
pytestmark = pytest.mark.alone

#: More than a guesser's bucket holds, from one address.
GUESSES = 180


def guessed(api: Served, address: str, count: int) -> Counter[int]:
    """How so many wrong keys are answered that a proxy says come from an address."""
    wrong = {"Authorization": "Bearer no.such-key", "X-Forwarded-For": address}
    return Counter(api.get("/v1/policies", wrong)[0] for _ in range(count))


def test_a_configured_proxy_says_who_guesses(tmp_path: Path) -> None:
    with served(tmp_path, proxies="127.0.0.0/8") as api:
        assert guessed(api, "203.0.113.7", GUESSES)[429] > 0
        # Somebody else behind the same proxy is not counted with him.
        assert guessed(api, "203.0.113.8", 20) == {401: 20}
        # The proxy's own word is the last one; what a client puts before it is not believed.
        assert guessed(api, "198.51.100.1, 203.0.113.7", 5)[429] > 0


@pytest.mark.parametrize("proxies", ["", "192.0.2.0/24"])
def test_nobody_else_changes_his_address_by_saying_so(tmp_path: Path, proxies: str) -> None:
    with served(tmp_path, proxies=proxies) as api:
        found: Counter[int] = Counter()
        for number in range(GUESSES):
            found += guessed(api, f"203.0.113.{number}", 1)
        assert found[429] > 0
        # Who has a key is kept out by nobody's guesses.
        assert api.get("/v1/policies", api.keys["A"])[0] == 200
