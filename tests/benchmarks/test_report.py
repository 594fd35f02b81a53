"""Figures go between the marks of a page, and nowhere else; every page has marks that are known."""

from __future__ import annotations

import re

import pytest

from benchmarks import harness, report
from benchmarks.report_words import EN, ZH, Words

_LATE = {"p50": 0.05, "p99": 0.12, "p99.9": 0.2}
_TRIAL = {
    "rate": 1000.0, "events_per_s": 990.0, "cpu_us_per_event": 7.25, "cpu_share": 0.4, "machine_share": 0.9,
    "alerts_per_1000": 98.0, "latency_s": _LATE, "lag_grows": False,
    "stage_us_per_event": {"judge": 1.5}, "stage_ms": {"judge": 2.0},
}  # fmt: skip
_ABOUT = {"command": "x.py", "machine": "2 cores", "commit": "abc", "load_average": [1.0, 2.0, 3.0]}
FOUND = {
    "live-ignoring": {
        "about": _ABOUT, "trials": [_TRIAL], "levels": [{**_TRIAL, "rate": 500.0}],
        "sustained_events_per_s": 1000.0,
    }
}  # fmt: skip


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_what_stands_between_the_marks_is_replaced_and_nothing_else(words: Words) -> None:
    page = "before\n<!-- figures short -->\nformerly\n<!-- end of figures -->\nafter\n"
    written = report.rewritten(page, FOUND, words)
    assert written.startswith("before\n<!-- figures short -->\n")
    assert written.endswith("<!-- end of figures -->\nafter\n")
    assert "formerly" not in written
    assert "| 1,000 | 7.2" in written
    assert "50 / 120 ms" in written
    assert report.rewritten(written, FOUND, words) == written
    assert report.rewritten(page, FOUND, words, ["live"]) == page, "short was not asked for"


@pytest.mark.parametrize("name", report.SECTIONS)
@pytest.mark.parametrize("found", [{}, FOUND], ids=["nothing", "one run"])
def test_every_section_can_be_written_whatever_is_missing(name: str, found: report.Results) -> None:
    assert all(isinstance(line, str) for words in (EN, ZH) for line in report.SECTIONS[name](found, words))


@pytest.mark.parametrize("page", report.PAGES)
def test_the_marks_of_every_page_are_known(page: str) -> None:
    text = (harness.ROOT / page).read_text(encoding="utf-8")
    names = re.findall(r"<!-- figures (\w+) -->", text)
    assert names
    assert set(names) <= set(report.SECTIONS)
    assert text.count("<!-- end of figures -->") == len(names)
