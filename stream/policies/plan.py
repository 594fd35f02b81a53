"""What workers judge by, written down for readers beside the stream, who follow it (RULEBOOK 6)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from schemas.policy import Policy
from schemas.policy_written import written_policy

_FOLDER = "plans"
#: Plans of former runs that are kept beside the newest.
_KEPT = 8


def put_plan(folder: Path, policies: Sequence[Policy]) -> str:
    """Write the policies down in the folder of a group of workers; the plan's name.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    text = msgspec.json.encode([written_policy(one) for one in policies])
    name = hashlib.blake2b(text, digest_size=12).hexdigest()
    plans = folder / _FOLDER
    for one in (folder.parent, folder, plans):
        one.mkdir(mode=0o700, exist_ok=True)
    waiting = plans / f"{name}.{os.getpid()}.new"
    waiting.touch(mode=0o600)
    waiting.write_bytes(text)
    waiting.replace(plans / f"{name}.json")
    for old in sorted(plans.glob("*.json"), key=_written_ns)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return name


def read_plan(folder: Path, name: str) -> list[Policy] | None:
    """The policies of a plan; None when it is not there.

    Raises
    ------
    ValueError
        When it is of another version of Respite, whose grammar says more.
    """
    try:
        text = (folder / _FOLDER / f"{name}.json").read_bytes()
    except FileNotFoundError:
        return None
    return [Policy.model_validate(tree) for tree in msgspec.json.decode(text, type=list[dict[str, object]])]


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
