"""Replay judges by what was in force at each instant, and says which policies it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.policy import InvalidPolicy
from stream.offline.replay import replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.short_policies import online_policy

FROM, UNTIL = "valid_from = 2026-01-01", "valid_until = 2026-01-10"


@pytest.fixture
def history(tmp_path: Path) -> str:
    """A rider online on two days: on the 5th and on the 12th, Shanghai's time."""
    path = tmp_path / "history.ndjson"
    lines = [
        {
            "schema": "work-state/1", "event_id": f"e{day}{kind}", "rider_id": "r", "platform": "p",
            "event_time": f"2026-01-{day}T10:0{minute}:00+08:00", "type": kind,
        }
        for day in ("05", "12")
        for minute, kind in ((0, "online"), (5, "offline"))
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def files(tmp_path: Path, *texts: str) -> list[str]:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.toml").write_text(text, encoding="utf-8")
    return [str(tmp_path / f"{number}.toml") for number in range(len(texts))]


def reached(history: str, names: list[str], *, regardless: bool = False) -> list[tuple[str, str]]:
    found, bad = replay([history], load_all(names), Settings().store(0), None, regardless_of_dates=regardless)
    assert not bad
    told = [one for one in found.alerts if one["kind"] == "limit_reached"]
    return [(one["policy"], one["event_time"][:10]) for one in told]


def test_each_version_judges_in_its_time(history: str, tmp_path: Path) -> None:
    older = online_policy("p", 60).replace(FROM, UNTIL)
    newer = (
        online_policy("p", 120).replace("version = 1", "version = 2").replace(FROM, "valid_from = 2026-01-11")
    )
    names = files(tmp_path, older, newer)
    assert reached(history, names) == [("p@1", "2026-01-05"), ("p@2", "2026-01-12")]
    assert reached(history, names, regardless=True) == [
        ("p@1", "2026-01-05"), ("p@2", "2026-01-05"), ("p@1", "2026-01-12"), ("p@2", "2026-01-12"),
    ]  # fmt: skip


def test_versions_in_force_at_once_are_refused(tmp_path: Path) -> None:
    names = files(
        tmp_path, online_policy("p", 60), online_policy("p", 60).replace("version = 1", "version = 2")
    )
    with pytest.raises(InvalidPolicy, match=r"version 1 .in force from 2026-01-01. and version 2 .* at once"):
        load_all(names)


def test_a_policy_that_is_left_out_is_said(
    history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = files(tmp_path, online_policy("p", 60).replace(FROM, "valid_from = 2027-01-01"))
    assert reached(history, names) == []
    assert "p@1 is left out: it is in force from 2027-01-01" in capsys.readouterr().err
    assert len(reached(history, names, regardless=True)) == 2
    assert "left out" not in capsys.readouterr().err
