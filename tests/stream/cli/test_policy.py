"""``respite policy``: list, show as text and as one page, check with examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.policy_words import in_language
from stream.policies.html_page import html_page
from stream.policies.loader import builtin_names, load
from stream.policies.page import text_page
from tests.schemas.test_policy import HEAD, LIMIT
from tests.stream.offline.test_replay import respite

EXAMPLE = """
[[example]]
title = "four hours"
source = "ours"
date = 2026-03-02
spans = ["08:00-10:00 order", "10:00-12:30 order"]
reached = ["c 12:00"]
"""


def test_the_list_shows_where_how_binding_and_since_when() -> None:
    lines = respite("policy", "list").stdout.decode().splitlines()
    assert len(lines) == len(builtin_names())
    cells = next(line.split("\t") for line in lines if line.startswith("cn-gbt-2025@1"))
    assert cells[1:4] == ["China", "standard", "since 2025-12-04"]


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_says_everything_and_fetches_nothing(name: str, lang: str) -> None:
    policy = load(name)
    text, html = text_page(policy, lang), html_page(policy, lang)  # type: ignore[arg-type]
    for page in (text, html):
        assert policy.ref in page
        for one in policy.limits:
            assert one.name in page
    assert all(in_language(one.title, lang) in text for one in policy.examples)  # type: ignore[arg-type]
    assert html.count("<svg") == len(policy.examples)
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<script|<link|\bsrc=|url\(|@import", html)


def test_examples_that_hold_are_counted_and_those_that_do_not_are_shown_side_by_side(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(HEAD + LIMIT + EXAMPLE, encoding="utf-8")
    bad.write_text(HEAD + LIMIT + EXAMPLE.replace("c 12:00", "c 11:30"), encoding="utf-8")
    done = respite("policy", "check", str(good))
    assert (done.returncode, done.stdout.decode()) == (
        0, f"{good}: p@1 is good, 1 limits, 1 examples hold\n",
    )  # fmt: skip
    done = respite("policy", "check", str(good), str(bad))
    assert done.returncode == 2
    said = [" ".join(line.split()) for line in done.stderr.decode().splitlines()]
    assert said == [
        f"respite: {bad}: p@1: 1 of 1 examples do not hold",
        'example[1] "four hours"',
        "expected count found count",
        "c 11:30 3h30min of 4h -",
        "- c 12:00 4h of 4h",
    ]


def test_a_span_that_outlasts_what_counts_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(
        HEAD + LIMIT + EXAMPLE.replace('"08:00-10:00 order", "10:00-12:30 order"', '"08:00-12:30 order"')
    )
    done = respite("policy", "check", str(file))
    assert done.returncode == 2
    assert 'span 1 "08:00-12:30 order" counts for 3h at most: write it as two spans' in done.stderr.decode()


def test_a_page_is_written_to_a_file_and_never_over_the_policy(tmp_path: Path) -> None:
    file, page = tmp_path / "p.toml", tmp_path / "p.html"
    file.write_text(HEAD + LIMIT + EXAMPLE, encoding="utf-8")
    assert respite("policy", "show", str(file), "--lang", "zh", "--html", str(page)).returncode == 0
    assert '<html lang="zh-CN">' in page.read_text(encoding="utf-8")
    assert respite("policy", "show", str(file), "--html", str(file)).returncode == 2
    assert file.read_text(encoding="utf-8").startswith(HEAD)
