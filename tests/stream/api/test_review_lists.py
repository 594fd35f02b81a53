"""Lists of reviews: those that are due first in front, filtered, page by page, as files, and in counts."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from schemas.control import Outcome
from stream.api.reviews.store import ReviewStore, StoredReview
from stream.output.alert_json import utc
from tests.stream.api.world import World

DAY_S = 86_400


class Lists:
    """Reviews of 30 riders: some overdue, some with time left, some answered, by two platforms and riders."""

    def __init__(self, world: World) -> None:
        file = world.settings.keys.replace("keys.json", "reviews.sqlite3")
        world.settings = world.settings.model_copy(update={"reviews": file})
        self.world = world
        service = world.service()
        assert service.reviews is not None
        self.store: ReviewStore = service.reviews.store
        self.now_s = int(world.wall_s)
        for number in range(30):
            self.open(number)
        for number in range(20, 30):
            outcome: Outcome = "stands" if number < 27 else "hold_lifted"
            self.store.answer(identity(number), outcome, "looked at it", self.now_s, [])
        self.client: TestClient = world.client(service)
        self.operator = world.key("operator")

    def open(self, number: int, **other: Any) -> None:
        asker = (None, "A", "B")[number % 3]
        review = StoredReview(
            identity(number), f"{number:032x}", f"r-{number:02}", asker, asker or "rider", "limit_reached",
            "cn-gbt-2025@1", "continuous-4h", None, 0, "text", self.now_s - number * 60,
            # The later it was entered the earlier it is due: 0 to 4 have time left, 5 to 19 are overdue.
            self.now_s + (5 - number) * DAY_S - 1,
        )  # fmt: skip
        self.store.open(replace(review, **other), [])

    def ask(self, query: str = "", key: dict[str, str] | None = None, path: str = "") -> Any:
        return self.client.get(f"/v1/reviews{path}?{query}", headers=key or self.operator)

    def ids(self, query: str = "", key: dict[str, str] | None = None) -> list[str]:
        return [one["rider_id"] for one in self.ask(query, key).json()["reviews"]]


def identity(number: int) -> str:
    return f"{number + 4096:032x}"


@pytest.fixture
def lists(world: World) -> Lists:
    return Lists(world)


def riders(*numbers: int) -> list[str]:
    return [f"r-{number:02}" for number in numbers]


def test_what_is_overdue_comes_first_and_what_is_answered_last(lists: Lists) -> None:
    assert lists.ids() == riders(*range(19, -1, -1))
    assert lists.ids("state=open") == lists.ids()
    assert lists.ids("state=overdue") == riders(*range(19, 4, -1))
    assert lists.ids("state=answered") == riders(*range(29, 19, -1))
    assert lists.ids("state=all") == lists.ids("open_only=false") == lists.ids() + lists.ids("state=answered")
    assert lists.ids("sort=-asked") == riders(*range(20))
    shown = lists.ask().json()["reviews"]
    assert [one["overdue"] for one in shown] == [True] * 15 + [False] * 5
    assert shown[0]["due_at"] == utc(lists.now_s - 14 * DAY_S - 1)


@pytest.mark.parametrize("sort", ["due", "-asked"])
def test_pages_go_on_to_the_end_and_nothing_comes_twice(lists: Lists, sort: str) -> None:
    # Many that are due, and were asked for, in the same second.
    for number in range(30, 60):
        lists.open(number, due_s=lists.now_s, asked_s=lists.now_s)
    whole = lists.ids(f"state=all&sort={sort}&most=1000")
    assert len(set(whole)) == 60
    seen: list[str] = []
    cursor = ""
    for _ in range(9):
        page = lists.ask(f"state=all&sort={sort}&most=7{cursor}").json()
        assert page["count"] == 60
        seen += [one["rider_id"] for one in page["reviews"]]
        cursor = f"&cursor={page['next']}"
        if page["next"] is None:
            break
    assert seen == whole
    wrong = lists.ask(f"sort={'due' if sort == '-asked' else '-asked'}&cursor={first_cursor(lists, sort)}")
    assert (wrong.status_code, "sorted by" in wrong.json()["detail"]) == (422, True)


def first_cursor(lists: Lists, sort: str) -> str:
    return str(lists.ask(f"sort={sort}&most=1").json()["next"])


def test_filters_find_by_asker_kind_limit_and_part_of_an_id(lists: Lists) -> None:
    lists.open(40, kind="hold_breached", limit="day-8h", due_s=lists.now_s)
    assert lists.ids("kind=hold_breached") == lists.ids("limit=day-8h") == riders(40)
    assert lists.ids("limit=cn-gbt-2025@1/day-8h") == riders(40)
    assert lists.ids("limit=cn-gbt-2024@1/day-8h") == []
    assert lists.ids("text=-1") == riders(*range(19, 9, -1))
    assert lists.ids("asked_by=A&state=overdue") == riders(19, 16, 13, 10, 7)
    assert lists.ids("asked_by=rider&state=overdue") == riders(18, 15, 12, 9, 6)


def test_a_platform_has_its_own_only_whatever_it_asks_for(lists: Lists) -> None:
    own = lists.world.key("platform", "A")
    everything = lists.ids("state=all", own)
    assert everything == riders(19, 16, 13, 10, 7, 4, 1, 28, 25, 22)
    assert lists.ask("state=all", own).json()["count"] == len(everything)
    assert lists.ids("state=all&asked_by=B", own) == []
    rows = list(csv.DictReader(io.StringIO(lists.ask("state=all&format=csv", own).text)))
    assert [one["rider_id"] for one in rows] == everything


def test_a_file_has_all_of_them_and_no_cell_that_a_spreadsheet_reckons_with(lists: Lists) -> None:
    lists.open(50, text="=HYPERLINK(1)", due_s=1)
    told = lists.ask("most=1&format=csv")
    assert told.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert len(rows) == 21
    assert rows[0]["text"] == "'=HYPERLINK(1)"
    assert lists.ask().json()["reviews"][0]["text"] == "=HYPERLINK(1)"


def test_counts_are_whole_for_the_operator_and_hide_small_cells_from_a_regulator(lists: Lists) -> None:
    told = lists.ask(path="/counts").json()
    cells = ("in_time", "overdue", "stands", "evidence_wrong", "hold_lifted")
    assert [told[name] for name in cells] == [5, 15, 7, 0, 3]
    assert (told["k"], told["within_s"]) == (None, 14 * DAY_S)
    regulator = lists.world.key("regulator")
    shown = lists.ask(path="/counts", key=regulator).json()
    # 15 is rounded to 20; 5, 7 and 3 are hidden, together they are more than ten.
    assert ([shown[name] for name in cells], shown["k"]) == ([-1, 20, -1, 0, -1], 10)
    assert lists.ask(key=regulator).status_code == 403


def test_one_review_more_changes_nothing_that_a_regulator_sees_within_five_minutes(lists: Lists) -> None:
    regulator = lists.world.key("regulator")

    def seen() -> dict[str, Any]:
        found: dict[str, Any] = lists.ask(path="/counts", key=regulator).json()
        return {name: value for name, value in found.items() if name != "as_of"}

    before = seen()
    for number in range(60, 90):
        lists.open(number, due_s=lists.now_s + 9 * DAY_S)
    assert seen() == before
    lists.world.wall_s += 300
    assert seen() != before


def test_a_tally_of_many_reviews_of_one_rider_is_about_one_rider(lists: Lists) -> None:
    for number in range(100, 130):
        lists.open(number, rider_id="r-often", due_s=1)
        lists.store.answer(identity(number), "evidence_wrong", "why", lists.now_s, [])
    shown = lists.ask(path="/counts", key=lists.world.key("regulator")).json()
    assert shown["evidence_wrong"] == -1
