"""May he take this order: the dispatcher's question, for one rider and for a round."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import msgspec

from stream.api.access.roles import Caller
from stream.api.documents.batch import Batch
from stream.api.documents.eligibility_answers import (
    Answers,
    EligibilityAnswer,
    answers_of,
    read_batch,
    verdicts_of,
    write_answers,
)
from stream.api.http_metrics import Counts
from stream.api.queries.judged_by import JudgedBy
from stream.api.queries.peers import FORWARDED, Peers
from stream.api.queries.riders import BUSY

_json = msgspec.json.Encoder()


class EligibilityQueries:
    """Answers by what the workers judge by now."""

    judged: JudgedBy
    counts: Counts
    peers: Peers

    async def eligibility(
        self, caller: Caller, rider: str, minutes: int, headers: Mapping[str, str]
    ) -> bytes:
        """The answer for one rider, written."""
        judged, batch = self.judged, Batch.of([rider], [minutes])
        unsure = judged.riders.answer(batch, caller.platform, patient=False)
        if BUSY in unsure.values():
            unsure = await asyncio.to_thread(judged.riders.answer, batch, caller.platform)
        (answer,) = await self._with_peers(_answers(judged, batch, unsure, caller), headers)
        self.counts.answered([(answer.verdict, 1)])
        return _json.encode(answer)

    async def round(self, caller: Caller, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answers to a round's body in the order of the candidates, written.

        Raises
        ------
        InvalidBatch
            When the body is none; the message says what is wrong.
        """
        judged = self.judged
        here, batch, unsure = await asyncio.to_thread(self._round_here, judged, caller, body)
        if here is not None:
            return here
        answers = await asyncio.to_thread(_answers, judged, batch, unsure, caller)
        answers = await self._with_peers(answers, headers)
        return await asyncio.to_thread(self._counted, answers)

    def _counted(self, answers: list[EligibilityAnswer]) -> bytes:
        self.counts.answered(Counter(one.verdict for one in answers).items())
        return _json.encode(Answers(answers))

    def _round_here(
        self, judged: JudgedBy, caller: Caller, body: bytes
    ) -> tuple[bytes | None, Batch, dict[int, str]]:
        """The answers of this machine, None when others should be asked; the round, and what is unsure."""
        batch = read_batch(body)
        unsure = judged.riders.answer(batch, caller.platform)
        if self.peers and "elsewhere" in unsure.values():
            return None, batch, unsure
        partitions = judged.riders.partitions()
        self.counts.answered(verdicts_of(batch, unsure, partitions))
        return write_answers(batch, judged.limits, unsure, partitions, caller.if_unknown), batch, unsure

    async def _with_peers(
        self, answers: list[EligibilityAnswer], headers: Mapping[str, str]
    ) -> list[EligibilityAnswer]:
        if not self.peers or FORWARDED in headers:
            return answers
        return await self.peers.complete(headers, answers)


def _answers(
    judged: JudgedBy, batch: Batch, unsure: Mapping[int, str], caller: Caller
) -> list[EligibilityAnswer]:
    return answers_of(batch, judged.limits, unsure, judged.riders.partitions(), caller.if_unknown)
