"""A week's figures against a count by hand, and what a regulator cannot get out of them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

from schemas.hold_ledger import WHOLE, chain_of
from schemas.platform_view import concerns
from stream.cli.main import app
from stream.report.figures import Figure, for_regulator
from tests.stream.ledger.records import ALERTS, BEGAN_S, alert, read, seen_by, small_ledger, told

WEEK = "2026-W48"  # From Monday 23 to Sunday 29 November 2026.
#: Long after the week is final.
LATER_MS = (BEGAN_S + 14 * 86_400) * 1000


def at(day: int, clock: str) -> str:
    return f"2026-11-{day:02d}T{clock}+08:00"


def hold(begun: str, told_at: str, until: str) -> dict[str, Any]:
    return {"from": begun, "until": until, "release": "rest", "told_at": told_at}


def by_hand() -> list[dict[str, Any]]:
    """A week of three riders and two platforms, small enough to be counted on paper."""
    monday = hold(at(23, "16:00:00"), at(23, "16:00:01"), at(23, "16:20:00"))
    tuesday = hold(at(24, "10:00:00"), at(24, "10:00:02"), at(24, "10:30:00"))
    sunday = hold(at(29, "23:50:00"), at(29, "23:50:01"), at(30, "00:10:00"))
    undone = hold(at(25, "09:00:00"), at(25, "09:00:01"), at(25, "09:20:00"))
    before = hold(at(22, "23:59:59"), at(22, "23:59:59"), at(23, "00:19:59"))
    return [
        # A hold of the week before; its breach on Monday is this week's.
        alert("h0", rider="r1", event_time=at(22, "23:59:59"), hold=before),
        alert("b0", "hold_breached", "r1", event_time=at(23, "00:10:00"), hold=before, platform="alpha"),
        alert("e0", "hold_released", "r1", event_time=at(23, "00:19:59"), hold=before),
        # One of 20 minutes, breached by alpha 99 s after it was told, and too soon to count by beta.
        alert("h1", rider="r1", event_time=at(23, "16:00:00"), hold=monday),
        alert("b1", "hold_breached", "r1", event_time=at(23, "16:01:40"), hold=monday, platform="alpha"),
        alert("b2", "hold_breached", "r1", event_time=at(23, "16:01:00"), hold=monday, platform="beta"),
        alert("e1", "hold_released", "r1", event_time=at(23, "16:20:00"), hold=monday),
        # One of half an hour, breached by beta after 1200 s.
        alert("h2", rider="r2", event_time=at(24, "10:00:00"), hold=tuesday),
        alert("b3", "hold_breached", "r2", event_time=at(24, "10:20:02"), hold=tuesday, platform="beta"),
        alert("e2", "hold_released", "r2", event_time=at(24, "10:30:00"), hold=tuesday),
        # Reached again inside the hold: one hold.
        alert("h3", rider="r2", event_time=at(24, "10:10:00"), hold=tuesday),
        # Taken back by late evidence.
        alert("h4", rider="r3", event_time=at(25, "09:00:00"), hold=undone),
        alert("t4", "retracted", "r3", event_time=at(25, "09:00:00"), hold=undone, supersedes="h4"),
        # Begins in the week and ends in the next.
        alert("h5", rider="r3", event_time=at(29, "23:50:00"), hold=sunday),
        alert("e5", "hold_released", "r3", event_time=at(30, "00:10:00"), hold=sunday),
        # Reminds only; the same again is the same.
        alert("m1", rider="r1", event_time=at(26, "20:00:00"), hold=None, limit="day-8h", counted_s=28800),
        alert("m1", rider="r1", event_time=at(26, "20:00:00"), hold=None, limit="day-8h", counted_s=28800),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ledger of `by_hand`; all riders are alpha's, r2 alone is beta's too."""
    ledger = small_ledger(tmp_path, "alpha", "beta")
    ledger.begin({(topic, 0): 0 for topic in ledger.topics}, [], LATER_MS)
    everybody = by_hand()
    alpha = [one for one in everybody if concerns("alpha", one)]
    beta = [one for one in everybody if concerns("beta", one) and one["rider_id"] == "r2"]
    ledger.take(read(told(everybody), seen_by("alpha", alpha), seen_by("beta", beta)), LATER_MS)
    return tmp_path / "ledger"


