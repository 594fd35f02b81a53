"""Platforms that ask the engine before they assign an order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.instants import parse_instant
from stream.cli.main import app
from stream.offline.replay import Replay
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation import generator
from stream.simulation.events import PLATFORMS, honoured
from stream.simulation.simulation import Simulation

BEGIN_S = parse_instant("2026-11-23T07:00:00+08:00")
DAYS = 0.4


def day(honour: Mapping[str, float], seed: int = 3) -> list[bytes]:
    simulated = Simulation(seed=seed, riders=250, days=DAYS, start_s=BEGIN_S, long=0.3, honour=honour)
    return [
        message.value
        for batch in generator.send_batches(simulated, simulated.city(0))
        for message in batch.messages
    ]


def breaches(lines: list[bytes]) -> Counter[str]:
    """By platform, what a replay says."""
    settings = Settings()
    run = Replay(load_all(settings.policies), settings.store(0), None)
    run.read("day", [line + b"\n" for line in lines])
    return Counter(one["platform"] for one in run.conclude().alerts if one["kind"] == "hold_breached")


def test_a_platform_that_always_asks_breaches_no_hold_and_one_that_never_does_goes_on() -> None:
    nobody = breaches(day({}))
    assert all(nobody[name] > 5 for name in PLATFORMS), nobody
    mixed = breaches(day({"meituan": 1.0, "eleme": 0.0, "jd": 1.0}))
    assert mixed["meituan"] == mixed["jd"] == 0
    assert mixed["eleme"] > 5
    assert not breaches(day(honoured("1")))


def test_orders_move_whole_and_none_is_made_up() -> None:
    def by_order(lines: list[bytes]) -> dict[str, list[tuple[str, str, str]]]:
        found: dict[str, list[tuple[str, str, str]]] = {}
        for one in map(json.loads, lines):
            if "order_id" in one:
                seen = found.setdefault(one["order_id"], [])
                seen.append((one["event_time"], one["type"], one["platform"]))
        return found

    before, after = by_order(day({})), by_order(day(honoured("1")))
    assert set(after) <= set(before)
    assert len(after) > 0.9 * len(before)
    assert all(sorted(after[order]) == sorted(before[order]) for order in after)


def test_the_same_seed_assigns_the_same_and_a_longer_day_begins_with_the_shorter_one() -> None:
    assert day(honoured("0.95")) == day(honoured("0.95"))
    shorter = Simulation(
        seed=3, riders=250, days=DAYS / 2, start_s=BEGIN_S, long=0.3, honour=honoured("0.95")
    )
    begins = [
        message.value
        for batch in generator.send_batches(shorter, shorter.city(0))
        for message in batch.messages
    ]
    assert day(honoured("0.95"))[: len(begins)] == begins


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("0.5", {"meituan": 0.5, "eleme": 0.5, "jd": 0.5}),
        ("meituan=1,jd=0.5", {"meituan": 1.0, "eleme": 0.95, "jd": 0.5}),
        ("0, eleme=1", {"meituan": 0.0, "eleme": 1.0, "jd": 0.0}),
    ],
)
def test_shares_by_platform(text: str, shares: dict[str, float]) -> None:
    assert honoured(text) == shares


@pytest.mark.parametrize(
    ("text", "said"),
    [("1.5", "between 0 and 1"), ("didi=1", "the platforms are"), ("jd=", "between 0 and 1")],
)
def test_what_is_no_share_is_refused_by_the_command(text: str, said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--honour", text, "--to", str(tmp_path / "x")])
    assert result.exit_code == 2
    assert said in result.output
