"""Bans and conditional limits in policy files: what is good, and what is refused in words."""

from __future__ import annotations

import pytest

from schemas.policy import InvalidPolicy, load_policy
from tests.schemas.test_policy_rulebook import CONTINUOUS, HEAD, ROLLING, WEEK, faults

BAN = HEAD + 'kind = "ban"\nclock = "online"\n'
HOURS = BAN + 'between = ["12:00", "17:00"]\n'
HEAT = BAN + 'condition = "heat-40"\n'


@pytest.mark.parametrize(
    "text",
    [
        HEAT,
        HEAT + 'warn_before = ["30min", "2h"]\nrelease = "window"',
        HEAT + 'release = "elapsed"\nhold_for = "1h"',
        HEAT.replace('"hold"', '"remind"'),
        HOURS,
        HOURS + 'dates = ["06-01", "09-15"]\nzones = ["310105", "3102*"]',
        HOURS + 'dates = ["11-15", "02-29"]',
        BAN + 'between = ["22:00", "06:00"]',
        CONTINUOUS + 'when = "heat-37"',
        WEEK + 'limit = "20h"\nwhen = "heat-37"\nbetween = ["22:00", "06:00"]',
        ROLLING + 'when = "heat-37"',
    ],
)
def test_what_bans_and_conditions_say_can_be_written(text: str) -> None:
    assert load_policy(text, "file.toml").limits[0].name == "a"


def test_a_ban_that_holds_is_released_with_its_window() -> None:
    assert load_policy(HEAT, "file.toml").limits[0].release == "window"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BAN, "`condition` or `between` is missing: kind ban needs one of them"),
        (HOURS + 'condition = "heat"', "`condition` and `between` are two ways to say when a ban is on"),
        (HEAT + 'limit = "4h"', "`limit` has no meaning for kind ban"),
        (HEAT + 'reset = "4h"', "`reset` has no meaning for kind ban"),
        (HEAT + 'window = "4h"', "`window` has no meaning for kind ban"),
        (HEAT + 'rest = "4h"', "`rest` has no meaning for kind ban"),
        (HEAT + 'remind_every = "1h"', "`remind_every` has no meaning for kind ban"),
        (HEAT + 'day_start = "04:00"', "`day_start` has no meaning for kind ban"),
        (HEAT + 'release = "rest"', '`release` "rest" is not allowed for kind ban with effect hold'),
        (HEAT + 'when = "heat"', "`when` goes with the other kinds: of a ban write `condition`"),
        (HEAT + 'zones = ["310105"]', "`zones` goes with `between`: a condition says itself where"),
        (HEAT + 'dates = ["06-01", "09-15"]', "`dates` goes with `between`"),
        (HEAT.replace('"hold"', '"confirm"'), "`effect` confirm has no meaning for kind ban"),
        (HOURS + 'dates = ["06-01"]', 'is no pair of days of the year: write it like ["06-01", "09-15"]'),
        (HOURS + 'dates = ["06-31", "09-15"]', 'there is no "06-31"'),
        (HOURS + 'zones = ["3101**"]', '"3101**" is no zone'),
        (HOURS + "zones = []", "zones"),
        (
            CONTINUOUS + 'condition = "heat"',
            "`condition` goes with kind ban only: for other kinds write `when`",
        ),
        (CONTINUOUS + 'dates = ["06-01", "09-15"]', "`dates` goes with kind ban only"),
        (CONTINUOUS + 'zones = ["3101*"]', "`zones` goes with kind ban only"),
        (CONTINUOUS + 'when = "heat 37"', "a space cannot stand in it: write 1 to 64 characters"),
        (
            CONTINUOUS + 'temperature = "37"',
            'what is announced of zones, like heat, is a condition: kind "ban"',
        ),
    ],
)
def test_what_contradicts_itself_is_said(text: str, said: str) -> None:
    assert said in faults(text)


EXAMPLE = (
    HEAT
    + '[[limit]]\nname = "b"\nkind = "day"\nclock = "order"\nlimit = "6h"\neffect = "remind"\n'
    + 'when = "heat-37"\n'
    + '[[example]]\ntitle = "t"\nsource = "ours"\ndate = 2026-07-12\nreached = []\n'
)
SPANS = 'spans = ["08:00-09:00 online @uber #310105"]\n'


def test_an_examples_conditions_and_zones_are_read() -> None:
    lines = (
        '"heat-40 310105,3102* 22:00-01:00 announced 20:30", "heat-37 * D2 11:00-17:00 announced D1 20:30"'
    )
    example = load_policy(EXAMPLE + SPANS + f"conditions = [{lines}]", "f").examples[0]
    assert (example.timeline[0].platform, example.timeline[0].zone) == ("uber", "310105")
    first, second = example.announced
    assert (first.zones, first.end_s - first.begin_s) == (("310105", "3102*"), 3 * 3_600)
    assert (first.announced_s, second.begin_s, second.announced_s) == (73_800, 126_000, 73_800)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SPANS + 'conditions = ["heat-40 310105 11:00-17:00"]',
            "is no condition of an example: write it like",
        ),
        (SPANS + 'conditions = ["heat-41 3 11:00-17:00 announced 10:00"]', 'did you mean "heat-40"?'),
        (SPANS + 'conditions = ["heat-40 3**1 11:00-17:00 announced 10:00"]', "is no zone"),
        ('spans = ["08:00-09:00 driving #310105"]', "a duty says no zone"),
        ('spans = ["08:00-09:00 online #31/05"]', "a zone is 1 to 64 characters"),
    ],
)
def test_what_is_wrong_in_an_example_is_said(text: str, said: str) -> None:
    with pytest.raises(InvalidPolicy, match="policy refused") as refused:
        load_policy(EXAMPLE + text, "file.toml")
    assert said in str(refused.value)
