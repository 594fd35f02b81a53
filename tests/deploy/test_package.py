"""What is installed is what stands in the repository."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("detectors", "schemas", "stream")


BUILT = ("build", "dist")


def sources(place: Path) -> Iterator[Path]:
    """Files below a folder, but for what Python and its tools leave there."""
    for path in [place] if place.is_file() else place.rglob("*"):
        if path.is_file() and not {"__pycache__", ".hypothesis"} & set(path.parts) and path.suffix != ".pyc":
            yield path


def project() -> dict[str, object]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


@pytest.mark.parametrize("name", PACKAGES)
def test_each_import_comes_from_this_repository(name: str) -> None:
    # Names as general as these could be somebody else's package.
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().is_relative_to(ROOT)


def test_the_package_cannot_be_uploaded_by_accident() -> None:
    classifiers = project()["classifiers"]
    assert isinstance(classifiers, list)
    assert "Private :: Do Not Upload" in classifiers


def test_the_wheel_has_every_file_of_the_packages_and_no_other(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in sources(ROOT / name)}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_hashes_and_names_no_registry(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert len(entries) > 40
    assert all(re.match(r"[a-z0-9-]+==\S+( ;[^\\]*)? \\\n    --hash=sha256:", entry) for entry in entries)
    assert not re.search(r"https?:|index-url|find-links|trusted-host", text)


def test_both_requirement_files_pin_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.txt") < pins("requirements-dev.txt")


def test_no_file_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(
        rb"(?<![\w.])/(?:root|home/\w+|work)/|(?<!no-emit-)(?:index-url|find-links)|pythonhosted",
        re.IGNORECASE,
    )
    places = [path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name not in BUILT]
    files = [file for place in [*places, ROOT / ".ci" / "run"] for file in sources(place)]
    assert len(files) > 50
    assert [
        file for file in files if file.name != Path(__file__).name and forbidden.search(file.read_bytes())
    ] == []
