"""Ids, addresses and days that could break a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import Visit
from tests.console.served import OWN, faults, served
from tests.stream.api.world import World


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/rider/.", "by another client"),
        ("/rider/..", "by another client"),
        ("/rider/%E0%A4%A", "rider_id"),
        ("/rider/__proto__", "Nothing is known"),
    ],
)
def test_no_id_breaks_the_page(visit: Visit, place: str, shown: str) -> None:
    visit.open(place)
    expect(visit.page.locator("#rider-words")).to_contain_text(shown)
    visit.page.click("#nav a[data-name=city]")
    expect(visit.page.locator("#by_platform")).to_contain_text("A")
    assert faults(visit) == []


@pytest.mark.parametrize("place", ["/__proto__", "/constructor", "/rider/a/b/%", "/rider/", "/rider"])
def test_no_address_breaks_the_page(visit: Visit, place: str) -> None:
    visit.open(place)
    assert faults(visit) == []


def test_names_that_every_object_has_and_the_longest_ids_are_shown_as_any_other(
    browser: Browser, tmp_path: Path
) -> None:
    made = World(tmp_path)
    longest = "r" * 64
    made.work(longest, 4.2, "__proto__")
    made.send(longest, "order_accepted", int(made.wall_s) - 60, "constructor", "later")
    made.judge()
    with served(made) as address:
        visit = Visit(browser, address)
        visit.open("/city")
        rows = visit.page.locator("#by_platform tbody tr")
        expect(rows).to_have_count(2)
        assert [row.split()[0] for row in rows.all_inner_texts()] == ["__proto__", "constructor"]
        visit.open("/")
        reason = visit.page.locator("#who_held tbody tr td.words")
        expect(reason).to_contain_text("4 h")
        box, card = reason.bounding_box(), visit.page.locator("section:has(#who_held)").bounding_box()
        assert box is not None
        assert card is not None
        assert box["x"] + box["width"] <= card["x"] + card["width"], "the reason is pushed out of its table"
        assert faults(visit) == []
        visit.close()


def test_after_midnight_yesterdays_hold_has_its_day_and_timeline(browser: Browser, tmp_path: Path) -> None:
    made = World(tmp_path)
    # Half past midnight in Shanghai; the hold began yesterday evening.
    made.wall_s += 12 * 3600 - 1800
    made.work(OWN, 4.5, "A")
    made.send(OWN, "order_delivered", int(made.wall_s), "A", "o8")
    made.judge()
    made.wall_s += 3600
    made.judge()
    with served(made) as address:
        visit = Visit(browser, address)
        visit.open(f"/rider/{OWN}")
        page = visit.page
        expect(page.locator("#day-about")).to_contain_text("2026-11-25")
        assert page.locator("#day svg .reached-mark").count() == 0
        page.click("#other-day")
        expect(page.locator("#day-about")).to_contain_text("2026-11-24")
        assert page.locator("#day svg .reached-mark").count() == 1
        assert page.locator("#day svg .hold").count() == 1
        expect(page.locator("#other-day")).to_have_attribute("aria-pressed", "true")
        # Which day each alert is of stands beside it.
        expect(page.locator("#told")).to_contain_text("24")
        assert visit.violations() == []
        visit.close()
