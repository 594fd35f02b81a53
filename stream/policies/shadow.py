"""Policies in the shadow, beside those that are in force."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.policy import MOST_LIMITS, InvalidPolicy, Policy
from stream.policies.loader import load_all


def all_policies(names: Sequence[str], shadow_names: Sequence[str]) -> list[Policy]:
    """The policies in force, then those in the shadow.

    Raises
    ------
    InvalidPolicy
        One cannot be loaded, or there are too many limits.
    """
    in_force = load_all(names)
    return [*in_force, *in_the_shadow(shadow_names, in_force)]


def in_the_shadow(names: Sequence[str], in_force: Sequence[Policy]) -> list[Policy]:
    """The policies of the shadow that are not in force: from then on they are told for real.

    Raises
    ------
    InvalidPolicy
        One cannot be loaded, or there are too many limits together with those in force.
    """
    if not names:
        return []
    known = {one.ref for one in in_force}
    found = [one for one in load_all(names) if one.ref not in known]
    limits = sum(len(one.limits) for one in (*in_force, *found))
    if limits > MOST_LIMITS:
        message = f"{limits} limits in force and in the shadow together, at most {MOST_LIMITS}: name fewer"
        raise InvalidPolicy(f"{message} policies, the last in the shadow is {found[-1].ref}")
    return found
