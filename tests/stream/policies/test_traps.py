"""What ``respite policy check`` warns of: legal, and hardly meant."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.policy import load_policy
from stream.policies.loader import builtin_names, load, policy_files
from stream.policies.traps import traps
from tests.schemas.test_policy import HEAD, LIMIT

TODAY = date(2026, 1, 1)
ELAPSED = 'effect = "hold"\nrelease = "elapsed"\nhold_for = "20min"'
ROLLING = 'kind = "rolling"\nclock = "order"\nlimit = "10h"\nwindow = "24h"\n'


def limit(text: str) -> str:
    return f'{HEAD}[[limit]]\nname = "c"\nmessage = {{ zh = "休息", en = "rest" }}\n{text}\n'


def warned(text: str) -> list[str]:
    return traps(load_policy(text, "p.toml"), TODAY)


def test_a_rolling_limit_that_falls_silent_for_good_is_warned_of() -> None:
    (said,) = warned(limit(ROLLING + ELAPSED))
    assert said == (
        'limit[1] "c": after its hold of 20min it is silent for good while the count stays at 10h or above: '
        'name a `reset`, or release = "window"'
    )
    assert warned(limit(ROLLING + 'reset = "20min"\n' + ELAPSED)) == []
    assert warned(limit(ROLLING + 'effect = "hold"')) == []


def test_a_hold_that_ends_before_a_rest_can_is_warned_of() -> None:
    kind = 'kind = "continuous"\nclock = "order"\nlimit = "4h"\nreset = "30min"\n'
    assert "is over before a rest of 30min can be" in warned(limit(kind + ELAPSED))[0]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Etc/GMT+8", "lies 8 h west of Greenwich, UTC-8: its sign is turned round"),
        ("Etc/GMT-8", "lies 8 h east of Greenwich, UTC+8"),
        ("EST", "is an old short name"),
    ],
)
def test_a_zone_that_is_hardly_meant_is_warned_of(zone: str, said: str) -> None:
    assert said in warned((HEAD + LIMIT).replace("Asia/Shanghai", zone))[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "day"\nclock = "order"\nlimit = "24h"\neffect = "remind"', "on a day longer than 24 h"),
        ('kind = "week"\nclock = "order"\nlimit = "7d"\neffect = "remind"', "in a week with a longer day"),
        (
            'kind = "continuous"\nclock = "order"\nlimit = "4h"\nreset = "20s"\neffect = "remind"',
            "every pause",
        ),
        (
            'kind = "continuous"\nclock = "order"\nlimit = "4min"\nreset = "20min"\neffect = "remind"',
            "the unit",
        ),
    ],
)
def test_amounts_that_are_hardly_meant_are_warned_of(text: str, said: str) -> None:
    assert said in warned(limit(text))[0]


def test_a_hold_without_a_message_and_a_date_to_come_are_warned_of() -> None:
    text = (HEAD + LIMIT).replace('message = { zh = "休息", en = "rest" }\n', "").replace("2025", "2027")
    assert [one.partition(": ")[2][:30] for one in warned(text)] == [
        "2027-12-04 has not come yet: u",
        "has no `message`: the rider is",
    ]


def test_what_comes_with_respite_is_not_warned_of() -> None:
    assert [text for name in builtin_names() for text in traps(load(name), date(2100, 1, 1))] == []


def test_a_folder_is_all_policies_in_it_and_below(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("z.toml", "a/b.toml", "notes.txt"):
        (tmp_path / name).write_text(HEAD + LIMIT, encoding="utf-8")
    assert policy_files(str(tmp_path)) == [str(tmp_path / "a" / "b.toml"), str(tmp_path / "z.toml")]
    assert policy_files("cn-gbt-2025") == ["cn-gbt-2025"]
