"""What is announced of zones is taken in: riders whom it concerns are judged again."""

from __future__ import annotations

import asyncio

from stream.state.dead_letter_offset import written_up_to
from stream.worker.steps.judging import Judging
from stream.worker.steps.publishing import Publishing


class Announcing(Judging, Publishing):
    """How a partition takes conditions of zones."""

    async def _read_conditions(self) -> None:
        """Before anything is judged: all that is in the topic by now."""
        topic = self._run.conditions
        if topic is not None:
            await topic.caught_up()
            await self._announce()

    async def _announce(self) -> int:
        """Take in what has been read of the topic since; how many riders it concerns."""
        topic = self._run.conditions
        if topic is None or self._conditions.announced == len(topic.known):
            return 0
        new, self._conditions.announced = topic.known[self._conditions.announced :], len(topic.known)
        return await asyncio.to_thread(self.store.announce, new)

    async def _hear_conditions(self) -> None:
        """Take in what is new, tell what it leads to, and write dead letters for what is no condition."""
        if await self._announce() and self.store.live:
            await self._tell(await asyncio.to_thread(self._judge, self._now(None)))
            await self._go_on_writing()
        topic = self._run.conditions
        if topic is not None and self.store.live and self._conditions.refused < len(topic.refused):
            await self._refuse_conditions()

    async def _refuse_conditions(self) -> None:
        """One partition writes them for all workers; what an owner before has written stands."""
        run, topic = self._run, self._run.conditions
        assert topic is not None
        new, self._conditions.refused = topic.refused[self._conditions.refused :], len(topic.refused)
        kept_ms = int(run.wall() - run.source_kept_s) * 1000
        for record, reason, detail in new:
            if record.partition % run.partitions != self.number or record.timestamp < kept_ms:
                continue
            if record.partition not in self._conditions.refused_to:
                self._conditions.refused_to[record.partition] = await written_up_to(
                    run.settings, record.partition, run.partitions, record.timestamp, record.offset + 1,
                    topic=run.settings.zone_condition_topic,
                )  # fmt: skip
            if record.offset >= self._conditions.refused_to[record.partition]:
                self._dead_letters.other(record, reason, detail)
        await self._go_on_writing()
