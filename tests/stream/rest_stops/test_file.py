"""The file is taken up when it changes; one that is refused leaves what stood."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from schemas.rest_stops_file import InvalidRestStops
from stream.rest_stops.file import LOOK_EVERY_S, RestStopsFile, load_rest_stops
from tests.schemas.test_rest_stops_file import ESTATE, HEAD, STOP


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def write(path: Path, text: str, at: int) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))


def test_a_changed_file_is_taken_up_and_a_bad_one_is_not(tmp_path: Path) -> None:
    path, clock = tmp_path / "stops.csv", Clock()
    write(path, HEAD + STOP, 1)
    file = RestStopsFile(str(path), "Asia/Shanghai", clock)
    assert [one.stop_id for one in file.current().stops] == ["s-1"]
    write(path, HEAD + STOP.replace("s-1", "s-2"), 2)
    assert [one.stop_id for one in file.current().stops] == ["s-1"]
    clock.now_s += LOOK_EVERY_S
    assert [one.stop_id for one in file.current().stops] == ["s-2"]

    write(path, HEAD + "s-3,,,\n", 3)
    with capture_logs() as logs:
        for _ in range(3):
            clock.now_s += LOOK_EVERY_S
            assert [one.stop_id for one in file.current().stops] == ["s-2"]
    assert file.is_refused
    assert len([one for one in logs if "line 2: 4 cells" in one["faults"]]) == 1

    path.unlink()
    clock.now_s += LOOK_EVERY_S
    assert [one.stop_id for one in file.current().stops] == ["s-2"]
    write(path, HEAD + ESTATE, 4)
    clock.now_s += LOOK_EVERY_S
    assert (file.current().stops, file.is_refused) == ((), False)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidRestStops, match="cannot be read: no such file"):
        load_rest_stops(str(tmp_path / "none"))
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))
    with pytest.raises(InvalidRestStops, match="not UTF-8 at byte 0: save it as UTF-8"):
        RestStopsFile(str(tmp_path / "latin"), "Asia/Shanghai")
    (tmp_path / "bom.csv").write_text(HEAD + STOP, encoding="utf-8-sig")
    assert len(load_rest_stops(str(tmp_path / "bom.csv")).stops) == 1
