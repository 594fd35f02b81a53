"""The riders' state in mapped files: whose it is, who may read it, and that nothing is left behind."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from stream.state.shm_reader import SharedPartition
from stream.state.shm_writer import NoRoom, SharedArrays, read_about, shared_folder, sweep
from tests.stream.api.world import World


def test_only_the_owner_may_read_what_lies_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    for path in [world.place.parent, world.place, *world.place.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    partition = SharedPartition(world.place / "p0", 0, "another digest")
    assert partition.health(int(world.wall_s * 1000)).why_not == "policies"


def test_a_folder_that_cannot_be_made_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    world = World(tmp_path)
    about = read_about(world.place / "p0")
    assert about is not None
    with pytest.raises(NoRoom, match="set RESPITE_SHARED_DIR to a folder of your own, or none"):
        SharedArrays(tmp_path / "file" / "p0", about)


def test_state_of_the_size_that_finds_no_room_is_refused_before_it_is_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    mem = world.stores[0].memory
    # Reserved when the file is made: more than any disk has.
    endless = np.lib.stride_tricks.as_strided(np.zeros(1, dtype=np.int64), shape=(1 << 56,), strides=(0,))
    with pytest.raises(NoRoom, match=r"no room for .* bytes of riders' state"):
        world.shared[0].place(mem._replace(heap=endless))


def test_what_killed_workers_have_left_is_swept_after_an_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    sweep(world.place, world.wall_s + 3600)
    assert len(list(world.place.iterdir())) == 2
    sweep(world.place, world.wall_s + 3601)
    assert list(world.place.iterdir()) == []
    sweep(tmp_path / "nothing", 0.0)


def test_state_can_be_kept_to_the_worker() -> None:
    assert shared_folder("none", "g", "") is None
    assert shared_folder("/somewhere", "g", "x.") == Path("/somewhere/x.@g")
    assert (shared_folder("auto", "g", "") is not None) == Path("/dev/shm").is_dir()  # noqa: S108
