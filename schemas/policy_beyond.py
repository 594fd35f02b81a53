"""What policies want to say and the grammar cannot: said so, with what comes nearest."""

from __future__ import annotations

import re

#: By how a word of a key begins, in this order: what it asks for, and what comes nearest.
_KEYS: tuple[tuple[str, str], ...] = (
    (r"warn|alert|notif|inform", 'an early warning is `warn_before`, lead times like ["30min"]'),
    (r"pause|break|interrupt|off_?duty", "a break is a rest: it is written as `reset`, or as `reset_parts`"),
    (
        r"consecutive|in_a_row|streak|nights|days_per|shifts",
        (
            'days, nights or shifts in a row are not counted. Nearest is kind "rest_within" with '
            '`per = "week"` and a rest of a day'
        ),
    ),
    (
        r"holiday|weekday|weekend|sunday|saturday|monday|days$|dates$|season|sunset|sunrise",
        (
            "days are not told apart by weekday, holiday or daylight. Nearest is the same limit every "
            "day, or `between` for hours of the day"
        ),
    ),
    (
        r"max_orders|orders|count|number|deliver",
        'orders are not counted, only the time in which one is in hand. Nearest is the clock "order"',
    ),
    (
        r"allowance|margin|factor|weight|multipl|coefficient|percent",
        (
            "time counts once and whole, and time without evidence does not count: no share can be added or "
            "left out. Nearest is a smaller `limit`"
        ),
    ),
    (
        r"per_platform|platform|app|employer|company",
        "hours are added up over all platforms, and a limit of one of them cannot be said. Leave it out",
    ),
    (
        r"anchor|from|since|start|begin|after|counted_from",
        (
            'where counting begins follows from the kind: after a rest ("continuous", "span"), with the '
            "window of the calendar, or a `window` before now. Nearest to a window from a shift's beginning "
            'is kind "span"; `day_start` and `week_start` say when days and weeks begin, months begin on '
            "the 1st"
        ),
    ),
    (
        r"sleeper|berth|split|pair",
        (
            "split rests, as of sleeper pairs, cannot be said: a pair chosen afterwards would change "
            "what was told. Nearest is `reset_parts`, two to four rests in their order, each below "
            "`reset`"
        ),
    ),
    (
        r"sever|band|grade|tier|stage|minor|substantial|critical|level",
        (
            "bands of severity cannot be said: a limit is reached or not. Nearest is one [[limit]] per "
            "band, each with its own `limit`, the lower ones with effect remind"
        ),
    ),
    (
        r"round|quanti|granular|resolution|unit|precision",
        (
            "rounding, as of diaries in quarters of an hour, cannot be said: whole seconds count as "
            "they are. Leave it out, or make `limit` smaller by what rounding may add"
        ),
    ),
    (
        r"average|avg|mean|two_day|tomorrow|next_day",
        (
            "averages over days that need one to come cannot be said: what is told of an instant "
            'depends only on what was before. Nearest is kind "week" with `weeks`, whose `limit` is of '
            'all weeks together, or kind "rolling" with window "48h" for two days'
        ),
    ),
    (
        r"except|exempt|twice|times|allow|extra|exten|most_per|derog|defer|reduc|shorten",
        (
            "exceptions that may be used so many times, like 10 h twice a week, cannot be said. Nearest "
            "are two limits: the usual amount with effect remind, the most that is ever allowed with "
            "effect hold"
        ),
    ),
    (
        r"compensat|owed|make_up|carry",
        (
            "rest that is owed and made up for later cannot be said. Nearest is a longer `rest` or "
            "`reset` throughout"
        ),
    ),
    (
        r"weather|temperature|celsius|degree|heat|area|region|place",
        (
            'what is announced of zones, like heat, is a condition: kind "ban" with `condition`, or `when` '
            "on any other kind; a ban in certain hours may name its `zones`"
        ),
    ),
    (
        r"vehicle|class|age|contract|employ",
        (
            "what does not follow from a rider's hours and zone (vehicle, contract, age) cannot be said. "
            "Nearest is a policy of its own for those whom it concerns"
        ),
    ),
    (
        r"distance|km|mile|speed|moving|gps|position",
        ('distance, speed and movement are not recorded. Nearest is the clock "driving", or "loaded"'),
    ),
    (
        r"penalt|fine|score|rating|suspend|block|deactivat",
        (
            "a hold is a stop for safety that ends by itself, never a penalty or a rating. Nearest is "
            "effect hold"
        ),
    ),
)
#: Kinds, clocks and effects that are asked for, likewise.
_VALUES: dict[str, tuple[tuple[str, str], ...]] = {
    "kind": (
        (
            r"year|annual|quarter|season",
            'no window is longer than 26 weeks or a month: nearest is "week" with `weeks`',
        ),
        (r"fortnight|biweek|two.?week|multi", 'nearest is "week" with `weeks = 2` or more'),
        (r"averag|mean", 'nearest is "week" with `weeks`, whose `limit` is of all weeks together'),
        (r"split|sleeper|pair", 'split rests cannot be said: nearest is "continuous" with `reset_parts`'),
        (r"night", 'nearest is "day" or "week" with `between = ["22:00", "06:00"]`'),
        (r"break", 'nearest is "continuous", whose `reset` is the break'),
        (
            r"consecutive|in.a.row|streak",
            'days in a row are not counted: nearest is "rest_within" with `per = "week"`',
        ),
        (r"rest.?(total|sum)|total.?rest", 'rests are not summed alone: nearest is "rest_within"'),
        (r"rest", 'nearest is "rest_within"'),
        (r"shift|duty|elapsed|window", 'nearest is "span" or "rolling"'),
    ),
    "clock": (
        (r"moving|wheel|motion|gps", 'movement is not recorded: nearest is "driving", or "online"'),
        (
            r"wait|idle|available",
            'waiting alone is no clock: nearest is "online"',
        ),
        (r"sleep|rest|off", "a clock counts work; rests are where it does not run"),
        (r"work|on.?duty|employ", 'nearest is "duty"'),
        (r"trip|engaged|accept", 'nearest is "order"'),
        (r"passenger|billed|goods", 'nearest is "loaded"'),
    ),
    "per": (
        (
            r"fortnight|two|month|day|year",
            'nearest is `per = "week"`, or a `window` of at most 14 days in its place',
        ),
    ),
    "release": (
        (r"day|week|month|calendar|midnight|tomorrow", "the end of a day, week or month is window"),
        (r"break|pause|reset|offline|sleep", "nearest is rest"),
        (r"time|after|fixed|timer|minute", "nearest is elapsed, with `hold_for`"),
    ),
    "effect": (
        (
            r"penal|fine|suspend|block|offline|deactiv|ban",
            "a hold is a stop for safety that ends by itself, no penalty: nearest is hold",
        ),
        (r"warn|notif|inform|report|alert", "nearest is remind"),
    ),
}


def beyond_key(key: str) -> str | None:
    """Of an unknown key: that its matter is beyond the grammar, and what comes nearest; None if it is not."""
    return next((text for begun, text in _KEYS if re.search(rf"(?:^|_|-)(?:{begun})", key.lower())), None)


def beyond_value(field: str, value: object) -> str | None:
    """Of an unknown kind, clock or effect: what comes nearest; None where that is not known."""
    choices = _VALUES.get(field, ())
    return next((text for pattern, text in choices if re.search(pattern, str(value).lower())), None)
