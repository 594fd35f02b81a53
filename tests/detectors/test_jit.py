"""A cached kernel must never outlive the sources it was compiled from."""

from __future__ import annotations

from pathlib import Path

import detectors.kernels.jit as ours
import schemas.decode.jit as theirs
from detectors.kernels.verdicts.sweeps import judge_touched
from schemas.decode.message import parse_values


def test_the_cache_of_a_kernel_is_stamped_with_all_sources_it_may_have_inlined() -> None:
    for module, dispatcher in ((ours, judge_touched), (theirs, parse_values)):
        folder = Path(str(module.__file__)).parent
        assert dispatcher._cache._cache_file._source_stamp == module.sources_digest(folder)


def test_a_changed_renamed_or_new_source_changes_the_stamp(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one", encoding="utf-8")
    stamps = {ours.sources_digest(tmp_path)}
    (tmp_path / "a.py").write_text("two", encoding="utf-8")
    stamps.add(ours.sources_digest(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    stamps.add(ours.sources_digest(tmp_path))
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    stamps.add(ours.sources_digest(tmp_path))
    assert len(stamps) == 4


def test_a_source_in_a_folder_below_changes_the_stamp(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    stamps = {ours.sources_digest(tmp_path)}
    (below / "a.py").write_text("one", encoding="utf-8")
    stamps.add(ours.sources_digest(tmp_path))
    (below / "a.py").write_text("two", encoding="utf-8")
    stamps.add(ours.sources_digest(tmp_path))
    (below / "a.py").rename(tmp_path / "a.py")
    stamps.add(ours.sources_digest(tmp_path))
    assert len(stamps) == 4


def test_both_packages_compile_alike() -> None:
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (ours, theirs)]
    ours_code, theirs_code = (text[text.index("from __future__") :] for text in texts)
    assert ours_code == theirs_code
