"""Riders by status over the last day, as a Prometheus has counted them that scrapes the workers."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Self

import aiohttp
import msgspec
import structlog

from stream.api.history.tables import SAMPLE_S, SAMPLES_S, Sample
from stream.settings import Settings

log = structlog.get_logger()
#: Incomplete counts are left out: a restoring partition has no riders.
QUERY = "sum by (status) (respite_riders) and on () (min(respite_live) == 1)"
STATUSES = ("clear", "approaching", "hold")
_TIMEOUT_S = 2.0
_KEPT_S = 30.0
_SAID_AGAIN_S = 600.0


class PrometheusSamples:
    """Asks a Prometheus, at most twice a minute however many ask.

    Parameters
    ----------
    base
        Its base URL.
    """

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._kept: tuple[float, list[Sample] | None] | None = None
        self._asking = asyncio.Lock()
        self._said_s = -_SAID_AGAIN_S

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The one of the settings; None without one, and where events are the clock: its times are others."""
        return cls(settings.prometheus) if settings.prometheus and settings.clock == "wall" else None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def samples(self, now_s: int) -> list[Sample] | None:
        """The last day, every five minutes; None when it cannot be asked, which is logged."""
        async with self._asking:
            asked_s = time.monotonic()
            if self._kept is None or asked_s - self._kept[0] > _KEPT_S:
                self._kept = asked_s, await self._asked(now_s)
        return self._kept[1]

    async def _asked(self, now_s: int) -> list[Sample] | None:
        end_s = now_s // SAMPLE_S * SAMPLE_S
        query: dict[str, str | int] = {
            "query": QUERY,
            "start": end_s - SAMPLES_S + SAMPLE_S,
            "end": end_s,
            "step": SAMPLE_S,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        try:
            async with self._session.get(f"{self._base}/api/v1/query_range", params=query) as answer:
                answer.raise_for_status()
                return read_samples(msgspec.json.decode(await answer.read()))
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            if time.monotonic() - self._said_s >= _SAID_AGAIN_S:
                self._said_s = time.monotonic()
                log.warning("Prometheus is not asked", base=self._base, why=repr(error), instead="own counts")
            return None


def read_samples(answer: Mapping[str, Any]) -> list[Sample]:
    """The samples of a range query's answer; an instant without some status is left out.

    Raises
    ------
    KeyError, TypeError, ValueError
        When it is no such answer.
    """
    cells: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for series in answer["data"]["result"]:
        status = series["metric"]["status"]
        for at_s, value in series["values"]:
            cells[int(at_s)][status] = int(float(value))
    found: list[Sample] = []
    for at_s in sorted(cells):
        if all(status in cells[at_s] for status in STATUSES):
            is_gap = not found or at_s - found[-1].at_s > SAMPLE_S
            clear, approaching, hold = (cells[at_s][status] for status in STATUSES)
            found.append(Sample(at_s, clear, approaching, hold, is_gap))
    return found
