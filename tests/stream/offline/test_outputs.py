"""Outputs stand in their place when all is done, and never where an input stood."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stream.offline.outputs import OutputRefused, check_outputs, written


def test_what_is_written_stands_there_at_the_end_and_not_before(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_bytes(b"old")
    place.chmod(0o640)
    with written(str(place)) as out:
        out.write(b"new")
        out.flush()
        assert place.read_bytes() == b"old"
    assert place.read_bytes() == b"new"
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_what_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), written(str(place)) as out:
        out.write(b"%d" % (1 // len(b"")))
    assert place.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with written(str(tmp_path / "link")) as out:
        out.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    read, write = os.pipe()
    with written(f"/dev/fd/{write}") as out:
        out.write(b"piped")
    assert os.read(read, 10) == b"piped"
    os.close(read)
    os.close(write)


def test_an_output_that_is_an_input_is_refused_through_links_too(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.write_bytes(b"events")
    (tmp_path / "soft").symlink_to(place)
    (tmp_path / "hard").hardlink_to(place)
    for name in ("in", "soft", "hard", "../" + tmp_path.name + "/in"):
        with pytest.raises(OutputRefused, match=r"is the input .*which would be lost: name another file"):
            check_outputs({"--alerts": str(tmp_path / name), "--status": None}, [str(place)])
    check_outputs({"--alerts": str(tmp_path / "other"), "--status": "-"}, [str(place), "-"])


def test_two_outputs_in_one_place_no_folder_and_no_right_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(OutputRefused) as refused:
        check_outputs({"--alerts": str(tmp_path), "--status": str(tmp_path / "no" / "x")}, [])
    assert "is a folder: name a file in it" in str(refused.value)
    assert f"there is no folder {tmp_path / 'no'}: make it with mkdir -p" in str(refused.value)
    with pytest.raises(OutputRefused, match="is the output of --alerts too"):
        check_outputs({"--alerts": str(tmp_path / "x"), "--status": str(tmp_path / "x")}, [])


def test_devices_are_written_to_as_they_are() -> None:
    check_outputs({"--alerts": "/dev/null", "--status": "/dev/null"}, [])
    with written("/dev/null") as out:
        out.write(b"gone")
    with pytest.raises(OutputRefused, match="no space left"), written("/dev/full") as out:
        out.write(b"x")
