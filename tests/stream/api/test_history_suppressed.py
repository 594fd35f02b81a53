"""The history and the overview for a regulator: no way back into small cells, by sums or differences."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from detectors.verdicts import STATUSES
from stream.api.documents.rounding import FIGURES, PERIOD_S, Published, rounded
from stream.api.documents.suppression import SUPPRESSED, for_regulator
from stream.api.history import views
from stream.api.history.tables import (
    CLOSES_AFTER_S,
    HOUR_S,
    SAMPLE_S,
    History,
    Told,
)
from tests.stream.api.scene import OWN, Scene
from tests.stream.api.world import World

K = 10
T = 1_800_000_000 // HOUR_S * HOUR_S


def told(kind: str = "limit_reached", at_s: int = T, **more: Any) -> Told:
    fields = {"rider": "r", "limit": "p@1/l", "zone": "z", "platform": None, "hold_from_s": T}
    return Told(**{"kind": kind, "at_s": at_s, **fields, **more})


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
        "on_hold": [], "nearest": [], "shadow": [],
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


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


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
