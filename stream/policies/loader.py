"""Policies by name or file: the only place that reads policy files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from importlib import resources
from pathlib import Path

from schemas.faults.field import guessed
from schemas.policy import MOST_LIMITS, InvalidPolicy, Policy, load_policy


def builtin_names() -> list[str]:
    """Names of the policies that come with Respite."""
    folder = resources.files("detectors") / "policies"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load(name: str) -> Policy:
    """The policy of a name, or of a ``.toml`` file.

    Raises
    ------
    InvalidPolicy
        When there is none, or it is refused.
    """
    if name.endswith(".toml"):
        try:
            return load_policy(Path(name).read_text(encoding="utf-8-sig"), name)
        except OSError as error:
            raise InvalidPolicy(f"{name}: cannot be read: {(error.strerror or 'it').lower()}") from error
        except UnicodeDecodeError as error:
            raise InvalidPolicy(
                f"{name}: cannot be read: not UTF-8 at byte {error.start}: save it as UTF-8"
            ) from error
    if name not in builtin_names():
        known, near = ", ".join(builtin_names()), guessed(name, builtin_names())
        raise InvalidPolicy(f"{name}: no such policy; known are {known}, or name a .toml file{near}")
    text = (resources.files("detectors") / "policies" / f"{name}.toml").read_text(encoding="utf-8")
    return load_policy(text, name)


def policy_files(name: str) -> list[str]:
    """The policy files of a folder and below it, by name; of anything else, itself."""
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    # A folder without any is refused as a file of its name would be.
    return sorted(str(file) for file in folder.rglob("*.toml")) or [str(folder / "*.toml")]


def version_faults(policies: Sequence[Policy]) -> list[str]:
    """What stands against policies of one name in one run: the same version twice, dates that overlap."""
    faults: list[str] = []
    ordered = sorted(policies, key=lambda one: (one.name, one.version))
    for one, other in itertools.combinations(ordered, 2):
        if one.name != other.name:
            continue
        if one.version == other.version:
            text = f"{one.ref}: named twice, a version of a policy can be named once in a run"
        elif _overlap(one, other):
            text = (
                f"{one.name}: version {one.version} ({dates_of(one)}) and version {other.version} "
                f"({dates_of(other)}) are in force at once; end the older one by `valid_until`, and "
                "begin the newer one by `valid_from` the day after"
            )
        else:
            continue
        if text not in faults:
            faults.append(text)
    return faults


def _overlap(one: Policy, other: Policy) -> bool:
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    return first <= min(one.valid_until or date.max, other.valid_until or date.max)


def dates_of(policy: Policy) -> str:
    """Between which dates a policy is in force, in words."""
    if policy.valid_from is None and policy.valid_until is None:
        return "always in force"
    begin = f"from {policy.valid_from}" if policy.valid_from is not None else ""
    end = f"until {policy.valid_until}" if policy.valid_until is not None else ""
    return f"in force {begin} {end}".replace("  ", " ").strip()


def load_all(names: Sequence[str]) -> list[Policy]:
    """Several policies for one run, checked together.

    Raises
    ------
    InvalidPolicy
        With the faults of all.
    """
    policies: list[Policy] = []
    faults: list[str] = []
    for name in names:
        try:
            policies.append(load(name))
        except InvalidPolicy as error:
            faults.append(str(error))
    faults += version_faults(policies)
    count = sum(len(policy.limits) for policy in policies)
    if count > MOST_LIMITS:
        faults.append(f"{count} limits together, at most {MOST_LIMITS}: name fewer policies")
    if not names:
        faults.append("no policy named: use --policy NAME or --policy FILE.toml")
    if faults:
        raise InvalidPolicy("\n".join(faults))
    return policies
