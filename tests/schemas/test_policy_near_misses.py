"""What other rules ask for, and slips of the pen: each is refused with what it is and what comes nearest."""

from __future__ import annotations

import pytest

from schemas.policy import InvalidPolicy, load_policy

_HEAD = """
name = "x"
version = 1
time_zone = "Asia/Shanghai"
modality = "law"
title = { zh = "名", en = "name" }
source = "a test"
[[limit]]
name = "l"
"""
#: The lines of a limit, and what is said of them.
ASKED = [
    (
        'kind = "continuous"; clock = "duty"; limit = "6h"; pause = "20min"',
        "a break is a rest: it is written as `reset`",
    ),
    (
        'kind = "rolling"; clock = "duty"; limit = "12h"; window = "24h"; bands = ["minor", "severe"]',
        "bands of severity cannot be said",
    ),
    ('kind = "night_rest"; clock = "duty"; limit = "7h"', 'nearest is "day" or "week" with `between'),
    ('kind = "day"; clock = "driving"; limit = "13h"; defer = "2h"', "Nearest are two limits"),
    (
        'kind = "day"; clock = "driving"; limit = "9h"; extend_to = "10h"; twice_a = "week"',
        "like 10 h twice a week, cannot be said",
    ),
    (
        (
            'kind = "rest_within"; per = "week"; rest = "45h"; reduced = "24h"; compensation = "3 weeks"; '
            'clock = "duty"'
        ),
        "rest that is owed and made up for later cannot be said",
    ),
    (
        'kind = "continuous"; clock = "driving"; limit = "11h"; reset = "10h"; sleeper_split = ["7h", "3h"]',
        "Nearest is `reset_parts`",
    ),
    (
        (
            'kind = "continuous"; clock = "driving"; limit = "11h"; reset = "10h"; '
            'reset_parts = ["7h", "3h", "2h", "1h", "1h"]'
        ),
        "must be 2 to 4 rests",
    ),
    ('kind = "two_day_average"; clock = "driving"; limit = "9h"', 'nearest is "week" with `weeks`'),
    (
        'kind = "year"; clock = "duty"; limit = "3300h"; effect = "remind"',
        'no window is longer than 26 weeks or a month: nearest is "week" with `weeks`',
    ),
    (
        'kind = "quarter"; clock = "duty"; limit = "500h"; effect = "remind"',
        "no window is longer than 26 weeks",
    ),
    (
        'kind = "rolling"; clock = "duty"; limit = "1900h"; window = "365d"; effect = "remind"',
        'nearest to a longer window is kind "month"',
    ),
    (
        'kind = "week"; clock = "duty"; weeks = 52; limit = "1900h"; effect = "remind"',
        "52 must be from 2 to 26 weeks",
    ),
    (
        'kind = "rolling"; clock = "duty"; limit = "200h"; window = "30d"; effect = "remind"',
        'nearest to a longer window is kind "month"',
    ),
    ('kind = "fortnight"; clock = "driving"; limit = "90h"', 'nearest is "week" with `weeks = 2`'),
    (
        'kind = "continuous"; clock = "moving"; limit = "12h"; reset = "6h"',
        'movement is not recorded: nearest is "driving"',
    ),
    ('kind = "day"; clock = "work"; limit = "10h"', 'nearest is "duty"'),
    ('kind = "day"; clock = "engaged"; limit = "10h"', 'nearest is "order"'),
    ('kind = "day"; clock = "order"; limit = "200km"', "limits count time, not distance"),
    ('kind = "day"; clock = "order"; max_orders = 40; limit = "8h"', "orders are not counted"),
    ('kind = "day"; clock = "order"; limit = 8', 'write "8h"'),
    ('kind = "day"; clock = "order"; limit = "8 hours"', 'write it like "8h"'),
    ('kind = "continuous"; clock = "driving"; limit = "4.5h"; reset = "45min"', 'write it like "4h30min"'),
    ('kind = "continuous"; clock = "driving"; limit = "4h30"; reset = "45min"', 'write it like "4h30min"'),
    ('kind = "continuous"; clock = "driving"; limit = "4h"; reset = "45m"', 'write it like "45min"'),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; rest = "45min"',
        "`rest` has no meaning for kind continuous",
    ),
    ('kind = "continous"; clock = "driving"; limit = "4h"; reset = "45min"', 'did you mean "continuous"?'),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; reset = "45min"; efect = "hold"',
        "did you mean `effect`, which is missing?",
    ),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; reset = "45min"; effect = "forced_offline"',
        "a hold is a stop for safety that ends by itself",
    ),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; reset = "45min"; effect = "fine"',
        "no penalty: nearest is hold",
    ),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; reset = "45min"; release = "day"',
        "the end of a day, week or month is window",
    ),
    (
        'kind = "continuous"; clock = "duty"; limit = "4h"; reset = "45min"; between = ["22:00", "06:00"]',
        "it goes with day, week, month, rolling and ban",
    ),
    ('kind = "day"; clock = "duty"; limit = "4h"; between = ["22:00", "24:00"]', 'midnight as "00:00"'),
    (
        'kind = "day"; clock = "duty"; limit = "4h"; between = "22:00-06:00"',
        'write it like ["22:00", "06:00"]',
    ),
    (
        'kind = "rest_within"; clock = "duty"; window = "24h"; rest = "7h"; between = ["22:00", "08:00"]',
        "`between` has no meaning for kind rest_within",
    ),
    ('kind = "rest_within"; clock = "duty"; per = "fortnight"; rest = "24h"', 'nearest is `per = "week"`'),
    ('kind = "rest_within"; clock = "duty"; per = "month"; rest = "96h"', 'nearest is `per = "week"`'),
    (
        'kind = "day"; clock = "duty"; limit = "8h"; days = ["monday", "friday"]',
        "days are not told apart by weekday",
    ),
    (
        'kind = "day"; clock = "duty"; limit = "8h"; except_holidays = true',
        "days are not told apart by weekday, holiday",
    ),
    (
        'kind = "day"; clock = "duty"; limit = "8h"; under_age = 18',
        "a policy of its own for those whom it concerns",
    ),
    (
        'kind = "continuous"; clock = "order"; max_speed = "15km/h"; limit = "4h"; reset = "20min"',
        "distance, speed and movement are not recorded",
    ),
    (
        'kind = "day"; clock = "duty"; limit = "10h"; consecutive_days = 6',
        "days, nights or shifts in a row are not counted",
    ),
    ('kind = "consecutive_days"; clock = "duty"; limit = "6d"', "days in a row are not counted"),
    ('kind = "day"; clock = "order"; limit = "8h"; allowance = "15%"', "no share can be added"),
    ('kind = "day"; clock = "order"; limit = "8h"; factor = 1.3', "time counts once and whole"),
    (
        'kind = "day"; clock = "online"; limit = "12h"; platform = "uber"',
        "hours are added up over all platforms",
    ),
    (
        'kind = "day"; clock = "online"; limit = "12h"; per_platform = true',
        "hours are added up over all platforms",
    ),
    ('kind = "day"; clock = "duty"; limit = "12h"; round_up = "15min"', "whole seconds count as they are"),
    (
        'kind = "rolling"; clock = "loaded"; limit = "10h"; window = "24h"; anchor = "shift_start"',
        'Nearest to a window from a shift\'s beginning is kind "span"',
    ),
    (
        'kind = "rest_within"; clock = "duty"; window = "24h"; rest = "11h"; from = "end_of_rest"',
        "where counting begins follows from the kind",
    ),
    ('kind = "day"; clock = "duty"; limit = "12h"; warn_before = "30min"', 'must be a list like ["30min"]'),
    ('kind = "day"; clock = "duty"; limit = "12h"; warn_at = "80%"', "an early warning is `warn_before`"),
    (
        'kind = "day"; clock = "duty"; limit = "12h"; hold_for = "20min"',
        '`hold_for` goes with release "elapsed" only',
    ),
    ('kind = "rest_total"; clock = "duty"; limit = "2h"', 'nearest is "rest_within"'),
    (
        'kind = "continuous"; clock = "driving"; limit = "4h"; reset = "30min"; reset_sum = "30min"',
        "`reset_sum` and `reset_sum_parts` go together",
    ),
    (
        (
            'kind = "continuous"; clock = "driving"; limit = "4h30min"; reset = "45min"; '
            'reset_parts = ["45min", "15min"]'
        ),
        "must be below `reset`",
    ),
    ('kind = "week"; clock = "duty"; limit = "48h"; week_start = "Sun"', 'did you mean "sunday"?'),
    ('kind = "week"; clock = "duty"; weeks = 17; average = "48h"', "averages over days"),
    ('kind = "week"; clock = "duty"; weeks = 17; limit = "3000h"', "at most 2000h"),
    ('kind = "month"; clock = "duty"; limit = "200h"; month_start = 15', "months begin on the 1st"),
    (
        'kind = "day"; clock = "duty"; limit = "8h"; between = ["sunset", "sunrise"]',
        "is no pair of local times",
    ),
]


@pytest.mark.parametrize(("lines", "said"), ASKED)
def test_a_limit_beyond_the_grammar_is_refused_with_what_comes_nearest(lines: str, said: str) -> None:
    effect = "" if "fect = " in lines else 'effect = "hold"\n'
    with pytest.raises(InvalidPolicy) as refused:
        load_policy(_HEAD + effect + lines.replace("; ", "\n"), "f.toml")
    faults = str(refused.value).splitlines()[1:]
    assert any(said in one for one in faults), faults
    assert all(one.startswith("  limit[1]") for one in faults), faults
