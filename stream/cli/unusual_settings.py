"""Settings that are allowed and that no service would want."""

from __future__ import annotations

from schemas.durations import write_duration
from stream.settings import MOST_LATENESS_S, Settings

#: What services use, seconds, and what any other value means.
_USUAL = {
    "lateness": (60, MOST_LATENESS_S, "most events will be refused as too_late"),
    "breach_grace": (0, 3_600, "platforms may go on dispatching for so long after a hold began"),
    "max_open_order": (
        600,
        86_400,
        "so long, at most, counts an order whose end has not come",
    ),
    "max_open_session": (3_600, 2 * 86_400, "so long, at most, counts a session whose end is missing"),
    "max_open_break": (300, 86_400, "so long, at most, counts a break whose end is missing"),
    "max_open_duty": (3_600, 2 * 86_400, "so long, at most, holds a duty status without another"),
    "keep": (86_400, 400 * 86_400, "so long is a silent rider remembered"),
    "checkpoint_every": (1, 600, "so much has to be judged anew after a crash"),
    "ready_lag": (1, 600, "so far behind the worker still says that it is ready"),
}


def doubts(settings: Settings) -> list[str]:
    """Settings that are allowed and that no service would want: what each then means."""
    found = []
    for name, (least_s, most_s, means) in _USUAL.items():
        value = getattr(settings, name)
        if not least_s <= value <= most_s:
            usual = f"{write_duration(least_s)} to {write_duration(most_s)}"
            found.append(
                f"{name} (RESPITE_{name.upper()}) = {write_duration(value)}: {means}; usual is {usual}"
            )
    if settings.keep < settings.lateness:
        found.append(
            f"keep (RESPITE_KEEP) = {write_duration(settings.keep)}: a rider is forgotten while his events "
            f"may still come; keep more than the allowed lateness, {write_duration(settings.lateness)}"
        )
    return found
