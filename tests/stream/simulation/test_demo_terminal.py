"""What the demonstration writes on a terminal: one line per alert, its sentence once, a whole summary."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from stream.simulation import demo_terminal
from stream.simulation.demo_terminal import DemoTerminal

SENTENCE = {"zh": "请休息。", "en": "Take a rest."}


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> DemoTerminal:
    monkeypatch.setattr(demo_terminal, "_AT_MOST_EVERY_S", 0.0)
    return DemoTerminal(Console(file=io.StringIO(), width=160))


def written(board: DemoTerminal) -> list[str]:
    assert isinstance(board.console.file, io.StringIO)
    return board.console.file.getvalue().splitlines()


def alert(kind: str, rider: str, **changed: Any) -> dict[str, Any]:
    document = {
        "kind": kind, "rider_id": rider, "event_time": "2026-11-24T12:31:00+08:00", "policy": "cn-gbt-2025",
        "limit": "continuous-4h", "counted_s": 14_400, "platform": None, "message": SENTENCE,
    }  # fmt: skip
    return document | changed


def test_the_sentence_of_a_limit_is_written_below_its_first_alert_of_a_kind_alone(
    board: DemoTerminal,
) -> None:
    for rider in ("r-1", "r-2", "r-3"):
        board.alert(alert("limit_reached", rider))
    board.alert(alert("approaching", "r-4"))
    board.alert(alert("limit_reached", "r-5", limit="day-12h"))
    lines = written(board)
    assert [line.split()[2] for line in lines if line.startswith("11-24")] == [
        "r-1",
        "r-2",
        "r-3",
        "r-4",
        "r-5",
    ]
    assert sum(SENTENCE["en"] in line for line in lines) == 3
    assert SENTENCE["zh"] in lines[1]


def test_a_long_alert_stays_on_its_line_on_a_narrow_terminal(board: DemoTerminal) -> None:
    board.console = Console(file=io.StringIO(), width=60)
    board.alert(alert("hold_breached", "r" * 64, platform="meituan", message=None))
    (line,) = written(board)
    assert line.endswith("…")


def test_the_summary_counts_every_alert_shown_or_not_and_breaches_by_platform(
    board: DemoTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_terminal, "_AT_MOST_EVERY_S", 3600.0)
    board.statuses = {"r-1": "hold", "r-2": "ok"}
    for platform in ("jd", "meituan", "jd"):
        board.alert(alert("hold_breached", "r-1", platform=platform))
    board.alert(alert("approaching", "r-2"))
    board.alert(alert("approaching", "r-2"))
    board.console.print(board.summary())
    rows = {
        line.strip("│ ").rsplit("│", 1)[0].strip(): line.split("│")[-2].strip()
        for line in written(board)
        if "│" in line
    }
    assert rows["骑手 riders"] == "2"
    assert rows["最后仍应休息 on hold at the end"] == "1"
    assert rows["违规派单 hold breached"] == "3"
    assert (rows["jd"], rows["meituan"]) == ("2", "1")
    assert rows["接近上限 approaching"] == "2"
    assert rows["未逐条显示 alerts counted, not shown"] == "2"
