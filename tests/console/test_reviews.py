"""Reviews on the console: asked for beside an alert, found by who answers them, and answered there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from stream.api.queries.query_service import QueryService
from tests.console.browser import Visit
from tests.console.served import (
    ANSWERED,
    IN_TIME,
    OTHER,
    OVERDUE,
    OWN,
    a_day,
    a_desk,
    faults,
    reviews_of,
    served,
)
from tests.console.test_finding import saved
from tests.console.test_pages import opened
from tests.stream.api.world import World

WHY = "The order was cancelled at nine."


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    a_desk(made)
    a_day(made)
    return made


@pytest.fixture
def address(world: World, services: list[QueryService]) -> Iterator[str]:
    def prepare(made: World, service: QueryService) -> None:
        reviews_of(made, service)
        services.append(service)

    with served(world, no_auth=False, prepare=prepare) as found:
        yield found


def as_who(browser: Browser, address: str, key: dict[str, str], place: str) -> Visit:
    visit = opened(browser, address, key)
    visit.open(place)
    return visit


def states(visit: Visit) -> list[str]:
    return [one.lstrip("■▲●\n") for one in visit.page.locator("#list-reviews .pill").all_inner_texts()]


def alert_of(world: World, rider: str, kind: str = "limit_reached") -> dict[str, Any]:
    return next(one for one in world.alerts if one["rider_id"] == rider and one["kind"] == kind)


def test_the_operator_finds_what_is_overdue_first_and_every_filter_has_an_address(
    browser: Browser, address: str, world: World
) -> None:
    visit = as_who(browser, address, world.key("operator"), "/reviews")
    page = visit.page
    expect(page.locator("#list-count")).to_contain_text("2 in all")
    expect(page.locator("#list-reviews .pill")).to_have_count(2)
    assert states(visit) == ["Overdue", "Open, in time"]
    page.select_option("#f-state", "all")
    expect(page.locator("#list-reviews .pill")).to_have_count(3)
    assert states(visit)[-1] == "It stands"
    assert "state=all" in page.url
    page.select_option("#f-asked_by", "rider")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    page.reload()
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    visit.open("/reviews?state=overdue")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    assert visit.violations() == []
    assert faults(visit) == []
    visit.close()


def test_files_have_all_that_is_filtered_for(browser: Browser, address: str, world: World) -> None:
    visit = as_who(browser, address, world.key("operator"), "/reviews?state=all")
    expect(visit.page.locator("#list-count")).to_contain_text("3 in all")
    rows = list(csv.DictReader(io.StringIO(saved(visit, ".title", "csv"))))
    assert [one["review_id"] for one in rows] == [OVERDUE, IN_TIME, ANSWERED]
    assert [one["review_id"] for one in json.loads(saved(visit, ".title", "json"))] == [
        one["review_id"] for one in rows
    ]
    visit.close()


def test_an_operator_answers_with_a_reason_and_the_hold_is_lifted(
    browser: Browser, address: str, world: World, services: list[QueryService]
) -> None:
    visit = as_who(browser, address, world.key("operator"), "/reviews")
    page = visit.page
    page.click("#list-reviews tbody tr:first-child a")
    expect(page.locator("#review-words")).to_contain_text("Overdue")
    expect(page.locator("#review-facts")).to_contain_text(WHY)
    assert visit.violations() == []
    page.check("#answer-form [value=hold_lifted]")
    page.fill("#answer-reason", "It was a test order.")
    page.click("#answer-form button")
    expect(page.locator("#review-status")).to_contain_text("Hold lifted")
    expect(page.locator("#review-facts")).to_contain_text("It was a test order.")
    expect(page.locator("#answer-form")).to_be_hidden()
    desk = services[0].reviews
    assert desk is not None
    sent = [json.loads(one.value) for one in desk.store.outgoing(9)]
    assert [one["schema"] for one in sent[-2:]] == ["lift-hold/1", "review/1"]
    assert sent[-2]["hold_from"] == alert_of(world, OWN)["hold"]["from"]
    visit.open("/reviews")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    visit.close()


def test_wrong_evidence_goes_with_corrections_and_what_is_wrong_with_them_is_said(
    browser: Browser, address: str, world: World, services: list[QueryService]
) -> None:
    visit = as_who(browser, address, world.key("operator"), f"/review/{OVERDUE}")
    page = visit.page
    expect(page.locator("#correcting")).to_be_hidden()
    page.check("#answer-form [value=evidence_wrong]")
    page.fill("#answer-reason", "It was cancelled.")
    page.fill("#answer-corrections", "{}\nno json")
    page.click("#answer-form button")
    expect(page.locator("#answer-wrong")).to_contain_text("line 2 is no JSON")
    page.fill("#answer-corrections", "{}")
    page.click("#answer-form button")
    expect(page.locator("#answer-wrong")).to_contain_text("corrections[0]")
    void = {
        "schema": "work-state/1", "event_id": "v-1", "rider_id": OWN, "platform": "A", "order_id": "early",
        "event_time": "2026-11-24T06:50:00+08:00", "type": "order_accepted", "void": True,
    }  # fmt: skip
    page.fill("#answer-corrections", json.dumps(void))
    page.click("#answer-form button")
    expect(page.locator("#review-status")).to_contain_text("Evidence was wrong")
    desk = services[0].reviews
    assert desk is not None
    assert [one.topic for one in desk.store.outgoing(9)] == ["source", "control"]
    visit.close()


def test_a_platform_sees_its_own_reviews_and_contests_from_the_explanation(
    browser: Browser, address: str, world: World
) -> None:
    visit = as_who(browser, address, world.key("platform", "A"), "/reviews?state=all")
    page = visit.page
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    page.click("#list-reviews tbody a")
    expect(page.locator("#review-facts")).to_contain_text(WHY)
    assert page.locator("#answer-form").count() == 0
    visit.open(f"/review/{IN_TIME}")
    expect(page.locator("#review-words")).to_contain_text("no such review")
    # From why the rider is on hold to the page where that is contested; this platform has already.
    visit.open(f"/rider/{OWN}")
    page.click("#why a.contest")
    expect(page.locator("#contested li")).to_have_count(1)
    expect(page.locator("#contest-form")).to_be_hidden()
    visit.open(f"/alert/{alert_of(world, OWN, 'approaching')['alert_id']}")
    page.fill("#contest-text", "He had no order then.")
    page.click("#contest-form button")
    expect(page.locator("#contested li")).to_have_count(1)
    expect(page.locator("#contested")).to_contain_text("Answer due 2026-12-08")
    expect(page.locator("#contest-form")).to_be_hidden()
    assert visit.violations() == []
    assert faults(visit) == []
    visit.close()


def test_a_rider_has_his_own_day_his_reviews_and_nobody_elses(
    browser: Browser, address: str, world: World
) -> None:
    visit = as_who(browser, address, world.key("rider", rider=OWN), "/")
    page = visit.page
    expect(page.locator("#rider-status .pill")).to_have_text("■On hold")
    expect(page.locator("#day svg")).to_be_visible()
    expect(page.locator("#week")).to_be_hidden()
    assert page.locator("#nav a").all_inner_texts() == ["My day", "Reviews", "Policies"]
    assert visit.violations() == []
    page.click("#why a.contest")
    expect(page.locator("#contested li")).to_have_count(1)
    page.click("#nav a[data-name=reviews]")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    foreign = alert_of(world, OTHER, "approaching")["alert_id"]
    for place, words in (
        (f"/rider/{OTHER}", "#rider-words"), (f"/alert/{foreign}", "#alert-words"),
        (f"/review/{OVERDUE}", "#review-words"), ("/riders", "#list-count"), ("/alerts", "#list-count"),
    ):  # fmt: skip
        visit.open(place)
        expect(page.locator(words)).not_to_contain_text("Reading")
        assert OTHER not in page.locator("main > :not(.title)").all_inner_texts()
        assert page.locator("#contest-form:visible").count() == 0, place
    assert faults(visit) == []
    visit.close()


def test_a_regulator_sees_counts_without_small_cells_and_contests_with_a_case(
    browser: Browser, address: str, world: World
) -> None:
    visit = as_who(browser, address, world.key("regulator"), "/reviews")
    page = visit.page
    cells = page.locator("#review-counts tbody td")
    expect(cells).to_have_count(5)
    assert sorted(cells.all_inner_texts()) == ["0", "0", "< 10", "< 10", "< 10"]
    expect(page.locator("#review-counts-about")).to_contain_text("336 h")
    assert OWN not in page.locator("main").inner_text()
    assert "< 10" in saved(visit, "main", "csv")
    assert visit.violations() == []
    alert = f"/alert/{alert_of(world, OWN)['alert_id']}"
    visit.open(alert)
    expect(page.locator("#alert-words")).to_contain_text("case number")
    expect(page.locator("#contest")).to_be_hidden()
    page.click("#key")
    page.fill("#case-input", "2026-117")
    page.click("button.main")
    expect(page.locator("#contested li")).to_have_count(3)
    expect(page.locator("#contest-form")).to_be_visible()
    visit.close()


def test_the_pages_are_in_chinese_too(browser: Browser, address: str, world: World) -> None:
    visit = as_who(browser, address, world.key("operator"), "/reviews")
    visit.page.click("#language")
    expect(visit.page.locator("#list-reviews")).to_contain_text("已逾期")
    visit.page.click("#list-reviews tbody tr:first-child a")
    expect(visit.page.locator("#answer-form")).to_contain_text("证据有误")
    assert visit.violations() == []
    visit.close()


def test_where_no_reviews_are_taken_nothing_offers_them(browser: Browser, tmp_path: Path) -> None:
    made = World(tmp_path)
    a_day(made)
    with served(made) as address:
        visit = Visit(browser, address)
        visit.open(f"/alert/{alert_of(made, OWN)['alert_id']}")
        expect(visit.page.locator("#why")).to_contain_text("How to contest")
        expect(visit.page.locator("#contest")).to_be_hidden()
        assert "Reviews" not in visit.page.locator("#nav").inner_text()
        visit.open("/reviews")
        expect(visit.page.locator("#list-count")).to_contain_text("RESPITE_REVIEWS")
        visit.close()