def report(folder: Path, *arguments: str) -> tuple[dict[tuple[str, str], str], str, list[dict[str, str]]]:
    """Figures by name and what of, the page, and the rows of the table."""
    html, table = folder.parent / "r.html", folder.parent / "r.csv"
    command = ["report", "--week", WEEK, "--ledger", str(folder), "--html", str(html), "--csv", str(table)]
    answer = CliRunner().invoke(app, [*command, *arguments])
    assert answer.exit_code == 0, answer.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    return {(row["figure"], row["of"]): row["value"] for row in rows}, html.read_text(encoding="utf-8"), rows


def test_the_figures_are_those_of_a_count_by_hand(folder: Path) -> None:
    figures, _, _ = report(folder)
    expected = {
        # Monday, Tuesday and Sunday; not Sunday's before, not the one taken back.
        ("holds", ""): "3",
        # Monday's by alpha, Tuesday's by beta.
        ("holds_breached", ""): "2",
        ("honour_rate", ""): "0.3333",
        # 20 + 30 + 20 minutes.
        ("hours_on_hold", ""): "1.17",
        ("holds_open", ""): "0",
        ("taken_back", ""): "1",
        # b0, b1, b3; b2 came 59 s after it was told.
        ("breaches", ""): "3",
        ("breaches_excused", ""): "1",
        ("breaches", "alpha"): "2",
        ("breaches", "beta"): "1",
        # 601 s, 99 s, 1200 s.
        ("breaches_after_told", "under 300 s"): "1",
        ("breaches_after_told", "300 to 1799 s"): "2",
        ("breaches_after_told", "1800 to 3599 s"): "0",
        ("breaches_after_told", "3600 s or more"): "0",
        ("breaches_after_told", "told_at not known"): "0",
        # h1, h2, h3, h5, m1: four times 4 h and once 8 h.
        ("limits_reached", ""): "5",
        ("hours_counted", ""): "24",
        ("limits_reached", "cn-gbt-2025@1 continuous-4h"): "4",
        ("limits_reached", "cn-gbt-2025@1 day-8h"): "1",
        ("holds", "cn-gbt-2025@1 continuous-4h"): "3",
        # Of alpha's three holds it broke one; beta's one it broke.
        ("holds", "alpha"): "3",
        ("honour_rate", "alpha"): "0.6667",
        ("hours_on_hold", "alpha"): "1.17",
        ("breaches_excused", "alpha"): "0",
        ("holds", "beta"): "1",
        ("honour_rate", "beta"): "0",
        ("hours_on_hold", "beta"): "0.5",
    }
    assert {place: figures[place] for place in expected} == expected


def test_every_figure_has_its_definition_and_the_hash_it_rests_on(folder: Path) -> None:
    _, page, rows = report(folder)
    heads = {}
    for name in (WHOLE, chain_of("alpha"), chain_of("beta")):
        heads[name] = json.loads((folder / name / "head.json").read_bytes())["hash"]
        assert heads[name] in page
    for row in rows:
        assert row["definition"]
        assert row["ledger_hash"] == heads[row["chain"]]


def test_a_platform_reads_of_its_own_only_and_each_breach_with_its_seconds(folder: Path) -> None:
    figures, page, rows = report(folder, "--for", "platform", "beta")
    assert (figures["holds", ""], figures["breaches", ""]) == ("1", "1")
    assert {row["chain"] for row in rows} == {chain_of("beta")}
    assert "r2" in page
    assert "<td>1200</td>" in page
    for stranger in ("alpha", "r1", "r3", WHOLE + "</td>"):
        assert stranger not in page


def test_a_receipt_gives_the_same_report_without_the_ledger(folder: Path, tmp_path: Path) -> None:
    before = report(folder, "--for", "platform", "beta")[:2]
    file = tmp_path / "receipt.ndjson"
    made = CliRunner().invoke(
        app, ["ledger", "receipt", "--platform", "beta", "--ledger", str(folder), "--to", str(file)]
    )
    assert made.exit_code == 0
    shutil.rmtree(folder)
    assert report(folder, "--for", "platform", "beta", "--receipt", str(file))[:2] == before


def test_a_page_stands_for_itself_and_has_both_languages(folder: Path) -> None:
    _, page, _ = report(folder)
    assert not re.search(r"(src|href|url\(|@import|<script|<link)", page)
    assert "@media print" in page
    assert "遵守率" in page
    assert "Honour rate" in page


