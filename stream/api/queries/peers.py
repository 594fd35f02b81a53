"""Questions about riders whom another machine has, to the API there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import msgspec
import structlog

from stream.api.documents.eligibility_answers import Answers, EligibilityAnswer

log = structlog.get_logger()
#: A question with it has been handed on once and is answered from this machine alone.
FORWARDED = "x-respite-forwarded"
_PASSED_ON = ("authorization", "x-case-number")
TIMEOUT_S = 0.5
#: So many answers are written and read on the event loop; more are beside it.
_FEW = 500
#: In the place of an instant: not the asker's own.
NOT_OWN = -1


class Claimed(msgspec.Struct, frozen=True):
    """What a peer is asked: riders of whom it should say since when they are the asker's own."""

    riders: list[str]


class Since(msgspec.Struct, frozen=True):
    """What a peer says of them, in their order: epoch seconds, `NOT_OWN`, None where it cannot say."""

    since: list[int | None]


class Peers:
    """The APIs on other machines.

    Parameters
    ----------
    timeout_s
        A peer that takes longer is as one that is away.
    """

    def __init__(self, bases: Sequence[str], timeout_s: float = TIMEOUT_S) -> None:
        self._bases = tuple(bases)
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    def __bool__(self) -> bool:
        return bool(self._bases)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def complete(
        self, headers: Mapping[str, str], answers: list[EligibilityAnswer]
    ) -> list[EligibilityAnswer]:
        """The answers, with those other than UNKNOWN that some peer has of riders nobody here knows of."""
        if len(answers) <= _FEW:
            missing, body = _unreachable(answers)
        else:
            missing, body = await asyncio.to_thread(_unreachable, answers)
        if missing:
            asking = (self._ask_one(base, headers, body, missing, answers) for base in self._bases)
            await asyncio.gather(*asking)
        return answers

    async def _ask_one(
        self,
        base: str,
        headers: Mapping[str, str],
        body: bytes,
        missing: Sequence[int],
        answers: list[EligibilityAnswer],
    ) -> None:
        """Put what a peer knows in the places of answers that are missing; nothing on failure."""
        try:
            async with self._client().post(
                f"{base}/v1/eligibility", data=body, headers=_handed_on(headers)
            ) as reply:
                if reply.status != 200:
                    log.warning("peer refuses", peer=base, status=reply.status)
                    return
                raw = await reply.read()
            if len(missing) <= _FEW:
                _put(raw, missing, answers)
            else:
                await asyncio.to_thread(_put, raw, missing, answers)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            log.warning("peer does not answer", peer=base, error=repr(error))

    async def claims(self, headers: Mapping[str, str], riders: Sequence[str]) -> dict[str, int]:
        """Since when riders are the asker's own, `NOT_OWN` where not; of those that some peer knows."""
        body = msgspec.json.encode({"riders": riders})
        found: dict[str, int] = {}
        for since in await asyncio.gather(*(self._claims_of(base, headers, body) for base in self._bases)):
            if len(since) == len(riders):
                found |= {rider: at for rider, at in zip(riders, since, strict=True) if at is not None}
        return found

    async def _claims_of(self, base: str, headers: Mapping[str, str], body: bytes) -> list[int | None]:
        try:
            async with self._client().post(
                f"{base}/v1/claims", data=body, headers=_handed_on(headers)
            ) as reply:
                if reply.status != 200:
                    log.warning("peer refuses", peer=base, status=reply.status)
                    return []
                return msgspec.json.decode(await reply.read(), type=Since).since
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            log.warning("peer does not answer", peer=base, error=repr(error))
            return []

    async def get(self, headers: Mapping[str, str], path: str) -> dict[str, Any] | None:
        """What the first peer that knows answers to a path; None when none does."""
        for base in self._bases:
            try:
                async with self._client().get(base + path, headers=_handed_on(headers)) as reply:
                    if reply.status == 200:
                        return dict(msgspec.json.decode(await reply.read()))
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
                log.warning("peer does not answer", peer=base, error=repr(error))
        return None


def _unreachable(answers: Sequence[EligibilityAnswer]) -> tuple[list[int], bytes]:
    """Where answers are missing, and the question to a peer about them."""
    missing = [index for index, one in enumerate(answers) if one.reason == "unreachable"]
    asked = [{"rider_id": answers[index].rider_id, "minutes": answers[index].minutes} for index in missing]
    return missing, msgspec.json.encode({"candidates": asked})


def _put(raw: bytes, missing: Sequence[int], answers: list[EligibilityAnswer]) -> None:
    found = msgspec.json.decode(raw, type=Answers).answers
    if len(found) == len(missing):
        for index, one in zip(missing, found, strict=True):
            if one.verdict != "UNKNOWN":
                answers[index] = one


def _handed_on(headers: Mapping[str, str]) -> dict[str, str]:
    passed = {name: headers[name] for name in _PASSED_ON if name in headers}
    return {**passed, FORWARDED: "1", "content-type": "application/json"}
