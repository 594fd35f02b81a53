"""The reference is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.generated import write
from docs import reference
from docs.pages import commands, metrics
from stream.settings import Settings
from tests.docs.blocks import ROOT


def test_the_pages_are_current() -> None:
    assert write(reference.pages(), "docs.reference", ["--check"]) == 0


def test_an_old_page_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    old = tmp_path / "settings.md"
    old.write_text("old")
    assert write({old: "new"}, "docs.reference", ["--check"]) == 1
    assert "settings.md is old" in capsys.readouterr().err


def test_every_setting_and_every_command_has_a_heading() -> None:
    page = commands.settings_page()
    assert all(f"\n## {name.replace('_', '-')}\n" in page for name in Settings.model_fields)
    helped = subprocess.run(
        [sys.executable, "-m", "stream", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    listed = [
        line.split()[0] for line in helped.stdout.split("Commands:")[1].splitlines() if line[2:3].islower()
    ]
    assert listed
    assert all(f"\n## respite {name}" in commands.commands_page() for name in listed)


def test_a_file_that_replay_writes_is_no_topic() -> None:
    section = commands.commands_page().split("## respite replay")[1].split("\n## ")[0]
    assert "Where the standing alerts go" in section
    assert "settings.md#alerts" not in section


def test_every_family_has_its_labels() -> None:
    labels = {line.split("|")[1].strip(): line.split("|")[3].strip() for line in metrics.page().splitlines()
              if line.startswith("| `respite_")}  # fmt: skip
    assert labels["`respite_platform_riders_near_limit`"] == "`platform`, `policy`, `limit`"
    assert labels["`respite_webhook_attempt_duration_seconds`"] == "`endpoint`"
    assert labels["`respite_ready`"] == ""
