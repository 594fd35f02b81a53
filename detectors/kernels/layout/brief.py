"""Words of a brief (`kernels.verdicts.brief`): what a dispatcher's question needs, in one cache line."""

from __future__ import annotations

from detectors.kernels.layout.values import DAY_S, LINE_WORDS
from detectors.kernels.layout.words import Words

_brief = Words()
#: The sequence number it belongs to; from when and until when it holds.
STAMP, FROM, UNTIL = _brief.each(3)
#: The fewest seconds left of all limits that hold, where they run out with time and where not.
RUN_FAR, STILL_FAR = _brief.each(2)
#: The nearest of those not reached, of each sort: seconds left and the limit's number in one word.
RUN, STILL = _brief.each(2)
#: The status, the zone + 1, and a bit for each of the first platforms that lately sent events for the rider.
TOLD = _brief.one()
WORDS = _brief.size
assert WORDS == LINE_WORDS

# Of a rider on hold the words of what is left say instead: "not before", as `verdicts.status` has it, and
# the limit that names it.
HELD_FIXED, HELD_MOVING, HELD_NAMING = RUN_FAR, STILL_FAR, RUN

TOLD_ZONE_SHIFT, TOLD_PLATFORMS_SHIFT, TOLD_PLATFORMS = 2, 28, 32
TOLD_STATUS_MASK = (1 << TOLD_ZONE_SHIFT) - 1
TOLD_ZONE_MASK = (1 << TOLD_PLATFORMS_SHIFT) - 1
#: How long before the brief's beginning "lately" began, in seconds.
LATELY_S = DAY_S
#: In RUN and STILL the limit's number takes the lowest bits: the least word is the first of the nearest.
LIMIT_BITS = 8
LIMIT_MASK = (1 << LIMIT_BITS) - 1
