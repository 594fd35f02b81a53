"""The command line, as a process: what it says and how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from stream.cli.main import app
from stream.cli.options import CONNECTION
from stream.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


def respite(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RESPITE_")}
    return subprocess.run(
        [sys.executable, "-m", "stream", *arguments],
        env={**clean, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = {o.name: o for name in ("replay", "worker", "api", "ledger") for o in COMMANDS[name].params}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_help_lists_every_setting_with_its_default(name: str) -> None:
    found = re.search(r"\[(.*)\]\.$", OPTIONS[name].help)
    assert found, f"--{name} is without a default in the help"
    said, default = found[1], Settings.model_fields[name].default
    if said == "the system's":
        assert default is None
    elif said == "none":
        assert not default
    elif isinstance(default, tuple):
        assert said == ", ".join(default)
    elif isinstance(default, int) and not said.isdigit():
        assert getattr(Settings.model_validate({name: said}), name) == default
    else:
        assert said == str(default)


@pytest.mark.parametrize(
    "command", ["worker", "api", "topics", "forget", "feed", "simulate", "secure", "webhooks", "ledger"]
)
def test_whatever_speaks_to_kafka_is_told_how_by_options_too(command: str) -> None:
    assert {option.name for option in COMMANDS[command].params} >= set(CONNECTION)


def test_help_says_that_settings_come_from_the_environment_too() -> None:
    assert "RESPITE_" in respite("--help").stdout


def test_help_loads_neither_numba_nor_faust() -> None:
    code = (
        "import sys; from stream.cli.main import app;"
        "print([n for n in ('numba', 'faust') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("worker", "--lateness", "100h", "--clock", "sun"),
        ("worker", "--no-such-option"),
        ("worker", "--policy", "no-such-policy"),
        ("no-such-command",),
        ("replay", "/no/such/file"),
        ("policy", "check", "/no/such/file.toml"),
    ],
)
def test_wrong_usage_and_settings_end_with_status_2_and_no_traceback(arguments: tuple[str, ...]) -> None:
    done = respite(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_settings_of_the_environment_are_refused_by_name() -> None:
    done = respite("worker", RESPITE_LATENESS="soon", RESPITE_KEEP="long")
    assert done.returncode == 2
    assert "RESPITE_LATENESS" in done.stderr
    assert "RESPITE_KEEP" in done.stderr


def test_without_a_broker_a_worker_says_so_and_ends_with_status_1() -> None:
    done = respite("worker", "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "respite: Kafka at 127.0.0.1:1: connection refused; is it up" in done.stderr
    assert not re.search(r"\w(Error|Exception)\b|Errno|aiokafka|kafka\.", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
