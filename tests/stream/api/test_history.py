"""The history: counted once however often it is read, bounded, kept, and no way back into small cells."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from structlog.testing import capture_logs

from detectors.verdicts import STATUSES
from stream.api.documents.rounding import FIGURES, PERIOD_S, Published, rounded
from stream.api.documents.views import SUPPRESSED, for_regulator
from stream.api.history import views
from stream.api.history.file import HistoryFile
from stream.api.history.tables import (
    CLOSES_AFTER_S,
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
from stream.api.queries.prometheus import PrometheusSamples, read_samples
from tests.stream.api.test_roles import OTHER, OWN, Scene
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
    # OWN works for A and, breaching, for B from later on; OTHER works for B alone.
    assert platforms == {
        ("A", "holds"): 1, ("A", "breached"): 1, ("A", "breaches"): 1,
        ("B", "holds"): 1, ("B", "breached"): 1, ("B", "breaches"): 1,
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


# -- what a regulator can find out -----------------------------------------------------------------

Interval = tuple[int, int]


def possible(shown: int) -> Interval:
    """What a cell can be, by the rule that everybody may read."""
    if shown == SUPPRESSED:
        return 1, 10**6
    return (0, 0) if shown == 0 else (max(K, shown - K // 2), shown + K // 2 - 1)


def narrowed(cells: dict[str, int], total: int | None) -> dict[str, Interval]:
    """What each cell can be when the total (None: not shown) is known as well."""
    found = {name: possible(shown) for name, shown in cells.items()}
    if total is None or total == SUPPRESSED:
        return found
    low, high = possible(total)
    for _ in range(3):
        for name, (least, most) in found.items():
            others = [one for other, one in found.items() if other != name]
            found[name] = (
                max(least, low - sum(top for _, top in others)),
                min(most, high - sum(bottom for bottom, _ in others)),
            )
    return found


def is_told(least: int, most: int) -> bool:
    """Whether it is known for sure to be exactly so many people, and these are few."""
    return least == most and 0 < abs(least) < K


def check(cells: dict[str, int], total: int | None, true: dict[str, int] | None = None) -> None:
    """That a table with its total gives nothing small away to who knows how it was made."""
    for name, count in cells.items():
        assert count in (SUPPRESSED, 0) or (count >= K and count % K == 0), (name, count)
        # A column that is hidden whole hides its noughts too.
        if true is not None and total != SUPPRESSED:
            least, most = possible(count)
            assert least <= true[name] <= most, "else the one who tries knows less than there is to know"
    if total is None or total == SUPPRESSED:
        return
    assert not [name for name, one in narrowed(cells, total).items() if is_told(*one)], (cells, total)
    hidden = [name for name, count in cells.items() if count == SUPPRESSED]
    if hidden:
        # What is hidden may be ten people or more, and is of more than one cell.
        shown = sum(possible(count)[0] for name, count in cells.items() if name not in hidden)
        assert possible(total)[1] - shown >= K, (cells, total)
        assert len(hidden) > 1, (cells, total)


def city_of(rng: random.Random, riders: int) -> list[tuple[str, str]]:
    return [
        (rng.choice(["clear"] * 8 + ["approaching", "hold"]), f"z{rng.randrange(6)}") for _ in range(riders)
    ]


def overview(city: list[tuple[str, str]]) -> dict[str, Any]:
    zones = sorted({zone for _, zone in city})
    table = {zone: {name: city.count((name, zone)) for name in STATUSES} for zone in zones}
    statuses = {name: sum(cells[name] for cells in table.values()) for name in STATUSES}
    return {
        "riders": len(city), "statuses": statuses, "holds_by_limit": {"p@1/l": statuses["hold"]},
        "riders_by_zone": table, "riders_by_platform": table, "alerts_by_kind": {"hold_breached": 30},
        "breaches_by_platform": {"A": 30}, "alerts_per_minute": 3.0, "partitions": [],
        "on_hold": [], "nearest": [],
    }  # fmt: skip


@given(seed=st.integers(0, 10**6), riders=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_neither_sums_nor_differences_of_overviews_tell_a_small_number(seed: int, riders: int) -> None:
    rng = random.Random(seed)
    city, published = city_of(rng, riders), Published()
    tables, truths = [], []
    for refresh in range(4):
        truths.append(overview(city))
        tables.append(published.overview(refresh * PERIOD_S, for_regulator(overview(city))))
        # A rider comes, or changes his status: the difference that a regulator is not to see.
        if city and rng.random() < 0.5:
            city[rng.randrange(len(city))] = ("hold", "z1")
        else:
            city.append(("hold", "z0"))
    for table, true in zip(tables, truths, strict=True):
        check(table["statuses"], table["riders"], true["statuses"])
        for name in STATUSES:
            column = {zone: row[name] for zone, row in table["riders_by_zone"].items()}
            whole = {zone: row[name] for zone, row in true["riders_by_zone"].items()}
            check(column, table["statuses"][name], whole)
    for before, after in itertools.pairwise(tables):
        for name in STATUSES:
            (low, high), (least, most) = (possible(one["statuses"][name]) for one in (before, after))
            assert not is_told(least - high, most - low)
            for zone in before["riders_by_zone"].keys() & after["riders_by_zone"].keys():
                (low, high), (least, most) = (
                    possible(one["riders_by_zone"][zone][name]) for one in (before, after)
                )
                assert not is_told(least - high, most - low)


def test_tables_change_together_every_five_minutes_and_at_once_when_partitions_go() -> None:
    published = Published()
    first, more = overview([("hold", "z")] * 40), overview([("hold", "z")] * 80)
    fresh = [{"partition": 0, "fresh": True}]
    seen = [
        published.overview(at_s, {**table, "partitions": partitions})["statuses"]["hold"]
        for at_s, table, partitions in (
            (0, first, fresh),
            (PERIOD_S - 1, more, fresh),
            (PERIOD_S, more, fresh),
            (PERIOD_S + 1, first, []),
        )
    ]
    assert seen == [40, 40, 80, 40]


def test_every_count_of_an_overview_is_published_so(world: World) -> None:
    """A figure that is added to the overview must be decided on here."""
    world.work(OWN, 4.2, "A")
    world.judge()
    document = world.client(no_auth=True).get("/v1/overview").json()
    about_the_service = {
        "as_of", "k", "complete", "persons_shown", "rest_stops_named", "on_hold", "nearest",
        "events_per_second", "dead_letters", "partitions",
    }  # fmt: skip
    assert set(document) == {*FIGURES, *about_the_service}


CELLS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), max_size=6)


@given(reached=CELLS, breached=CELLS)
@settings(max_examples=100, deadline=None)
def test_an_hours_hidden_cells_cannot_be_turned_back_by_sums(
    reached: dict[str, int], breached: dict[str, int]
) -> None:
    history = History("x")
    for kind, cells in (("limit_reached", reached), ("hold_breached", breached)):
        for name, number in ((name, number) for name, count in cells.items() for number in range(count)):
            platform = name if kind == "hold_breached" else None
            one = told(kind, rider=f"r{number}{name}", zone=name, platform=platform)
            history.count(one)
            history.count_platforms(one, [name])
    history.close(T + 2 * HOUR_S + CLOSES_AFTER_S)
    for hour in views.for_regulator(history, [], 24)["hours"]:
        kinds = hour["kinds"]
        holds, breaches = kinds.get("limit_reached", 0), kinds.get("hold_breached", 0)
        columns = [(hour["zones"], holds)]
        for column, total in (("holds", holds), ("breached", None), ("breaches", breaches)):
            columns.append(({name: one[column] for name, one in hour["platforms"].items()}, total))
        for cells, total in columns:
            check(cells, total)


def test_an_hour_that_a_regulator_has_seen_does_not_change_and_the_one_that_goes_on_is_not_shown() -> None:
    history = History("x")
    for number in range(30):
        history.count(told(rider=f"r{number}"))
    assert views.for_regulator(history, [], 24)["hours"] == []
    history.close(T + HOUR_S + CLOSES_AFTER_S)
    first = views.for_regulator(history, [], 24)
    for number in range(9):
        history.count(told(rider=f"late{number}"))
        history.count(told(rider=f"now{number}", at_s=T + 2 * HOUR_S))
    history.close(T + HOUR_S + CLOSES_AFTER_S + 60)
    assert views.for_regulator(history, [], 24) == first
    assert views.whole(history, [], 24)["hours"][0]["kinds"] == {"limit_reached": 39}


def test_a_regulators_samples_are_one_for_each_hour_that_is_over() -> None:
    history = History("x")
    history.count(told())
    for at_s in range(T, T + 2 * HOUR_S, SAMPLE_S):
        history.sample(at_s, (1004, 33, 3), is_gap=False)
    history.close(T + HOUR_S + CLOSES_AFTER_S)
    (sample,) = views.for_regulator(history, history.samples, 24)["samples"]
    assert (sample["clear"], sample["approaching"], sample["hold"]) == (1000, SUPPRESSED, SUPPRESSED)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_export_of_the_history_hides_what_the_answer_hides(scene: Scene, form: str) -> None:
    history = scene.service.history.history
    history.close(int(scene.world.wall_s) + 2 * HOUR_S + CLOSES_AFTER_S)
    headers = scene.world.key("regulator")
    answer = scene.client.get("/v1/history", params={"format": form}, headers=headers)
    assert answer.status_code == 200
    if form == "json":
        hours = answer.json()["hours"]
        shown = [
            count for hour in hours for table in (hour["kinds"], hour["zones"]) for count in table.values()
        ]
        shown += [count for hour in hours for one in hour["platforms"].values() for count in one.values()]
    else:
        shown = [int(line.rpartition(",")[2]) for line in answer.text.splitlines()[1:]]
    assert shown
    assert set(shown) <= {SUPPRESSED, 0}, "two riders are never ten"


def test_rounding_keeps_what_is_hidden_hidden() -> None:
    assert [rounded(count) for count in (-1, 0, 10, 14, 15, 24, 25)] == [-1, 0, 10, 10, 20, 20, 30]


def test_how_much_of_each_limit_is_used_is_counted_in_tenths(world: World) -> None:
    for number, hours in enumerate((0.5, 0.5, 1.7, 3.9, 4.2)):
        world.work(f"r{number}", hours, "A")
    world.judge()
    usage = world.client(no_auth=True).get("/v1/history").json()["usage"]
    tenths = {one["limit"]: one["tenths"] for one in usage["limits"]}
    assert (usage["riders"], usage["looked_at"]) == (5, 5)
    assert tenths["continuous-4h"] == [0, 2, 0, 0, 1, 0, 0, 0, 0, 1, 1]
    assert tenths["day-8h"] == [2, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0]


# -- Prometheus ------------------------------------------------------------------------------------


class Asked(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def prometheus() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def series(**statuses: list[tuple[int, str]]) -> bytes:
    found = [{"metric": {"status": name}, "values": values} for name, values in statuses.items()]
    return json.dumps({"data": {"result": found}}).encode()


async def asked_once(base: str) -> Any:
    asked = PrometheusSamples(base)
    try:
        return await asked.samples(T)
    finally:
        await asked.close()


def test_riders_over_time_come_from_prometheus_where_there_is_one(prometheus: str) -> None:
    Asked.body = series(
        clear=[(T, "5"), (T + SAMPLE_S, "6"), (T + 3 * SAMPLE_S, "7")],
        approaching=[(T, "1"), (T + SAMPLE_S, "1"), (T + 3 * SAMPLE_S, "1")],
        hold=[(T, "2"), (T + 3 * SAMPLE_S, "3")],
    )
    found = asyncio.run(asked_once(prometheus))
    assert [(one.at_s, one.clear, one.hold, one.is_gap) for one in found] == [
        (T, 5, 2, True), (T + 3 * SAMPLE_S, 7, 3, True),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": {}}', b'{"data": {"result": [{"metric": {}}]}}'])
def test_a_prometheus_that_answers_nonsense_or_not_at_all_is_said_and_done_without(
    prometheus: str, body: bytes
) -> None:
    Asked.body = body
    with capture_logs() as logged:
        assert asyncio.run(asked_once(prometheus)) is None
        assert asyncio.run(asked_once("http://127.0.0.1:9")) is None
    assert [line["event"] for line in logged] == ["Prometheus is not asked"] * 2


def test_of_a_recorded_day_prometheus_is_not_asked(world: World) -> None:
    named = world.settings.model_copy(update={"prometheus": "http://p"})
    assert PrometheusSamples.of(named) is not None
    assert PrometheusSamples.of(named.model_copy(update={"clock": "event"})) is None
    assert PrometheusSamples.of(world.settings) is None
    assert read_samples({"data": {"result": []}}) == []
