"""Policy files: what is good, what is refused, and that all faults are told at once."""

from __future__ import annotations

import pytest

from schemas.durations import parse_duration, write_duration
from schemas.policy import InvalidPolicy, load_policy
from stream.policies.loader import builtin_names, load, load_all

HEAD = """
name = "p"
version = 1
time_zone = "Asia/Shanghai"
valid_from = 2025-12-04
modality = "standard"
title = { zh = "名", en = "name" }
source = "a source"
"""
LIMIT = """
[[limit]]
name = "c"
kind = "continuous"
clock = "order"
limit = "4h"
reset = "20min"
effect = "hold"
message = { zh = "休息", en = "rest" }
"""


def faults(text: str) -> str:
    with pytest.raises(InvalidPolicy) as refused:
        load_policy(text, "file.toml")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("4h", 14_400), ("1h30min", 5_400), ("14d", 1_209_600), ("1d1h1min1s", 90_061), ("90min", 5_400)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(write_duration(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "4", "4 h", "1min1h", "1h1h", "0s", "14d1s", "-1h", "1.5h", "4H", 4, None, "٤h"]
)
def test_other_durations_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|above zero|with its unit"):
        parse_duration(text)


def test_the_first_two_policies_are_good_and_cited() -> None:
    assert {"cn-gbt-2025", "cn-meituan-2024"} <= set(builtin_names())
    gbt, meituan = load("cn-gbt-2025"), load("cn-meituan-2024")
    assert [(one.name, one.kind, one.clock, one.limit_s, one.effect, one.release) for one in gbt.limits] == [
        ("continuous-4h", "continuous", "order", 14_400, "hold", "rest"),
        ("day-8h", "day", "order", 28_800, "confirm", "confirm"),
    ]
    assert [(one.warn_before_s, one.reset_s) for one in gbt.limits] == [((1_800,), 1_200), ((1_800,), None)]
    assert [(one.name, one.limit_s, one.effect, one.release) for one in meituan.limits] == [
        ("day-8h", 28_800, "remind", None),
        ("day-12h", 43_200, "hold", "window"),
    ]
    assert [(one.remind_every_s, one.warn_before_s) for one in meituan.limits] == [
        (3_600, ()),
        (None, (3_600,)),
    ]
    for policy in (gbt, meituan):
        assert policy.time_zone == "Asia/Shanghai"
        assert policy.source
        assert all(one.message for one in policy.limits)


@pytest.mark.parametrize(
    ("kind", "effect", "default"),
    [
        ("continuous", "hold", "rest"),
        ("span", "hold", "rest"),
        ("day", "hold", "window"),
        ("rolling", "hold", "window"),
        ("rolling+reset", "hold", "rest"),
        ("rest_within", "hold", "rest"),
        ("week", "confirm", "confirm"),
        ("day", "remind", None),
    ],
)
def test_the_first_release_allowed_is_the_default(kind: str, effect: str, default: str | None) -> None:
    name, _, reset = kind.partition("+")
    pieces = {
        "continuous": 'limit = "4h"\nreset = "20min"',
        "span": 'limit = "4h"\nreset = "20min"',
        "day": 'limit = "4h"',
        "week": 'limit = "4h"',
        "rolling": 'limit = "4h"\nwindow = "24h"' + ('\nreset = "6h"' if reset else ""),
        "rest_within": 'window = "24h"\nrest = "11h"',
    }[name]
    text = f'{HEAD}[[limit]]\nname = "x"\nkind = "{name}"\nclock = "order"\neffect = "{effect}"\n{pieces}\n'
    (limit,) = load_policy(text, "x").limits
    assert limit.release == default
    assert limit.amount_s == (13 * 3_600 if name == "rest_within" else 14_400)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "continuous"', 'kind = "weekly"', 'limit[1] "c".kind'),
        ('clock = "order"', 'clock = "moving"', 'limit[1] "c".clock'),
        ('limit = "4h"', "", "`limit` is missing"),
        ('reset = "20min"', "", "`reset` is missing"),
        ('reset = "20min"', 'reset = "20min"\nwindow = "24h"', "`window` has no meaning"),
        ('effect = "hold"', 'effect = "remind"\nrelease = "rest"', "is not allowed"),
        (
            'effect = "hold"',
            'effect = "hold"\nrelease = "window"',
            '(the same as leaving it out) or "elapsed"',
        ),
        ('effect = "hold"', 'effect = "hold"\nrelease = "elapsed"', "`hold_for` is missing"),
        ('effect = "hold"', 'effect = "hold"\nhold_for = "1h"', 'release "elapsed" only'),
        ('effect = "hold"', 'effect = "hold"\nwarn_before = ["4h"]', "below the limit"),
        ('effect = "hold"', 'effect = "hold"\nwarn_before = ["1h", "60min"]', "twice"),
        ('effect = "hold"', 'effect = "hold"\nremind_every = "59s"', "at least 1min"),
        ('effect = "hold"', 'effect = "hold"\nlimit_s = 5', "unknown key"),
        ('limit = "4h"', 'limit = "15d"', "at most 14d"),
        ('name = "c"', 'name = "c c"', 'limit[1] "c c".name'),
        ("version = 1", "version = 0", "version"),
        ("version = 1", 'version = "1"', "version"),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', "no time zone"),
        ('source = "a source"', "", "source: is missing"),
        ('name = "p"', 'name = "p"\nowner = "x"', "owner: unknown key"),
    ],
)
def test_a_faulty_policy_is_refused_with_the_place_and_the_remedy(old: str, new: str, said: str) -> None:
    text = HEAD + LIMIT
    assert old in text
    assert said in faults(text.replace(old, new, 1))


def test_all_faults_are_told_at_once() -> None:
    text = HEAD.replace("version = 1", "version = 0") + LIMIT.replace('"4h"', '"4 h"') + LIMIT
    said = faults(text)
    for place in ("version", 'limit[1] "c".limit', "file.toml"):
        assert place in said


def test_names_are_unique_in_a_policy_and_in_a_run() -> None:
    assert "must be unique" in faults(HEAD + LIMIT + LIMIT)
    with pytest.raises(InvalidPolicy, match="named twice"):
        load_all(["cn-gbt-2025", "cn-gbt-2025"])
    with pytest.raises(InvalidPolicy, match="no such policy"):
        load_all(["nowhere"])


def test_more_than_thirty_two_limits_are_refused() -> None:
    many = "".join(LIMIT.replace('"c"', f'"c{n}"') for n in range(33))
    assert "32" in faults(HEAD + many)
