"""What a Prometheus knows of a week that the record of holds cannot: evidence, and hours worked on hold."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta

import msgspec

from stream.report.week import Week

#: Figure, its counter, and what it is divided by.
_COUNTERS = {
    "accepted_events": ("respite_accepted_events_total", 1),
    "late_events": ("respite_late_events_total", 1),
    "refused_events": ("respite_refused_events_total", 1),
    "hours_worked_on_hold": ("respite_platform_hold_work_seconds_total", 3600),
}
_WITHIN_S = 30.0


class PrometheusSilent(ConnectionError):
    """It does not answer, or not as it should; the message names it."""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Result


def by_platform(url: str, week: Week) -> dict[str, dict[str, float]]:
    """By figure and platform, what the counters grew by in the week (in UTC).

    Raises
    ------
    PrometheusSilent
        The address is none, or what answers there is no Prometheus.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise PrometheusSilent(f"--prometheus {url}: is no address like http://127.0.0.1:9090")
    end = datetime.combine(week.last + timedelta(days=1), datetime.min.time(), UTC)
    return {
        name: {
            one.metric.get("platform", ""): float(one.value[1]) / divisor
            for one in _asked(url, f"sum by (platform) (increase({counter}[7d]))", end)
        }
        for name, (counter, divisor) in _COUNTERS.items()
    }


def _asked(url: str, query: str, at: datetime) -> list[_Series]:
    asked = urllib.parse.urlencode({"query": query, "time": at.timestamp()})
    try:
        # The scheme has been looked at.
        with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/query?{asked}", timeout=_WITHIN_S) as answer:  # noqa: S310
            return msgspec.json.decode(answer.read(), type=_Answer).data.result
    except (OSError, msgspec.MsgspecError) as error:
        why = getattr(error, "reason", None) or error
        raise PrometheusSilent(f"--prometheus {url}: {why}") from error
