"""Sessions and breaks on platforms (CONTRACT 4.3, 4.4)."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    I64,
    JUST_ENDED,
    M_BYMAX,
    NONE,
    OFFLINE,
    ONLINE,
    ONLINE_CLOCK,
    P_BREAK,
    P_ID,
    P_SESSION,
    S_PLATFORMS,
    Memory,
    Rules,
)


@inlined
def find_platform(mem: Memory, state: I64, platform: int) -> int:
    for index in range(state[S_PLATFORMS]):
        if mem.open_platforms[index, P_ID] == platform:
            return index
    return NONE


@inlined
def end_on_platform(mem: Memory, state: I64, platform: int, kind: int) -> None:
    """What an acceptance, a break's end or an offline ends on its platform."""
    index = find_platform(mem, state, platform)
    if index == NONE:
        return
    if mem.open_platforms[index, P_BREAK] >= 0:
        mem.open_platforms[index, P_BREAK] = JUST_ENDED
    if kind == OFFLINE:
        mem.open_platforms[index, P_SESSION] = NONE


@inlined
def end_platforms_at_maximum(mem: Memory, state: I64, at: int, rules: Rules) -> None:
    for index in range(state[S_PLATFORMS]):
        session = mem.open_platforms[index, P_SESSION]
        paused = mem.open_platforms[index, P_BREAK]
        if session != NONE and session + rules.max_open_session == at:
            mem.open_platforms[index, P_SESSION] = NONE
            if paused == NONE:
                mem.misc[M_BYMAX + ONLINE_CLOCK] = 1
        if paused >= 0 and paused + rules.max_open_break == at:
            mem.open_platforms[index, P_BREAK] = JUST_ENDED


@inlined
def begin_on_platform(mem: Memory, state: I64, platform: int, kind: int, at: int) -> None:
    index = find_platform(mem, state, platform)
    if index == NONE:
        index = state[S_PLATFORMS]
        mem.open_platforms[index, P_ID] = platform
        mem.open_platforms[index, P_SESSION] = NONE
        mem.open_platforms[index, P_BREAK] = NONE
        state[S_PLATFORMS] = index + 1
    if kind == ONLINE:
        if mem.open_platforms[index, P_SESSION] == NONE:
            mem.open_platforms[index, P_SESSION] = at
    elif mem.open_platforms[index, P_BREAK] < 0:
        mem.open_platforms[index, P_BREAK] = at


@inlined
def tidy_platforms(mem: Memory, state: I64) -> None:
    """Forget platforms on which nothing is open."""
    index = 0
    while index < state[S_PLATFORMS]:
        if mem.open_platforms[index, P_BREAK] == JUST_ENDED:
            mem.open_platforms[index, P_BREAK] = NONE
        if mem.open_platforms[index, P_SESSION] == NONE and mem.open_platforms[index, P_BREAK] == NONE:
            last = state[S_PLATFORMS] - 1
            for word in range(3):
                mem.open_platforms[index, word] = mem.open_platforms[last, word]
            state[S_PLATFORMS] = last
        else:
            index += 1