def test_a_regulator_sees_no_figure_of_few_riders_and_no_person(folder: Path) -> None:
    figures, page, _ = report(folder, "--for", "regulator")
    shown = {place: value for place, value in figures.items() if value not in ("", "0")}
    assert shown == {}
    for person in ("r1", "r2", "r3"):
        assert not re.search(rf">{person}<", page)


def test_a_week_that_is_not_final_is_not_for_the_regulator(tmp_path: Path) -> None:
    ledger = small_ledger(tmp_path)
    ledger.begin({(ALERTS, 0): 0}, [], BEGAN_S * 1000)
    answer = CliRunner().invoke(
        app, ["report", "--week", WEEK, "--ledger", str(tmp_path / "ledger"), "--for", "regulator"]
    )
    assert answer.exit_code == 2
    assert (
        f"week {WEEK} is final for a regulator once the record reaches 2026-12-01T01:00:00-12:00"
        in answer.stderr
    )


def test_a_broken_record_is_not_reported_on(folder: Path) -> None:
    path = folder / WHOLE / "00000001.ndjson"
    path.write_bytes(path.read_bytes().replace(b"r2", b"r9", 1))
    answer = CliRunner().invoke(app, ["report", "--week", WEEK, "--ledger", str(folder)])
    assert answer.exit_code == 2
    assert "the record cannot be relied on" in answer.stderr


@pytest.mark.parametrize("week", ["2026-W54", "2026-48", "", "W48"])
def test_a_week_that_there_is_not_is_refused(folder: Path, week: str) -> None:
    answer = CliRunner().invoke(app, ["report", "--week", week, "--ledger", str(folder)])
    assert answer.exit_code == 2
    assert f"--week {week}: is none; write it like 2026-W48" in answer.stderr


class _Prometheus(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        assert asked["time"] == ["1795996800.0"]  # 2026-11-30 in UTC.
        count = {"accepted": 900, "late_e": 12, "refuse": 4, "platfo": 7200}
        (value,) = (number for word, number in count.items() if f"respite_{word}" in asked["query"][0])
        series = [{"metric": {"platform": "alpha"}, "value": [0, str(value)]}]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "success", "data": {"result": series}}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def prometheus() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Prometheus)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_the_record_cannot_know_comes_from_prometheus(folder: Path, prometheus: str) -> None:
    figures, page, _ = report(folder, "--prometheus", prometheus)
    assert figures["accepted_events", "alpha"] == "900"
    assert figures["late_events", "alpha"] == "12"
    assert figures["refused_events", "alpha"] == "4"
    assert figures["hours_worked_on_hold", "alpha"] == "2"
    assert prometheus in page
    # Feeds from ten events on; hours that a few may have worked, never.
    figures, _, _ = report(folder, "--prometheus", prometheus, "--for", "regulator")
    assert (figures["late_events", "alpha"], figures["refused_events", "alpha"]) == ("12", "")
    assert figures["hours_worked_on_hold", "alpha"] == ""


def test_a_prometheus_that_does_not_answer_is_named(folder: Path) -> None:
    answer = CliRunner().invoke(
        app, ["report", "--week", WEEK, "--ledger", str(folder), "--prometheus", "http://127.0.0.1:1"]
    )
    assert answer.exit_code == 1
    assert "--prometheus http://127.0.0.1:1:" in answer.stderr


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.data())
def test_no_hidden_figure_of_a_table_is_its_total_less_the_others(
    counts: list[int], data: st.DataObject
) -> None:
    people = [data.draw(st.integers(min(1, count), count)) for count in counts]
    total = Figure("holds", "", sum(counts), sum(people), "", WHOLE, "")
    cells = [
        Figure("holds", f"p{n}", count, each, "platform", WHOLE, "")
        for n, (count, each) in enumerate(zip(counts, people, strict=True))
    ]
    seen, *shown = for_regulator([total, *cells])
    hidden = [n for n, one in enumerate(shown) if one.value is None]
    assert all(one.value is None or people[n] == 0 or people[n] >= 10 for n, one in enumerate(shown))
    if seen.value is not None and hidden:
        assert len(hidden) > 1 or len([count for count in counts if count]) == 1
        assert sum(people[n] for n in hidden) >= 10 or sum(people) < 10
