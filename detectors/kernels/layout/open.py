"""Words of what is open: orders in hand, and platforms with a session, a break or a duty."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout.state import ORDERS, PLATFORMS
from detectors.kernels.layout.values import I64
from detectors.kernels.layout.words import Words

_order = Words()
#: Hash, platform, since when it is in hand, since when it is loaded (NONE: not yet).
ORDER_HASH, ORDER_PLATFORM, ORDER_START, ORDER_LOADED = _order.each(4)
ORDER_WORDS = _order.size

_platform = Words()
#: Number, since when the session and the break are open (NONE: none).
PLATFORM_ID, PLATFORM_SESSION, PLATFORM_BREAK = _platform.each(3)
#: The duty that counts, ON_DUTY or DRIVING, and since when (NONE: neither).
PLATFORM_DUTY, PLATFORM_DUTY_SINCE = _platform.each(2)
PLATFORM_WORDS = _platform.size
#: A break that ended at the instant being judged: it still kept its session from counting just before.
JUST_ENDED = -2


@inlined
def open_words(state: I64) -> int:
    """Words of the block with what is open in a state: its orders, then its platforms."""
    return state[ORDERS] * ORDER_WORDS + state[PLATFORMS] * PLATFORM_WORDS
