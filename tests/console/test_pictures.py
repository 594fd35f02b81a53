"""Pictures: drawn, told in words and tables, in both themes, of nobody else's making, and they move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from stream.api.queries.query_service import QueryService
from tests.console.browser import Visit
from tests.console.served import OWN, a_day, a_past, faults, served
from tests.stream.api.world import World

CHARTS = ("p-status", "p-clear", "p-honour", "p-breaches", "p-kinds")
HEATS = ("p-zones", "p-usage")
NIGHT = """
name = "night"
version = 1
time_zone = "Asia/Shanghai"
valid_from = 2025-01-01
modality = "law"
title = { zh = "夜", en = "Night" }
source = "a test"

[[limit]]
name = "night-3h"
kind = "day"
clock = "order"
limit = "3h"
between = ["22:00", "06:00"]
effect = "hold"

[[limit]]
name = "duty-8h"
kind = "day"
clock = "duty"
limit = "8h"
effect = "hold"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    a_day(made)
    return made


@pytest.fixture
def address(world: World, services: list[QueryService]) -> Iterator[str]:
    def prepare(made: World, service: QueryService) -> None:
        a_past(made, service)
        services.append(service)

    with served(world, prepare=prepare) as found:
        yield found


def pixels(visit: Visit, chart: str) -> str:
    return str(visit.page.evaluate(f"document.querySelector('#{chart} canvas').toDataURL()"))


def settled(visit: Visit) -> None:
    visit.open("/pictures")
    visit.page.wait_for_selector("#p-usage tbody td")


def test_each_picture_is_drawn_and_has_its_name_its_sentence_and_its_table(
    browser: Browser, address: str
) -> None:
    visit = Visit(browser, address)
    settled(visit)
    for chart in CHARTS:
        box = visit.page.locator(f"#{chart}")
        expect(box.locator("canvas")).to_have_count(1)
        figure = box.locator("figure")
        expect(figure).to_have_attribute("role", "img")
        assert figure.get_attribute("aria-label") == box.locator("h2").inner_text()
        described = visit.page.locator(f"#{figure.get_attribute('aria-describedby')}")
        expect(described).to_contain_text("at most")
        box.locator("summary").focus()
        visit.page.keyboard.press("Enter")
        # Unfolded a moment later, and drawn anew with every answer: the eleventh row is waited for.
        expect(box.locator("tbody tr").nth(10)).to_be_visible()
    for heat in HEATS:
        expect(visit.page.locator(f"#{heat} tbody td").nth(10)).to_be_visible()
    counts = [int(one) for one in visit.page.locator("#p-zones tbody td").all_inner_texts()]
    darkest = [int(one) for one in visit.page.locator("#p-zones .heat-5").all_inner_texts()]
    assert sorted(darkest) == sorted(one for one in counts if one > 0.8 * max(counts))
    expect(visit.page.locator("#p-honour")).to_contain_text("A: now 98 %")
    expect(visit.page.locator("#p-honour")).to_contain_text("C: now 95 %")
    expect(visit.page.locator("#p-platforms tbody tr")).to_have_count(3)
    rows = [one.split() for one in visit.page.locator("#p-platforms tbody tr").all_inner_texts()]
    # 19 hours of 40 holds; C breaches 2 of them an hour back, 4 two hours back, and so on.
    breached = sum(min(40, 2 * hour) for hour in range(1, 20))
    assert rows[2][:5] == ["C", "760", str(round(100 * (1 - breached / 760))), "%", str(breached + 19)]
    assert rows[2][5:7] == ["17:00", "11:00"], "since when, and when last"
    # Where nothing was seen the table says nothing either.
    expect(visit.page.locator("#p-status tbody")).to_contain_text("–")
    assert faults(visit) == []
    visit.close()


def test_the_theme_changes_the_colours_of_what_is_drawn(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    settled(visit)
    visit.page.select_option("#theme", "light")
    light = pixels(visit, "p-status")
    visit.page.select_option("#theme", "dark")
    visit.page.wait_for_function(
        "(before) => document.querySelector('#p-status canvas').toDataURL() !== before", arg=light
    )
    assert visit.violations() == []
    visit.close()


def test_nothing_is_asked_of_any_other_place(browser: Browser, address: str) -> None:
    visit, asked = Visit(browser, address), []
    visit.page.on("request", lambda request: asked.append(request.url))
    for place in ("/pictures", "/riders", f"/rider/{OWN}"):
        visit.open(place)
        visit.page.wait_for_timeout(500)
    assert any("uPlot" in url for url in asked)
    assert [url for url in asked if not url.startswith((address, "blob:"))] == []
    assert faults(visit) == [], "nothing that the content policy forbids"
    visit.close()


def test_pictures_move_as_time_goes_on(
    browser: Browser, address: str, services: list[QueryService], world: World
) -> None:
    visit = Visit(browser, address)
    settled(visit)
    before = pixels(visit, "p-status")
    (service,) = services
    history = service.history.history
    history.sample(history.samples[-1].at_s + 300, (500, 100, 222), is_gap=False)
    expect(visit.page.locator("#p-status-words")).to_contain_text("On hold: now 222, at most 222")
    visit.page.wait_for_function(
        "(before) => document.querySelector('#p-status canvas').toDataURL() !== before", arg=before
    )
    assert world.alerts
    visit.close()


def test_a_riders_day_draws_every_clock_that_counts_and_the_hours_that_do_not(
    browser: Browser, tmp_path: Path
) -> None:
    policy = tmp_path / "night.toml"
    policy.write_text(NIGHT, encoding="utf-8")
    made = World(tmp_path, policy=(str(policy),))
    made.work(OWN, 2.0, "A")
    made.judge()
    with served(made) as address:
        visit = Visit(browser, address)
        visit.open(f"/rider/{OWN}")
        page = visit.page
        page.wait_for_selector("#day svg .mask")
        mask = page.locator("#day svg .mask")
        expect(mask).to_have_count(1)
        assert "counts only from 22:00 to 06:00" in (mask.locator("title").text_content() or "")
        left, axis = mask.bounding_box(), page.locator("#day svg").bounding_box()
        assert left is not None
        assert axis is not None
        # From six to ten in the evening: two thirds of the day.
        assert left["width"] / (axis["width"] - 32) == pytest.approx(16 / 24, abs=0.01)
        expect(page.locator("#day")).to_contain_text("Duty time")
        expect(page.locator("#week")).to_contain_text("Duty time")
        expect(page.locator("#week tbody tr")).to_have_count(7)
        expect(page.locator("#week tbody tr").last).to_contain_text("2 h")
        assert visit.violations() == []
        assert faults(visit) == []
        visit.close()
