"""What rest is still missing, in words, where rests add up and are those of another clock (RULEBOOK 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from detectors.kernels.evidence.arrivals import Place
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.output.alert_json import utc
from tests.stream.api.world import World

MINUTE_S = 60


def told(tmp_path: Path, policy: str, spans: list[tuple[str, int]], lang: str) -> Any:
    """What is said of the newest limit reached after these minutes of each duty, one after the other."""
    (tmp_path / policy).mkdir()
    world = World(tmp_path / policy, policy=(policy,))
    at_s = int(world.wall_s) - sum(minutes for _, minutes in spans) * MINUTE_S
    lines = []
    for duty, minutes in spans:
        event = {
            "schema": "work-state/1", "event_id": f"e{at_s}", "rider_id": "r1", "platform": "A",
            "event_time": utc(at_s), "type": "duty_status", "duty": duty,
        }  # fmt: skip
        lines.append(json.dumps(event).encode())
        at_s += minutes * MINUTE_S
    number = world.home("r1")
    world.stores[number].ingest(arrivals_of(decode_lines(lines)), Place(number, len(world.stores), 1, 0))
    world.judge()
    service = world.service()
    world.told(service)
    reached = [one for one in world.alerts if one["kind"] == "limit_reached"]
    url = f"/v1/alerts/{reached[-1]['alert_id']}/explanation"
    return world.client(service, no_auth=True).get(url, params={"lang": lang}).json()["rest_missing"]


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([("driving", 270)], "45 more minutes now, or 15 and then 30 later."),
        ([("driving", 90), ("off", 15), ("driving", 180)], "30 more minutes, now or later."),
        ([("driving", 90), ("off", 14), ("driving", 180)], "45 more minutes now, or 15 and then 30 later."),
        # Other work is no rest: the resetting clock is `duty`.
        (
            [("driving", 90), ("on_duty", 40), ("driving", 180)],
            "45 more minutes now, or 15 and then 30 later.",
        ),
        (
            [("driving", 90), ("off", 10), ("on_duty", 5), ("off", 20), ("driving", 180)],
            "30 more minutes, now or later.",
        ),
    ],
)
def test_parts_that_are_missing_are_said(tmp_path: Path, spans: list[tuple[str, int]], said: str) -> None:
    assert told(tmp_path, "eu-561-driving", spans, "en") == said


def test_what_is_missing_of_a_sum_is_said_in_chinese(tmp_path: Path) -> None:
    spans = [("driving", 60), ("off", 10), ("driving", 60), ("off", 9), ("driving", 120)]
    assert told(tmp_path, "jp-2024", spans, "zh") == "还需休息 20 分钟，现在或稍后均可，每次至少 10 分钟。"
    spans = [("on_duty", 120), ("off", 15), ("on_duty", 240)]
    assert (
        told(tmp_path, "de-arbzg", spans, "en") == "15 more minutes, now or later, in rests of at least 15."
    )
