"""``respite replay``: forms of files, bad lines, exit statuses; what is counted is tested elsewhere."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "deploy" / "example" / "four-riders.ndjson"


def respite(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESPITE_")}
    return subprocess.run(
        [sys.executable, "-m", "stream", *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=240,
    )


def lines(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in raw.splitlines()]


@pytest.fixture(scope="module")
def plain() -> subprocess.CompletedProcess[bytes]:
    return respite("replay", str(EXAMPLE), "--alerts", "-")


def test_the_example_is_told_and_its_bad_line_is_named(plain: subprocess.CompletedProcess[bytes]) -> None:
    assert plain.returncode == 3
    first = plain.stderr.decode().splitlines()[0]
    assert "is no time of the form 2026-11-23T12:00:00+08:00: write it like" in first
    assert plain.stderr.decode().splitlines()[-1] == "1 lines refused: 1 invalid"
    assert f"{EXAMPLE}:29: invalid:" in plain.stderr.decode()
    alerts = lines(plain.stdout)
    assert len(alerts) == 15
    assert [(a["event_time"], a["alert_id"]) for a in alerts] == sorted(
        (a["event_time"], a["alert_id"]) for a in alerts
    )
    assert all("detected_at" not in alert and alert["kind"] != "retracted" for alert in alerts)


def test_compressed_files_several_files_and_standard_input_are_one_history(
    plain: subprocess.CompletedProcess[bytes], tmp_path: Path
) -> None:
    raw = EXAMPLE.read_bytes().splitlines()[:-1]
    thirds = [b"\r\n".join(raw[part::3]) + b"\r\n \t\r\n\r\n" for part in range(3)]
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(thirds[0]))
    (tmp_path / "b.ndjson.zst").write_bytes(zstandard.compress(thirds[1]))
    files = [str(tmp_path / "b.ndjson.zst"), "-", str(tmp_path / "a.ndjson.gz")]
    done = respite("replay", *files, "--alerts", "-", stdin=thirds[2])
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == lines(plain.stdout)


def test_events_after_the_time_asked_for_are_left_out(tmp_path: Path) -> None:
    out = tmp_path / "status.ndjson"
    done = respite(
        "replay", str(EXAMPLE), "--as-of", "2026-11-23T14:15:00+08:00", "--status", str(out), "--alerts", "-"
    )
    assert max(alert["event_time"] for alert in lines(done.stdout)) <= "2026-11-23T14:15:00+08:00"
    statuses = {status["rider_id"]: status for status in lines(out.read_bytes())}
    assert list(statuses) == sorted(statuses) == ["r-chen", "r-lin", "r-wang", "r-zhao"]
    # Lin's order is in hand: the hold cannot end before a rest of 20 minutes from now.
    assert statuses["r-lin"]["status"] == "hold"
    assert statuses["r-lin"]["hold_until"] == "2026-11-23T06:35:00Z"
    assert statuses["r-lin"]["as_of"] == "2026-11-23T06:15:00Z"
    assert statuses["r-chen"] == {
        "schema": "dispatch-status/1", "rider_id": "r-chen", "status": "clear", "hold_until": None,
        "limit": "continuous-4h", "policy": "cn-gbt-2025@1", "remaining_s": 14400,
        "as_of": "2026-11-23T06:15:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.ndjson"], "no such file: nowhere.ndjson"),
        ([str(EXAMPLE), "--as-of", "yesterday"], "--as-of"),
        ([str(EXAMPLE), "--policy", "nothing"], "no such policy"),
        ([str(EXAMPLE), "--lateness", "80h"], "must be 1s to 72h"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_why(arguments: list[str], said: str) -> None:
    done = respite("replay", *arguments)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_nothing_at_all_is_no_failure() -> None:
    done = respite("replay", "-", stdin=b"\n")
    assert done.returncode == 0
    assert b"0 events of 0 riders" in done.stdout
