"""Every file and folder that the manual names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, pages

_PATH = re.compile(r"`((?:stream|detectors|schemas|tests|deploy|docs|benchmarks)/[\w./-]*)`( \(new\))?")


def missing(text: str) -> list[str]:
    """Paths from the root that are not there, but for those that a reader is told to make."""
    return [path for path, new in _PATH.findall(text) if not new and not (ROOT / path).exists()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_is_named_is_there(page: Path) -> None:
    assert not missing(page.read_text(encoding="utf-8"))


def test_a_path_that_is_not_there_is_found() -> None:
    assert missing("`stream/nowhere.py`, `stream/mqtt/x.py` (new), `tests/`") == ["stream/nowhere.py"]


@pytest.mark.parametrize("package", ["stream", "detectors"])
def test_the_contributors_page_names_every_shelf(package: str) -> None:
    page = (ROOT / "docs/en/contributing/index.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / package).iterdir()):
        if path.suffix == ".py" and not path.name.startswith("__"):
            assert f"`{path.name}`" in page, path
        elif (path / "__init__.py").exists() and path.name != "kernels":
            assert f"`{path.name}/`" in page, path
