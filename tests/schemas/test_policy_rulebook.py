"""The rulebook's keys in policy files: what is good, and what is refused in words."""

from __future__ import annotations

import pytest

from schemas.policy import InvalidPolicy, load_policy

HEAD = """
name = "p"
version = 1
time_zone = "Asia/Shanghai"
modality = "law"
title = { zh = "名", en = "name" }
source = "a source"
[[limit]]
name = "a"
effect = "hold"
"""
CONTINUOUS = HEAD + 'kind = "continuous"\nclock = "driving"\nlimit = "4h30min"\nreset = "45min"\n'
ROLLING = HEAD + 'kind = "rolling"\nclock = "order"\nlimit = "8h"\nwindow = "7d"\n'
WEEK_REST = HEAD + 'kind = "rest_within"\nclock = "duty"\nper = "week"\nrest = "24h"\n'
WEEK = HEAD + 'kind = "week"\nclock = "duty"\n'


def faults(text: str) -> str:
    with pytest.raises(InvalidPolicy) as refused:
        load_policy(text, "file.toml")
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        CONTINUOUS + 'reset_parts = ["15min", "30min"]',
        CONTINUOUS + 'reset_sum = "45min"\nreset_sum_parts = "10min"',
        CONTINUOUS + 'reset_clock = "duty"',
        WEEK + 'limit = "816h"\nweeks = 17\nweek_start = "sunday"\nday_start = "04:00"',
        HEAD + 'kind = "month"\nclock = "order"\nlimit = "300h"\nwarn_before = ["10d"]\nday_start = "04:00"',
        WEEK_REST + 'week_start = "sunday"\nday_start = "04:00"\nrelease = "window"',
        WEEK + 'limit = "20h"\nbetween = ["22:00", "06:00"]\nweeks = 2',
        ROLLING + 'between = ["06:00", "22:00"]',
        ROLLING + 'between = ["00:00", "00:00"]',
        "valid_from = 2026-01-01\nvalid_until = 2026-01-01" + CONTINUOUS,
    ],
)
def test_what_the_rulebook_says_can_be_written(text: str) -> None:
    assert load_policy(text, "file.toml").limits[0].name == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CONTINUOUS + 'reset_parts = ["50min", "10min"]', "`reset_parts` 50min must be below `reset`"),
        (CONTINUOUS + 'reset_parts = ["15min"]', "`reset_parts` has 1, must be 2 to 4 rests"),
        (CONTINUOUS + 'reset_parts = ["30s", "15min"]', "`reset_parts` 30s must be at least 1min"),
        (CONTINUOUS + 'reset_sum = "45min"', "`reset_sum` and `reset_sum_parts` go together"),
        (
            CONTINUOUS + 'reset_sum = "1h"\nreset_sum_parts = "10min"',
            "`reset_sum` 1h must be at most",
        ),
        (CONTINUOUS + 'reset_clock = "order"', '`reset_clock` "order" does not run whenever driving does'),
        (CONTINUOUS + "weeks = 3", "`weeks` has no meaning for kind continuous"),
        (CONTINUOUS + 'day_start = "4:00"', '"4:00" is no local time'),
        (CONTINUOUS + 'between = ["22:00", "06:00"]', "`between` has no meaning for kind continuous"),
        (
            ROLLING + 'reset = "1h"\nbetween = ["22:00", "06:00"]',
            "`between` goes with kind rolling only without",
        ),
        (
            ROLLING + 'between = ["22:00"]',
            '["22:00"] is no pair of local times: write it like ["22:00", "06:00"]',
        ),
        (ROLLING + 'between = ["22:00", "6:00"]', "is no pair of local times"),
        (CONTINUOUS + 'per = "week"', "`per` has no meaning for kind continuous"),
        (WEEK_REST + 'window = "7d"', "`window` and `per` are two ways to say it: name one of them"),
        (WEEK_REST.replace("week", "month"), '"month" must be one of "week"'),
        (WEEK_REST + "weeks = 2", "`weeks` has no meaning for kind rest_within"),
        (WEEK_REST.replace("24h", "7d"), "`rest` 7d must be shorter than every week"),
        (
            WEEK_REST.replace('per = "week"', 'week_start = "sunday"\nwindow = "7d"'),
            "`week_start` has no meaning",
        ),
        (WEEK_REST + 'release = "rest"', '`release` "rest" is not allowed for kind rest_within'),
        (
            "valid_from = 2026-01-01\nvalid_until = 2025-12-31" + CONTINUOUS,
            "`valid_until` 2025-12-31 is before `valid_from` 2026-01-01: the policy is never in force",
        ),
        ('valid_until = "soon"' + CONTINUOUS, 'valid_until: "soon" must be a date'),
        (WEEK + 'limit = "40h"\nreset_clock = "duty"', "`reset_clock` goes with a `reset` only"),
        (
            WEEK + 'limit = "40h"\nreset_parts = ["15min", "30min"]',
            "`reset_parts` has no meaning for",
        ),
        (WEEK + 'limit = "340h"\nweeks = 2', "is never reached in 2 weeks"),
        (WEEK + 'limit = "2001h"\nweeks = 20', "must be above zero and at most 2000h"),
        (CONTINUOUS.replace("4h30min", "15d"), "`limit` 15d must be at most 14d for kind continuous"),
    ],
)
def test_what_contradicts_itself_or_is_not_judged_is_refused_in_words(text: str, said: str) -> None:
    assert said in faults(text)
