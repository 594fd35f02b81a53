"""Maps by name or file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from schemas.faults.field import guessed
from schemas.import_map import ImportMap, InvalidMap, load_map

_SUFFIX = ".toml"


def builtin_maps() -> list[str]:
    """Names of the maps that come with Respite."""
    folder = resources.files("stream.importing") / "maps"
    return sorted(one.name.removesuffix(_SUFFIX) for one in folder.iterdir() if one.name.endswith(_SUFFIX))


def map_text(name: str) -> str:
    """The text of a map.

    Raises
    ------
    InvalidMap
        There is none, or it cannot be read.
    """
    if name.endswith(_SUFFIX):
        try:
            return Path(name).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InvalidMap(f"{name}: cannot be read: {(error.strerror or 'it').lower()}") from error
        except UnicodeDecodeError as error:
            raise InvalidMap(f"{name}: is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    if name not in builtin_maps():
        known, near = ", ".join(builtin_maps()), guessed(name, builtin_maps())
        raise InvalidMap(f"{name}: no such map; known are {known}, or name a .toml file{near}")
    return (resources.files("stream.importing") / "maps" / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def find_map(name: str) -> ImportMap:
    """The map of a name, or of a ``.toml`` file.

    Raises
    ------
    InvalidMap
        When there is none, or it is refused.
    """
    return load_map(map_text(name), name)
