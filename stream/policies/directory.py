"""A folder of policy files that may change while a worker runs (RULEBOOK 6).

What is good is taken up, what is refused is said, and what was in force before it stays. A change is taken
up once two looks in a row have seen the same, so that a file that is being written, or replaced by another,
is read when it is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detectors.errors import InvalidLimit
from detectors.limits import LimitTable
from schemas.policy import MOST_LIMITS, InvalidPolicy, Policy
from schemas.policy_written import judging_digest
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load, policy_files, version_faults

#: How often it is looked, seconds: what has changed is taken up after two looks, within a minute.
LOOK_EVERY_S = 5.0
#: Of a file, when it was written last and its size; what is looked at to see that one has changed.
Stamp = tuple[int, int, int]


@dataclass(slots=True)
class _File:
    """A file of the folder: as it was when it was read last, and what of it is in force."""

    stamp: Stamp | None = None
    policy: Policy | None = None
    refused: str | None = None


@dataclass(slots=True)
class PolicyDirectory:
    """The policies of a run that is given a folder of them.

    Parameters
    ----------
    named
        Policies named beside the folder, by name or file.
    folder
        Where the others are, in it and below it.
    defaults
        Whether what is named is only the default: then a file takes the place of a policy of its name.
    """

    named: Sequence[str]
    folder: Path
    defaults: bool = False
    _files: dict[str, _File] = field(default_factory=dict)
    _seen: Mapping[str, Stamp] | None = None
    _beside: Sequence[Policy] | None = None
    _unreadable: str | None = None
    #: By version that was ever in force here, what it judged by; also of files that are gone.
    _judged: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> list[str]:
        """What is refused now, in words, file by file."""
        found = [one.refused for _, one in sorted(self._files.items()) if one.refused is not None]
        found += [
            f"{one.ref}, which stands in where no file has its name, has other limits than the file that was "
            f"in force: keep that file, or name one with version = {one.version + 1} and dates of its own"
            for one in self._overtaken()
        ]
        return found if self._unreadable is None else [self._unreadable, *found]

    @property
    def policies(self) -> list[Policy]:
        """What is in force: named ones first, then those of the files in their order."""
        return self._together({name: one.policy for name, one in self._files.items()})

    def settled(self) -> bool:
        """Look at the folder; whether it has changed since it was read, and is now as at the last look."""
        now = self._look()
        before, self._seen = self._seen, now
        read = {name: one.stamp for name, one in self._files.items() if one.stamp is not None}
        return now == before and now != read

    def read(self) -> None:
        """Read what has changed; whatever is refused leaves what was in force before it."""
        now = self._look()
        gone = set(self._files) - set(now)
        # What was refused beside others may be good beside those that there are now.
        changed = [
            name
            for name, stamp in now.items()
            if name not in self._files or self._files[name].stamp != stamp or self._files[name].refused
        ]
        wanted: dict[str, Policy | None] = {
            name: one.policy for name, one in self._files.items() if name not in gone
        }
        tried: dict[str, Policy] = {}
        for name in sorted(changed):
            one = self._files.setdefault(name, _File())
            one.stamp, one.refused = now[name], None
            try:
                tried[name] = load(name)
                self._must_have_new_version(name, tried[name])
            except InvalidPolicy as error:
                one.refused = str(error)
                tried.pop(name, None)
        for name in gone:
            del self._files[name]
        if not self._faults({**wanted, **tried}):
            wanted |= tried
        else:
            # One by one, so that what cannot be is refused by its file, and the others are taken.
            for name, policy in tried.items():
                faults = self._faults({**wanted, name: policy})
                if faults:
                    self._files[name].refused = f"{name}: " + "; ".join(faults)
                else:
                    wanted[name] = policy
        for name, kept in wanted.items():
            self._files[name].policy = kept
        self._judged |= {policy.ref: judging_digest(policy) for policy in self.policies}

    # -- beneath -------------------------------------------------------------------------------

    def _look(self) -> dict[str, Stamp]:
        found = {}
        self._unreadable = None
        if not self.folder.is_dir():
            self._unreadable = f"{self.folder}: no such folder of policies"
            return {name: one.stamp for name, one in self._files.items() if one.stamp is not None}
        own = {str(Path(name).resolve()) for name in self.named if name.endswith(".toml")}
        for name in policy_files(str(self.folder)):
            path = Path(name)
            # One that is named by itself too is that one.
            if str(path.resolve()) in own:
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                # The folder has no file at all, or this one has just gone.
                continue
            found[name] = status.st_mtime_ns, status.st_size, status.st_ino
        return found

    def _must_have_new_version(self, name: str, policy: Policy) -> None:
        """Refuse another limit under the version that is in force.

        Raises
        ------
        InvalidPolicy
            With the remedy.
        """
        # A default is only what stands in for a file until the first look.
        beside = {} if self.defaults else {one.ref: judging_digest(one) for one in self._named()}
        known = (beside | self._judged).get(policy.ref)
        if known is not None and known != judging_digest(policy):
            message = (
                f"{name}: {policy.ref} has other limits than the one in force: give it version = "
                f"{policy.version + 1}, and dates that follow on those of version {policy.version}, so "
                "that every alert names what it was judged by"
            )
            raise InvalidPolicy(message)

    def _together(self, files: Mapping[str, Policy | None]) -> list[Policy]:
        own = [policy for _, policy in sorted(files.items()) if policy is not None]
        names = {policy.name for policy in [*own, *self._overtaken()]} if self.defaults else set()
        return [policy for policy in self._named() if policy.name not in names] + own

    def _overtaken(self) -> list[Policy]:
        """Defaults under whose version a file has judged otherwise, and is gone."""
        if not self.defaults:
            return []
        there = {one.policy.name for one in self._files.values() if one.policy is not None}
        return [
            one
            for one in self._named()
            if one.name not in there and self._judged.get(one.ref, judging_digest(one)) != judging_digest(one)
        ]

    def _named(self) -> Sequence[Policy]:
        if self._beside is None:
            self._beside = [load(name) for name in self.named]
        return self._beside

    def _faults(self, files: Mapping[str, Policy | None]) -> list[str]:
        return set_faults(self._together(files))


def set_faults(policies: Sequence[Policy]) -> list[str]:
    """What stands against these policies in one run."""
    count = sum(len(policy.limits) for policy in policies)
    faults = version_faults(policies)
    if count > MOST_LIMITS:
        faults.append(f"{count} limits together, at most {MOST_LIMITS}: leave policies out")
    if not faults:
        try:
            LimitTable(limits_of(policies), window_starts)
        except InvalidLimit as error:
            faults.append(str(error))
    return faults
