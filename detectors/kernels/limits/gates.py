"""When a limit is on in a zone: conditions that are announced, and hours of the day (BEYOND-HOURS 1 and 2).

A set of stretches belongs to a limit in a zone. What is announced counts from its announcement on, so a set
has versions, one for each instant at which something was announced: half-open stretches, sorted, disjoint,
not touching. At an instant the newest version announced by then holds, and nothing later is looked at: what
is said of an instant does not change with what is announced after it. Epoch seconds.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.values import INF

#: How a limit is gated: not at all; it is on or off and counts nothing (a ban); it is told only while on.
OPEN, BAN_GATE, WHEN_GATE = range(3)
#: Columns of `Limits.gate_versions`: announced at, first stretch, number of stretches.
ANNOUNCED, FIRST, COUNT = range(3)


@inlined
def set_of(limits: Limits, limit: int, zone: int) -> int:
    """The set of a limit in a zone (its number; NONE for a rider without one); 0 is never on."""
    return limits.gates[limit, zone + 1 if zone + 1 < limits.gates.shape[1] else 0]


@kernel
def version_at(limits: Limits, chosen: int, at: int) -> int:
    """The newest version of a set announced by ``at``; one before the set's first where there is none."""
    low = limits.gate_sets[chosen, 0] - 1
    high = limits.gate_sets[chosen, 0] + limits.gate_sets[chosen, 1]
    while high - low > 1:
        middle = (low + high) // 2
        if limits.gate_versions[middle, ANNOUNCED] <= at:
            low = middle
        else:
            high = middle
    return low


@inlined
def begins_next(limits: Limits, chosen: int, version: int) -> int:
    """When the version after this one is announced."""
    if version + 1 >= limits.gate_sets[chosen, 0] + limits.gate_sets[chosen, 1]:
        return INF
    return limits.gate_versions[version + 1, ANNOUNCED]


@kernel
def first_open(limits: Limits, chosen: int, version: int, at: int) -> int:
    """Index of the version's first stretch that ends after ``at``; one behind its last where none does."""
    if version < limits.gate_sets[chosen, 0]:
        return 0
    low = limits.gate_versions[version, FIRST]
    high = low + limits.gate_versions[version, COUNT]
    while low < high:
        middle = (low + high) // 2
        if limits.gate_stretches[middle, 1] > at:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def stretch_at(limits: Limits, chosen: int, version: int, at: int) -> tuple[int, int]:
    """The version's stretch that contains ``at``, or its next one; infinite where there is none."""
    if version < limits.gate_sets[chosen, 0]:
        return INF, INF
    index = first_open(limits, chosen, version, at)
    if index >= limits.gate_versions[version, FIRST] + limits.gate_versions[version, COUNT]:
        return INF, INF
    return limits.gate_stretches[index, 0], limits.gate_stretches[index, 1]


@inlined
def is_on(limits: Limits, limit: int, zone: int, at: int) -> bool:
    """Whether the limit is on in a zone at ``at``."""
    chosen = set_of(limits, limit, zone)
    start, _ = stretch_at(limits, chosen, version_at(limits, chosen, at), at)
    return start <= at


@inlined
def known_end(limits: Limits, limit: int, zone: int, at: int) -> int:
    """The end of the stretch that contains ``at``, as known then; ``at`` where it is not on."""
    chosen = set_of(limits, limit, zone)
    start, end = stretch_at(limits, chosen, version_at(limits, chosen, at), at)
    return end if start <= at else at


@kernel
def begun_at(limits: Limits, chosen: int, at: int) -> int:
    """Since when the set has been on without a break at ``at``, at which it is on."""
    version = version_at(limits, chosen, at)
    start, _ = stretch_at(limits, chosen, version, at)
    while version > limits.gate_sets[chosen, 0] and start < limits.gate_versions[version, ANNOUNCED]:
        announced = limits.gate_versions[version, ANNOUNCED]
        version -= 1
        start, _ = stretch_at(limits, chosen, version, announced - 1)
        if start >= announced:
            return announced
    return max(start, limits.gate_versions[version, ANNOUNCED])


@inlined
def next_turn(limits: Limits, limit: int, zone: int, at: int) -> int:
    """The next instant after ``at`` at which a stretch begins or ends, or anything is announced."""
    chosen = set_of(limits, limit, zone)
    version = version_at(limits, chosen, at)
    start, end = stretch_at(limits, chosen, version, at)
    return min(begins_next(limits, chosen, version), end if start <= at else start)


@kernel
def lead_told_at(limits: Limits, limit: int, zone: int, at: int) -> int:
    """The shortest warning whose lead before a stretch, as known at ``at``, passes there; -1 for none."""
    chosen = set_of(limits, limit, zone)
    version = version_at(limits, chosen, at)
    for index in range(limits.warnings[limit]):
        lead = -limits.warn[limit, index]
        start, _ = stretch_at(limits, chosen, version, at + lead)
        if start == at + lead:
            return index
    return -1


@kernel
def next_lead(limits: Limits, limit: int, zone: int, at: int) -> int:
    """The next instant after ``at`` at which a lead passes, as known at ``at``."""
    chosen = set_of(limits, limit, zone)
    version = version_at(limits, chosen, at)
    if version < limits.gate_sets[chosen, 0]:
        return INF
    last = limits.gate_versions[version, FIRST] + limits.gate_versions[version, COUNT]
    found = INF
    for warning in range(limits.warnings[limit]):
        lead = -limits.warn[limit, warning]
        index = first_open(limits, chosen, version, at + lead)
        if index < last and limits.gate_stretches[index, 0] <= at + lead:
            index += 1
        if index < last:
            found = min(found, limits.gate_stretches[index, 0] - lead)
    return found


@inlined
def is_near(limits: Limits, limit: int, zone: int, at: int, lead: int) -> bool:
    """Whether the limit is on at ``at``, or a stretch begins within ``lead`` from there, as known then."""
    chosen = set_of(limits, limit, zone)
    start, _ = stretch_at(limits, chosen, version_at(limits, chosen, at), at)
    return start <= at + lead
