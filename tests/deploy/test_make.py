"""The goals of the Makefile and the scripts behind them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BOOTSTRAP = ROOT / "deploy" / "bootstrap.sh"
SHELL_TOOLS = ("dirname", "head", "id", "sed", "sh", "tr", "env")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment or None, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with a shell's tools and nothing else; what is put there too is found."""
    for name in SHELL_TOOLS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / name).symlink_to(found)
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    # Never through a link: that would write over the machine's own tool.
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_help_lists_every_goal() -> None:
    shown = run("make", "help").stdout
    for goal in ("help", "install", "test", "check", "demo", "broker", "stop", "bench", "kernels"):
        assert f"make {goal}" in shown


def test_what_is_there_is_not_installed_again(bare: Path) -> None:
    put(bare, "java", "echo 'openjdk version \"21.0.1\" 2025' >&2")
    put(bare, "mvn", "exit 0")
    put(bare, "python3", "exit 0")
    put(bare, "apt-get", "echo apt-get was called; exit 1")
    done = run(str(BOOTSTRAP), PATH=str(bare))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_packages_are_fetched_with_apt_get_after_an_update(bare: Path) -> None:
    put(bare, "id", "echo 0")
    put(bare, "python3", "exit 1")
    put(bare, "touch", f'exec {shutil.which("touch")} "$@"')
    calls = bare / "calls"
    install = f'echo "$@" >> {calls}; case $1 in install) echo "exit 0" > {bare}/python3;; esac'
    put(bare, "apt-get", install)
    done = run(str(BOOTSTRAP), "python", PATH=str(bare))
    assert done.returncode == 0, done.stderr
    update, fetch = calls.read_text().splitlines()
    assert update.startswith("update")
    assert fetch.startswith("install --yes")
    assert fetch.endswith("python3 python3-venv")
    assert "installing python3 python3-venv" in done.stderr


def test_an_old_java_is_not_enough_and_a_newer_one_is_asked_for_by_name(bare: Path) -> None:
    put(bare, "id", "echo 0")
    put(bare, "java", "echo 'openjdk version \"11.0.1\" 2020' >&2")
    put(bare, "mvn", "exit 0")
    calls = bare / "calls"
    put(bare, "apt-get", f'echo "$@" >> {calls}')
    done = run(str(BOOTSTRAP), "kafka", PATH=str(bare))
    assert done.returncode == 1
    asked = [call.split()[-1] for call in calls.read_text().splitlines() if call.startswith("install")]
    assert asked == ["default-jre-headless", "openjdk-17-jre-headless"]
    assert "still missing: Java 17 or newer" in done.stderr


def test_without_rights_it_says_what_to_install_and_how_to_do_without(bare: Path) -> None:
    put(bare, "id", "echo 1000")
    put(bare, "apt-get", "exit 1")
    put(bare, "sudo", "exit 1")
    put(bare, "python3", "exit 1")
    done = run(str(BOOTSTRAP), PATH=str(bare))
    assert done.returncode == 1
    assert "apt-get install python3 python3-venv default-jre-headless maven" in done.stderr
    assert "RESPITE_BROKER" in done.stderr


def test_prometheus_is_asked_for_by_debians_names_and_taken_under_any(bare: Path) -> None:
    put(bare, "id", "echo 1000")
    put(bare, "apt-get", "exit 1")
    put(bare, "sudo", "exit 1")
    put(bare, "prometheus", "exit 0")
    put(bare, "promtool", "exit 0")
    done = run(str(BOOTSTRAP), "prometheus", PATH=str(bare))
    assert (done.returncode, "apt-get install prometheus-alertmanager \n" in done.stderr) == (1, True)
    put(bare, "alertmanager", "exit 0")
    put(bare, "amtool", "exit 0")
    assert run(str(BOOTSTRAP), "prometheus", PATH=str(bare)).returncode == 0


def test_an_unknown_part_is_refused_before_anything_is_installed(bare: Path) -> None:
    done = run(str(BOOTSTRAP), "pyhton", PATH=str(bare))
    assert (done.returncode, "unknown part: pyhton" in done.stderr) == (2, True)


def test_with_a_broker_of_somebody_elses_neither_java_nor_maven_is_needed(bare: Path) -> None:
    put(bare, "python3", "exit 0")
    assert run(str(BOOTSTRAP), PATH=str(bare), RESPITE_BROKER="kafka:9092").returncode == 0


@pytest.mark.parametrize(
    ("check", "test", "status"), [("true", "true", 0), ("false", "true", 1), ("true", "false", 1)]
)
def test_continuous_integration_fails_when_either_goal_fails(
    tmp_path: Path, check: str, test: str, status: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    goals = f"install:\n\ttrue\ncheck:\n\t{check}\ntest:\n\t{test}\n\t@env | grep RESPITE_ || true\n"
    (tmp_path / "Makefile").write_text(goals)
    done = run(
        str(tmp_path / ".ci" / "run"), PATH=os.environ["PATH"], RESPITE_CLOCK="event", RESPITE_CACHE="c"
    )
    assert done.returncode == status
    assert "ci: make test" in done.stdout, "a failing check does not hide what the tests say"
    assert "RESPITE_CLOCK" not in done.stdout
