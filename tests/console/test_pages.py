"""The console's pages in Chromium: for everybody's eyes and hands, in both languages and themes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import NoChromium, Visit, executable
from tests.console.served import OTHER, OVERDUE, OWN, served
from tests.stream.api.world import World

PLACES = (
    "/",
    "/riders",
    "/alerts?kind=limit_reached",
    "/reviews",
    f"/review/{OVERDUE}",
    "/pictures",
    "/city",
    "/policies",
    "/health",
    "/nonsense",
    f"/rider/{OWN}",
    "/rider/r-nobody",
)
#: The narrowest phone (WCAG 1.4.10).
NARROW_PX = 320


def settled(visit: Visit, place: str) -> None:
    """Open a page and wait until it shows data."""
    visit.open(place)
    shown = {
        "/": "#who_held a",
        "/city": "#by_zone th",
        "/policies": "article",
        "/health": "#partitions .pill",
        "/riders": "#list-riders .pill",
        "/alerts?kind=limit_reached": "#list-alerts .pill",
        "/reviews": "#list-reviews .pill",
        f"/review/{OVERDUE}": "#answer-form",
        "/pictures": "#p-usage tbody td",
        "/nonsense": "#not-found",
    }
    visit.page.wait_for_selector(shown.get(place, "#rider-status .pill"))
    if place == f"/rider/{OWN}":
        visit.page.wait_for_selector("#why dl")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_axe_finds_nothing_on_any_page_in_either_theme_and_language(
    browser: Browser, address: str, theme: Literal["light", "dark"], locale: str
) -> None:
    visit = Visit(browser, address, theme=theme, locale=locale)
    for place in PLACES:
        settled(visit, place)
        # What is folded away is read too.
        visit.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert visit.violations() == [], (place, theme, locale)
    visit.close()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_every_page_fits_the_narrowest_phone(browser: Browser, address: str, locale: str) -> None:
    visit = Visit(browser, address, width=NARROW_PX, height=640, locale=locale)
    for place in PLACES:
        settled(visit, place)
        assert visit.fits(), place
    visit.close()


def test_pages_load_without_a_word_in_the_browsers_console(visit: Visit) -> None:
    for place in PLACES[:-1]:
        settled(visit, place)
    assert visit.said == []


def test_language_and_theme_are_switched_and_remembered(visit: Visit) -> None:
    settled(visit, "/")
    html, heading = visit.page.locator("html"), visit.page.locator("h1")
    expect(heading).to_have_text("Now")
    visit.page.click("#language")
    expect(heading).to_have_text("实时")
    expect(html).to_have_attribute("lang", "zh-Hans")
    light = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit.page.select_option("#theme", "dark")
    dark = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    visit.page.reload()
    expect(heading).to_have_text("实时")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_a_riders_page_draws_his_day_and_says_why_until_when_and_how_to_contest(
    visit: Visit, world: World
) -> None:
    settled(visit, f"/rider/{OWN}")
    page = visit.page
    expect(page.locator("#rider-status .pill")).to_have_text("■On hold")
    for drawn in (
        ".run.order",
        ".run.loaded",
        ".run.online",
        ".rest",
        ".hold",
        ".reached-mark",
        ".breach-mark",
        ".now",
    ):
        assert page.locator(f"#day svg {drawn}").count() > 0, drawn
    told = page.locator("#rider-words").inner_text().replace("\xa0", " ")
    assert "may get no new order" in told
    assert "without a rest of 20 min" in told
    assert "It ends by itself after a rest of 20 min." in told
    assert "Not before" in told
    why = page.locator("#why").inner_text()
    for words in (
        "Intervals counted",
        "How to contest",
        "object to the platform",
        "Best reading",
        "Decision id",
    ):
        assert words in why, words
    meters = page.locator("#limits .meter").count()
    assert meters == len(world.limits.limits) == 4, "a meter for each limit of both policies"
    page.click("#day summary")
    assert page.locator("#day details tbody tr").count() > 5
    page.click("#language")
    expect(page.locator("#why")).to_contain_text("如何异议")
    expect(page.locator("#rider-words")).to_contain_text("休息满 20 分钟 后自动解除")


def test_all_is_reached_with_the_keyboard_and_the_focus_follows(visit: Visit) -> None:
    settled(visit, "/")
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus(f"#who_held a[href='#/rider/{OWN}']")
    page.evaluate("window.before = document.activeElement")
    # Two polls later the row is redrawn, and is still the one that has the focus.
    page.wait_for_timeout(2500)
    assert page.evaluate("document.activeElement === window.before")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rider-words")
    assert page.evaluate("document.activeElement.id") == "main"


def test_health_and_city_show_partitions_reasons_and_platforms(visit: Visit) -> None:
    settled(visit, "/health")
    expect(visit.page.locator("#dead")).to_contain_text("later than allowed")
    expect(visit.page.locator("#overall")).to_contain_text("All partitions are fresh")
    settled(visit, "/city")
    rows = visit.page.locator("#by_platform tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [["A", "1", "0", "12", "0"], ["B", "1", "1", "0", "1"]]


def test_a_regulator_gives_a_key_and_sees_no_small_cell_and_no_person_without_a_case(
    browser: Browser, world: World
) -> None:
    key = world.key("regulator")["Authorization"].removeprefix("Bearer ")
    with served(world, no_auth=False) as address:
        visit = Visit(browser, address)
        visit.page.goto(f"{address}/#/city")
        visit.page.fill("#key-input", "wrong")
        visit.page.click("button.main")
        expect(visit.page.locator("#key-wrong")).to_be_visible()
        assert visit.violations() == []
        visit.page.fill("#key-input", key)
        visit.page.click("button.main")
        expect(visit.page.locator("#suppression")).to_contain_text("< 10")
        expect(visit.page.locator("#by_platform")).to_contain_text("< 10")
        assert visit.page.evaluate("JSON.stringify(localStorage)").find(key) == -1
        visit.open("/")
        expect(visit.page.locator("#count-riders .value")).not_to_have_text("–")
        assert visit.page.locator("#who_held a").count() == 0
        visit.open(f"/rider/{OTHER}")
        expect(visit.page.locator("#rider-words")).to_contain_text("case number")
        visit.page.click("#key")
        visit.page.fill("#case-input", "2026-117")
        visit.page.click("button.main")
        expect(visit.page.locator("#day svg")).to_be_visible()
        visit.close()


def test_without_chromium_the_tests_say_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoChromium, match=r"deploy/bootstrap\.sh browser"):
        executable()


def opened(browser: Browser, address: str, key: dict[str, str]) -> Visit:
    """The console with a key."""
    visit = Visit(browser, address)
    visit.page.goto(f"{address}/#/policies")
    visit.page.fill("#key-input", key["Authorization"].removeprefix("Bearer "))
    visit.page.click("button.main")
    visit.page.wait_for_selector("article")
    return visit


@pytest.mark.parametrize("role", ["regulator", "operator"])
def test_what_is_hidden_is_said_to_be_hidden(browser: Browser, world: World, role: str) -> None:
    with served(world, no_auth=False) as address:
        visit = opened(browser, address, world.key(role))
        visit.open("/")
        for place in ("#who_held", "#who_near"):
            card = visit.page.locator(f"section:has({place})")
            expect(card).to_contain_text("hidden from your role")
            expect(card).not_to_contain_text("Nobody")
        visit.open(f"/rider/{OTHER}")
        words = visit.page.locator("#rider-words")
        expect(words).to_contain_text("case number" if role == "regulator" else "does not open this page")
        if role == "operator":
            expect(words).not_to_contain_text("case number")
        visit.close()


def test_a_platforms_pages_say_what_the_api_gives_it(browser: Browser, world: World) -> None:
    with served(world, no_auth=False) as address:
        visit = opened(browser, address, world.key("platform", "A"))
        visit.open("/")
        page = visit.page
        expect(page.locator("#platform-only")).to_contain_text("own riders only")
        assert "Reading" not in page.locator("main").inner_text()
        for hidden in ("#counters", "#city-time", "#who_held", "#who_near"):
            expect(page.locator(hidden)).to_be_hidden()
        expect(page.locator("#feed")).to_contain_text(OWN)
        expect(page.locator("#feed")).not_to_contain_text(OTHER)
        visit.open(f"/rider/{OWN}")
        expect(page.locator("#rider-words")).to_contain_text("may get no new order now")
        expect(page.locator("#why")).to_contain_text("How to contest")
        expect(page.locator("#why .w-intervals")).to_contain_text("Hidden from platforms")
        assert page.locator("#told li").count() > 1
        expect(page.locator("#day")).to_be_hidden()
        expect(page.locator("#limits")).to_be_hidden()
        assert visit.violations() == []
        visit.open(f"/rider/{OTHER}")
        expect(page.locator("#rider-words")).to_contain_text("Nothing is known")
        visit.close()
