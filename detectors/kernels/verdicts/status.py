"""A rider's dispatch status from the state at an instant (CONTRACT 8)."""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits.dispatch import counted, has_begun
from detectors.kernels.limits.holds import ends_at_latest, hold_until, is_held, is_in_force
from detectors.kernels.limits.rests import earliest_end


class Status(NamedTuple):
    """A status at an instant; NONE where there is no such limit or part."""

    code: int
    naming: int  # the limit that names the hold
    fixed: int  # the latest fixed part of "not before"
    moving: int  # its moving part
    following: int  # when it changes next by itself


@inlined
def status_of(state: I64, limits: Limits, now: int) -> Status:
    """The status of a state at an instant; limits whose policy is not in force then say nothing.

    A hold released by rest moves with passing time while its clock runs: it ends ``moving`` seconds after
    now at the earliest. The next change is the instant at which, without any event, a moving hold
    overtakes a fixed one and so becomes the one that names the status.
    """
    code, fixed, moving, following = codes.CLEAR, NONE, NONE, INF
    naming, first_held, latest = NONE, NONE, NONE
    for limit in range(limits.kind.shape[0]):
        word = State.limit_at(limit)
        if not is_in_force(limits, limit, now):
            continue
        if not is_held(state, limit):
            if state[word + State.LIMIT_FLAGS] >> State.WARN_TOLD_BIT != 0 and code == codes.CLEAR:
                code = codes.NEAR
            continue
        code = codes.HELD
        if first_held == NONE:
            first_held = limit
        until = hold_until(state, limits, limit, now)
        if until > latest:
            naming, latest = limit, until
        moves = False
        if limits.release[limit] == codes.BY_REST:
            uncapped, moves, changes = earliest_end(state, limits, limit, now)
            latest_end = ends_at_latest(state, limits, limit, now)
            if uncapped >= latest_end:
                # It ends with its policy or condition, which does not move.
                moves = False
            elif moves:
                following = min(following, now + latest_end - uncapped)
            following = min(following, changes)
        if moves:
            moving = max(moving, until - now)
        else:
            fixed = max(fixed, until)
    if code == codes.HELD:
        if naming == NONE:
            naming = first_held
        if moving != NONE and fixed != NONE and fixed - moving >= now:
            # At equality the first by name names the status, a second later the moving one does.
            following = min(following, fixed - moving if fixed - moving > now else now + 1)
    return Status(code, naming, fixed, moving, following)


@kernel
def nearest(mem: Memory, row: int, state: I64, limits: Limits, now: int, holding: bool) -> tuple[int, int]:
    """The limit with the fewest counted seconds left of those not reached in their episode, and these.

    ``holding`` looks only at limits that hold.
    """
    found, fewest = NONE, INF
    for limit in range(limits.kind.shape[0]):
        if state[State.limit_at(limit) + State.LIMIT_FLAGS] & State.FIRED != 0:
            continue
        if not is_in_force(limits, limit, now):
            continue
        if holding and limits.effect[limit] == codes.REMIND:
            continue
        if not has_begun(state, limits, limit, now):
            continue
        left = max(0, limits.amount[limit] - counted(mem, row, state, limits, limit, now))
        if left < fewest:
            found, fewest = limit, left
    return found, fewest


@inlined
def not_before(fixed: int, moving: int, now: int) -> tuple[bool, int]:
    """Whether "not before" moves with time, and what it is: seconds after now, or an instant."""
    if moving != NONE and now + moving > fixed:
        return True, moving
    return False, fixed
