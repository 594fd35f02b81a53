"""A policy written down again: for processes that follow another's plan, and to know a changed limit by."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from schemas.durations import write_duration
from schemas.policy import Policy
from schemas.policy_limit import PolicyLimit

#: Of a limit, what verdicts do not depend on.
_TOLD_ONLY = {"message", "source"}


def written_policy(policy: Policy) -> dict[str, Any]:
    """The tree of a policy file that means the same, as JSON can hold it; without examples."""
    tree = policy.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"limits", "examples"}
    )
    return {**tree, "limit": [_written_limit(one) for one in policy.limits]}


def judging_digest(policy: Policy) -> str:
    """A digest of what the verdicts of a policy depend on, but for its dates.

    Keys that a limit does not name are left out, so that a key which the grammar gains changes nothing.
    """
    limits = [_written_limit(one, frozenset(_TOLD_ONLY)) for one in policy.limits]
    for one in limits:
        one["warn_before"] = sorted(one.get("warn_before", ()))
    judged = {"time_zone": policy.time_zone, "limits": sorted(limits, key=lambda one: str(one["name"]))}
    told = json.dumps(judged, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def _written_limit(limit: PolicyLimit, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in limit.model_dump(mode="json", exclude_defaults=True, exclude=set(without)).items():
        if not name.endswith("_s"):
            found[name] = value
        elif isinstance(value, list):
            found[name.removesuffix("_s")] = [write_duration(one) for one in value]
        else:
            found[name.removesuffix("_s")] = write_duration(value)
    return found
