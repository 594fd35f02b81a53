"""Finding: search, filters and pages at addresses of their own, "not found", and files of what is shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import Visit
from tests.console.served import OTHER, OWN, a_day, a_past, faults, served
from tests.console.test_pages import opened
from tests.stream.api.world import World

MANY = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    for number in range(MANY):
        made.send(f"r-{number:03}", "order_accepted", int(made.wall_s) - 60 * number, "C", "o", "310101")
    a_day(made)
    return made


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    made = Visit(browser, address)
    yield made
    assert faults(made) == []
    made.close()


def listed(visit: Visit, name: str = "riders") -> list[str]:
    return visit.page.locator(f"#list-{name} tbody th").all_inner_texts()


def saved(visit: Visit, place: str, form: str) -> str:
    """The file that a button gives."""
    with visit.page.expect_download() as waited:
        visit.page.locator(place).locator(f"[data-save={form}]").click()
    return Path(waited.value.path()).read_text(encoding="utf-8")


def test_every_rider_is_reached_page_by_page_and_each_page_has_an_address(visit: Visit) -> None:
    visit.open("/riders")
    page, seen, addresses = visit.page, [], []
    for _ in range(10):
        page.wait_for_selector("#list-riders tbody th")
        expect(page.locator("#list-count")).to_contain_text(f"{MANY + 14} in all")
        seen += listed(visit)
        addresses.append(page.url)
        if page.locator("#next-page").is_hidden():
            break
        last = listed(visit)[-1]
        page.click("#next-page")
        expect(page.locator("#list-riders")).not_to_contain_text(last)
    assert len(seen) == len(set(seen)) == MANY + 14
    assert len(set(addresses)) == 3
    page.goto(addresses[1])
    page.reload()
    page.wait_for_selector("#list-riders tbody th")
    assert listed(visit) == seen[50:100]
    page.click("#first-page")
    expect(page.locator("#list-riders")).to_contain_text(seen[0])


def test_who_is_on_hold_and_why_is_found_by_filters_that_the_address_keeps(visit: Visit) -> None:
    visit.open("/riders")
    page = visit.page
    page.wait_for_selector("#list-riders tbody th")
    page.select_option("#f-status", "hold")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    assert listed(visit) == [OWN]
    assert "status=hold" in page.url
    expect(page.locator("#list-riders")).to_contain_text("4 h of orders in hand")
    page.reload()
    page.wait_for_selector("#list-riders tbody th")
    assert listed(visit) == [OWN]
    expect(page.locator("#f-status")).to_have_value("hold")
    page.go_back()
    expect(page.locator("#list-count")).to_contain_text(f"{MANY + 14} in all")
    page.fill("#f-text", "own")
    page.keyboard.press("Enter")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    page.select_option("#f-platform", "C")
    expect(page.locator("#list-count")).to_contain_text("0 in all")


def test_which_platform_sends_orders_to_riders_on_hold_is_two_clicks_away(visit: Visit) -> None:
    visit.open("/alerts")
    page = visit.page
    page.select_option("#f-kind", "hold_breached")
    expect(page.locator("#list-count")).to_contain_text("1 in all")
    expect(page.locator("#list-alerts tbody")).to_contain_text("B")
    page.click("#list-alerts tbody a[href^='#/alert/']")
    expect(page.locator("#alert-words")).to_contain_text(OWN)
    expect(page.locator("#why")).to_contain_text("What ends it")
    page.reload()
    expect(page.locator("#why")).to_contain_text("How to contest")


@pytest.mark.parametrize(
    "place",
    [
        "/nonsense",
        "/city/x",
        "/rider",
        "/rider/",
        f"/rider/{OWN}/yesterday",
        "/alert",
        "/riders/x",
        "/constructor",
    ],
)
def test_an_address_that_leads_nowhere_says_so(visit: Visit, place: str) -> None:
    visit.open(place)
    expect(visit.page.locator("#not-found")).to_contain_text("Not found")
    assert "Not found" in visit.page.title()
    visit.page.click("#not-found a")
    visit.page.wait_for_selector("#who_held a")


def test_an_alert_that_is_not_there_says_so(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.open("/alert/" + "0" * 32)
    expect(visit.page.locator("#alert-words")).to_contain_text("not among the recent ones")
    visit.close()


def test_the_day_before_has_an_address(visit: Visit) -> None:
    visit.open(f"/rider/{OWN}/before")
    expect(visit.page.locator("#day-about")).to_contain_text("2026-11-23")
    visit.page.click("#other-day")
    expect(visit.page.locator("#day-about")).to_contain_text("2026-11-24")
    assert visit.page.url.endswith(f"#/rider/{OWN}")


def test_lists_that_were_cut_lead_to_the_whole(visit: Visit) -> None:
    visit.open("/")
    page = visit.page
    page.wait_for_selector("#who_held a")
    page.click("#all-alerts")
    page.wait_for_selector("#list-alerts tbody th")
    visit.open("/")
    page.click("text=All riders by what they have left")
    page.wait_for_selector("#list-riders tbody th")
    assert "sort=left" in page.url
    assert "more" not in page.locator("main").inner_text()


def test_files_have_everything_that_is_filtered_for_and_tables_what_they_show(visit: Visit) -> None:
    visit.open("/riders?zone=310101")
    visit.page.wait_for_selector("#list-riders tbody th")
    lines = list(csv.DictReader(io.StringIO(saved(visit, ".title", "csv"))))
    assert len(lines) == MANY, "all pages, not the one shown"
    assert {one["zone"] for one in lines} == {"310101"}
    assert [one["rider_id"] for one in json.loads(saved(visit, ".title", "json"))] == [
        one["rider_id"] for one in lines
    ]
    visit.open("/city")
    visit.page.wait_for_selector("#by_platform tbody th")
    shown = visit.page.locator("#by_platform tbody tr").all_inner_texts()
    rows = list(csv.reader(io.StringIO(saved(visit, "#by_platform", "csv"))))
    assert rows[0][0] == "Platform"
    assert [row.split() for row in shown] == rows[1:]
    assert [list(one.values()) for one in json.loads(saved(visit, "#by_platform", "json"))] == rows[1:]


def test_a_regulators_files_and_pictures_have_no_small_cell_and_lists_are_not_his(
    browser: Browser, world: World
) -> None:
    with served(world, no_auth=False, prepare=a_past) as address:
        visit = opened(browser, address, world.key("regulator"))
        visit.open("/city")
        visit.page.wait_for_selector("#by_platform tbody th")
        for form in ("csv", "json"):
            told = saved(visit, "#by_platform", form)
            assert "< 10" in told
            assert OWN not in told
        visit.open("/pictures")
        visit.page.wait_for_selector("#p-zones tbody td")
        cells = visit.page.locator("#p-zones tbody td").all_inner_texts()
        assert "hidden" in cells
        assert all(cell in ("hidden", "0") or int(cell) % 10 == 0 for cell in cells)
        assert saved(visit, "#p-zones", "csv").count("hidden") == cells.count("hidden")
        assert visit.violations() == []
        for place in ("/riders", "/alerts"):
            visit.open(place)
            expect(visit.page.locator("#list-count")).to_contain_text("does not open this page")
            assert visit.page.locator("[data-save]:visible").count() == 0
            assert OWN not in visit.page.locator("main").inner_text()
            assert OTHER not in visit.page.locator("main").inner_text()
        visit.close()
