"""The history: counted once however often it is read, bounded, kept, and no way back into small cells."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from structlog.testing import capture_logs

from stream.api.history import views
from stream.api.history.file import HistoryFile
from stream.api.history.tables import (
    HOUR_S,
    HOURS,
    MOST_PLATFORMS,
    MOST_ZONES,
    SAMPLE_S,
    SAMPLES_S,
    History,
    Place,
    Told,
)
from stream.api.queries.history import HistoryQuery
from tests.stream.api.scene import OTHER, OWN, Scene
from tests.stream.api.world import World

K = 10
T = 1_800_000_000 // HOUR_S * HOUR_S


def told(kind: str = "limit_reached", at_s: int = T, **more: Any) -> Told:
    fields = {"rider": "r", "limit": "p@1/l", "zone": "z", "platform": None, "hold_from_s": T}
    return Told(**{"kind": kind, "at_s": at_s, **fields, **more})


# -- what is counted -------------------------------------------------------------------------------


def counts(service: Any) -> Any:
    return views.whole(service.history.history, [], 24)


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_what_was_told_is_counted_by_hour_kind_zone_and_platform(scene: Scene) -> None:
    found = counts(scene.service)
    by_kind: dict[str, int] = {}
    for alert in scene.world.alerts:
        by_kind[alert["kind"]] = by_kind.get(alert["kind"], 0) + 1
    summed: dict[str, int] = {}
    for hour in found["hours"]:
        for kind, count in hour["kinds"].items():
            summed[kind] = summed.get(kind, 0) + count
    assert summed == by_kind
    holds = [one for one in scene.world.alerts if one["kind"] == "limit_reached" and one["hold"]]
    assert sum(hour["zones"].get("310105", 0) for hour in found["hours"]) == len(holds) == 2
    platforms: dict[tuple[str, str], int] = {}
    for hour in found["hours"]:
        for name, columns in hour["platforms"].items():
            for column, count in columns.items():
                platforms[name, column] = platforms.get((name, column), 0) + count
    # OWN works for A and, breaching, for B from later on; OTHER works for B alone. All is told at once here,
    # after the orders were accepted: nobody could know, and nothing is held against anybody.
    assert platforms == {
        ("A", "holds"): 1, ("A", "breached"): 0, ("A", "breaches"): 0,
        ("B", "holds"): 1, ("B", "breached"): 0, ("B", "breaches"): 0,
    }  # fmt: skip


def test_an_alert_told_again_or_read_again_is_counted_once(scene: Scene) -> None:
    before = counts(scene.service)
    scene.world.told(scene.service)
    assert counts(scene.service) == before, "told again under its id"
    kept = msgspec.json.decode(scene.service.history.history.packed(), type=History)
    again = scene.world.service()
    again.history.history = kept
    scene.world.told(again)
    assert counts(again) == before, "an API that begins anew reads the topic again"


def test_a_topic_made_anew_is_counted_from_its_beginning() -> None:
    place = Place()
    assert [place.takes(5, 100.0), place.takes(5, 100.0), place.takes(3, 90.0)] == [True, False, False]
    assert place.takes(0, 200.0), "a smaller offset that was told later is of another topic"
    assert not place.takes(0, 200.0)


def test_a_hold_breached_twice_is_one_breached_hold_in_the_hour_it_began() -> None:
    history = History("x")
    history.count_platforms(told(), ["A", "B"])
    for later_s in (600, 2 * HOUR_S, 2 * HOUR_S + 60):
        history.count_platforms(told("hold_breached", T + later_s, platform="A"), [])
    begun, later = history.hours[T].figures.platforms, history.hours[T + 2 * HOUR_S].figures.platforms
    assert (begun["A"].holds, begun["A"].breached, begun["A"].breaches) == (1, 1, 1)
    assert (begun["B"].holds, begun["B"].breached) == (1, 0)
    assert later["A"].breaches == 2


def test_nobody_is_named_in_what_is_kept(scene: Scene) -> None:
    packed = scene.service.history.history.packed()
    assert OWN.encode() not in packed
    assert OTHER.encode() not in packed


@given(
    at=st.lists(st.integers(0, 30 * 24), min_size=1, max_size=60),
    names=st.integers(1, 3 * MOST_ZONES),
)
@settings(max_examples=30, deadline=None)
def test_it_is_bounded_whatever_comes(at: list[int], names: int) -> None:
    history = History("x")
    for number, hour in enumerate(at):
        history.sample(T + hour * HOUR_S, (1, 2, 3), is_gap=False)
        history.count(told(at_s=T + hour * HOUR_S, zone=f"z{number % names}"))
    for number in range(names):
        history.count(told(zone=f"z{number}"))
        history.count_platforms(told(), [f"p{number}"])
    assert len(history.hours) <= HOURS + 1
    assert len(history.samples) <= SAMPLES_S // SAMPLE_S
    assert all(later.at_s > before.at_s for before, later in itertools.pairwise(history.samples))
    for kept in history.hours.values():
        assert len(kept.figures.zones) <= MOST_ZONES + 1
        assert len(kept.figures.platforms) <= MOST_PLATFORMS + 1


def test_riders_are_sampled_once_in_five_minutes_of_the_city(scene: Scene) -> None:
    service, world = scene.service, scene.world

    def tick() -> None:
        asyncio.run(service.history.tick(has_caught_up=True))

    for _ in range(3):
        tick()
    (first,) = service.history.history.samples
    assert (first.clear, first.approaching, first.hold) == (0, 0, 2)
    world.wall_s += SAMPLE_S
    world.say()
    tick()
    assert [one.is_gap for one in service.history.history.samples] == [True, False]
    world.wall_s += 3 * SAMPLE_S
    world.say(live=False)
    tick()
    assert len(service.history.history.samples) == 2, "what is not known is not counted"
    world.say()
    tick()
    assert [one.is_gap for one in service.history.history.samples] == [True, False, True]


# -- what is kept ----------------------------------------------------------------------------------


def filled(of: str = "x") -> History:
    history = History(of)
    history.sample(T, (100, 20, 12), is_gap=True)
    history.count(told())
    history.count_platforms(told(), ["A"])
    history.count_platforms(told("hold_breached", T + 90, platform="A"), [])
    history.close(T + 3 * HOUR_S)
    return history


def test_it_outlives_the_process(tmp_path: Path) -> None:
    file = HistoryFile(str(tmp_path / "h.json"), "x")
    file.save(filled().packed())
    assert HistoryFile(str(tmp_path / "h.json"), "x").load() == filled()
    assert [one.name for one in tmp_path.iterdir()] == ["h.json"]


@pytest.mark.parametrize("contents", [b"", b"{", b'{"of": 3}', b"\xff", filled("y").packed()])
def test_a_file_that_is_damaged_or_anothers_is_said_and_left_as_it_is(
    tmp_path: Path, contents: bytes
) -> None:
    place = tmp_path / "h.json"
    place.write_bytes(contents)
    file = HistoryFile(str(place), "x")
    with capture_logs() as logged:
        assert file.load() == History("x")
    assert [line["event"] for line in logged] == ["history begins anew"]
    file.save(filled().packed())
    assert place.read_bytes() == contents


def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    file = HistoryFile(str(tmp_path / "missing" / "h.json"), "x")
    with capture_logs() as logged:
        for _ in range(3):
            file.save(b"{}")
    assert [line["event"] for line in logged] == ["history is not kept"]


def test_an_api_that_stops_has_written_what_it_knew(scene: Scene, tmp_path: Path) -> None:
    file = HistoryFile(str(tmp_path / "h.json"), "x")
    asked = HistoryQuery(file, lambda: scene.service.riders, lambda: scene.world.wall_s)
    asked.start()
    asked.history.count(told())

    async def for_a_while() -> None:
        running = asyncio.ensure_future(asked.run(lambda: False))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(for_a_while())
    assert HistoryFile(str(tmp_path / "h.json"), "x").load().hours[T].figures.kinds == {"limit_reached": 1}
