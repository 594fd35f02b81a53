"""Sessions, breaks and duty status on platforms (CONTRACT 4.3, 4.4)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, open as Open, state as State
from detectors.kernels.layout.arrays import Memory, Rules
from detectors.kernels.layout.values import I64, NONE


@inlined
def find_platform(mem: Memory, state: I64, platform: int) -> int:
    for index in range(state[State.PLATFORMS]):
        if mem.open_platforms[index, Open.PLATFORM_ID] == platform:
            return index
    return NONE


@inlined
def end_on_platform(mem: Memory, state: I64, platform: int, kind: int) -> None:
    """What an acceptance, a break's end or an offline ends on its platform."""
    index = find_platform(mem, state, platform)
    if index == NONE:
        return
    if mem.open_platforms[index, Open.PLATFORM_BREAK] >= 0:
        mem.open_platforms[index, Open.PLATFORM_BREAK] = Open.JUST_ENDED
    if kind == codes.OFFLINE:
        mem.open_platforms[index, Open.PLATFORM_SESSION] = NONE
        mem.open_platforms[index, Open.PLATFORM_DUTY] = NONE


@inlined
def end_platforms_at_maximum(mem: Memory, state: I64, at: int, rules: Rules) -> None:
    for index in range(state[State.PLATFORMS]):
        session = mem.open_platforms[index, Open.PLATFORM_SESSION]
        paused = mem.open_platforms[index, Open.PLATFORM_BREAK]
        if session != NONE and session + rules.max_open_session == at:
            mem.open_platforms[index, Open.PLATFORM_SESSION] = NONE
            if paused == NONE:
                mem.misc[Misc.BY_MAXIMUM + codes.ONLINE_CLOCK] = 1
        if paused >= 0 and paused + rules.max_open_break == at:
            mem.open_platforms[index, Open.PLATFORM_BREAK] = Open.JUST_ENDED
        if (
            mem.open_platforms[index, Open.PLATFORM_DUTY] != NONE
            and mem.open_platforms[index, Open.PLATFORM_DUTY_SINCE] + rules.max_open_duty == at
        ):
            end_duty_at_maximum(mem, index)


@inlined
def end_duty_at_maximum(mem: Memory, index: int) -> None:
    """The longest time of the duty on a platform is over: note which clocks it ran."""
    mem.misc[Misc.BY_MAXIMUM + codes.DUTY_CLOCK] = 1
    if mem.open_platforms[index, Open.PLATFORM_DUTY] == codes.DRIVING:
        mem.misc[Misc.BY_MAXIMUM + codes.DRIVING_CLOCK] = 1
    mem.open_platforms[index, Open.PLATFORM_DUTY] = NONE


@kernel
def change_duty(mem: Memory, state: I64, platform: int, duty: int, at: int, rules: Rules) -> None:
    """A duty status: the same again changes nothing while it holds, at its longest time it begins anew."""
    counts = duty == codes.ON_DUTY or duty == codes.DRIVING
    index = find_platform(mem, state, platform)
    if index == NONE:
        if not counts:
            return
        index = add_platform(mem, state, platform)
    if mem.open_platforms[index, Open.PLATFORM_DUTY] == duty:
        if mem.open_platforms[index, Open.PLATFORM_DUTY_SINCE] + rules.max_open_duty != at:
            return
        end_duty_at_maximum(mem, index)
    mem.open_platforms[index, Open.PLATFORM_DUTY] = duty if counts else NONE
    mem.open_platforms[index, Open.PLATFORM_DUTY_SINCE] = at


@inlined
def add_platform(mem: Memory, state: I64, platform: int) -> int:
    """Enter a platform on which nothing is open yet."""
    index = state[State.PLATFORMS]
    mem.open_platforms[index, Open.PLATFORM_ID] = platform
    mem.open_platforms[index, Open.PLATFORM_SESSION] = NONE
    mem.open_platforms[index, Open.PLATFORM_BREAK] = NONE
    mem.open_platforms[index, Open.PLATFORM_DUTY] = NONE
    mem.open_platforms[index, Open.PLATFORM_DUTY_SINCE] = NONE
    state[State.PLATFORMS] = index + 1
    return index


@inlined
def begin_on_platform(mem: Memory, state: I64, platform: int, kind: int, at: int) -> None:
    index = find_platform(mem, state, platform)
    if index == NONE:
        index = add_platform(mem, state, platform)
    if kind == codes.ONLINE:
        if mem.open_platforms[index, Open.PLATFORM_SESSION] == NONE:
            mem.open_platforms[index, Open.PLATFORM_SESSION] = at
    elif mem.open_platforms[index, Open.PLATFORM_BREAK] < 0:
        mem.open_platforms[index, Open.PLATFORM_BREAK] = at


@inlined
def tidy_platforms(mem: Memory, state: I64) -> None:
    """Forget platforms on which nothing is open."""
    index = 0
    while index < state[State.PLATFORMS]:
        if mem.open_platforms[index, Open.PLATFORM_BREAK] == Open.JUST_ENDED:
            mem.open_platforms[index, Open.PLATFORM_BREAK] = NONE
        if (
            mem.open_platforms[index, Open.PLATFORM_SESSION] == NONE
            and mem.open_platforms[index, Open.PLATFORM_BREAK] == NONE
            and mem.open_platforms[index, Open.PLATFORM_DUTY] == NONE
        ):
            last = state[State.PLATFORMS] - 1
            for word in range(Open.PLATFORM_WORDS):
                mem.open_platforms[index, word] = mem.open_platforms[last, word]
            state[State.PLATFORMS] = last
        else:
            index += 1
