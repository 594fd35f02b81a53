"""A cached kernel must never outlive the sources it was compiled from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import detectors.kernels
import schemas.decode
import schemas.encode
from detectors.kernels.verdicts.sweeps import judge_touched
from schemas.decode.message import parse_values
from schemas.encode.frames import frame
from schemas.jit import sources_digest

ROOT = Path(__file__).resolve().parents[2]


def test_the_cache_of_a_kernel_is_stamped_with_all_sources_it_may_have_inlined() -> None:
    packages = (detectors.kernels, judge_touched), (schemas.decode, parse_values), (schemas.encode, frame)
    for package, dispatcher in packages:
        (folder,) = package.__path__
        file, digest = dispatcher._cache._cache_file, sources_digest(Path(folder))
        assert file._source_stamp == digest
        assert digest[:16] in file._index_name


def test_an_index_of_other_sources_is_not_opened_and_goes_with_the_next_that_is_written(
    tmp_path: Path,
) -> None:
    """A renamed class once made one unreadable: every command ended in a traceback until it was deleted."""
    code = (
        "import numpy as np; from schemas.decode.hashing import hash_ids; n = np.zeros(1, np.int64);"
        "hash_ids(np.zeros(1, np.uint8), n, n, np.zeros(1, np.uint64), n.copy())"
    )
    hashing = tmp_path / "cache"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(hashing)}
    run = [sys.executable, "-c", code]
    subprocess.run(run, env=environment, cwd=ROOT, check=True, timeout=300)
    (index,) = hashing.rglob("*hash_ids*.nbi")
    digest = sources_digest(Path(schemas.decode.__path__[0]))[:16]
    stale = index.with_name(index.name.replace(digest, "0" * 16))
    stale.write_bytes(b"no pickle")
    index.unlink()
    subprocess.run(run, env=environment, cwd=ROOT, check=True, timeout=300)
    assert index.exists()
    assert not stale.exists()


def test_a_changed_renamed_or_new_source_changes_the_stamp(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one", encoding="utf-8")
    stamps = {sources_digest(tmp_path)}
    (tmp_path / "a.py").write_text("two", encoding="utf-8")
    stamps.add(sources_digest(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    stamps.add(sources_digest(tmp_path))
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    stamps.add(sources_digest(tmp_path))
    assert len(stamps) == 4


def test_a_source_in_a_folder_below_changes_the_stamp(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    stamps = {sources_digest(tmp_path)}
    (below / "a.py").write_text("one", encoding="utf-8")
    stamps.add(sources_digest(tmp_path))
    (below / "a.py").write_text("two", encoding="utf-8")
    stamps.add(sources_digest(tmp_path))
    (below / "a.py").rename(tmp_path / "a.py")
    stamps.add(sources_digest(tmp_path))
    assert len(stamps) == 4
