"""The pages say the same as the API, number by number and rider by rider, to every role."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser import Visit
from tests.console.served import OTHER, OWN, a_day, served
from tests.stream.api.world import World

STATUSES = ("hold", "approaching", "clear")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"), policy=("cn-gbt-2025", "cn-meituan-2024"))
    a_day(made)
    # More zones and platforms, so that a regulator has small cells and large ones.
    for number in range(24):
        rider = f"r-more-{number}"
        made.send(
            rider, "order_accepted", int(made.wall_s) - 900, "AC"[number % 2], zone=f"3101{number % 3:02d}"
        )
    made.judge()
    return made


def asked(address: str, path: str, key: dict[str, str]) -> Any:
    with urlopen(Request(address + path, headers=key)) as answer:  # noqa: S310 - our own server
        return json.loads(answer.read())


def opened(browser: Browser, address: str, key: dict[str, str]) -> Visit:
    visit = Visit(browser, address)
    visit.page.goto(f"{address}/#/policies")
    visit.page.fill("#key-input", key["Authorization"].removeprefix("Bearer "))
    visit.page.click("button.main")
    visit.page.wait_for_selector("article")
    return visit


def cell(count: int | None, k: int | None) -> str:
    """A count as a page shows it."""
    return "0" if count is None else f"< {k}" if count < 0 else f"{count:,}"


def lines(visit: Visit, table: str, rows: int) -> list[list[str]]:
    expect(visit.page.locator(f"#{table} tbody tr")).to_have_count(rows)
    found = visit.page.locator(f"#{table} tbody tr").all()
    return [[" ".join(one.split()) for one in row.locator("th, td").all_inner_texts()] for row in found]


@pytest.mark.parametrize("role", ["dispatcher", "operator", "regulator"])
def test_counts_and_riders_are_those_of_the_api(browser: Browser, world: World, role: str) -> None:
    key = world.key(role)
    with served(world, no_auth=False) as address:
        told = asked(address, "/v1/overview", key)
        k = told["k"]
        visit = opened(browser, address, key)
        visit.open("/city")
        names = sorted({*told["riders_by_platform"], *told["breaches_by_platform"]})
        of, breaches = told["riders_by_platform"], told["breaches_by_platform"]
        assert sorted(lines(visit, "by_platform", len(names))) == [
            [name, *(cell(of.get(name, {}).get(one), k) for one in STATUSES), cell(breaches.get(name), k)]
            for name in names
        ]
        assert sorted(lines(visit, "by_zone", len(told["riders_by_zone"]))) == [
            [name, *(cell(cells[one], k) for one in STATUSES)]
            for name, cells in sorted(told["riders_by_zone"].items())
        ]
        visit.open("/")
        numbers = {"on_hold": "hold", "approaching": "approaching", "clear": "clear"}
        for name, status in numbers.items():
            shown = visit.page.locator(f"#count-{name} .value")
            expect(shown).to_have_text(cell(told["statuses"][status], k))
        expect(visit.page.locator("#count-riders .value")).to_have_text(cell(told["riders"], k))
        for place, people in (("who_held", told["on_hold"]), ("who_near", told["nearest"])):
            expect(visit.page.locator(f"#{place} a.id")).to_have_count(len(people))
            links = visit.page.locator(f"#{place} a.id").all_inner_texts()
            assert sorted(links) == sorted(one["rider_id"] for one in people)
        assert bool(told["on_hold"]) == (role == "dispatcher")
        visit.close()


@pytest.mark.parametrize(("role", "rider"), [("dispatcher", OWN), ("dispatcher", OTHER), ("platform", OWN)])
def test_a_riders_page_says_his_status_as_the_api_does(
    browser: Browser, world: World, role: str, rider: str
) -> None:
    key = world.key(role, "A" if role == "platform" else None)
    with served(world, no_auth=False) as address:
        told = asked(address, f"/v1/riders/{rider}", key)
        alerts = asked(address, f"/v1/riders/{rider}/alerts", key)["alerts"]
        visit = opened(browser, address, key)
        visit.open(f"/rider/{rider}")
        words = {"hold": "On hold", "approaching": "Near a limit", "clear": "Clear"}[told["status"]]
        expect(visit.page.locator("#rider-status")).to_contain_text(words, ignore_case=True)
        expect(visit.page.locator("#told li")).to_have_count(len(alerts))
        visit.close()
