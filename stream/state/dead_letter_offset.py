"""How far a partition's dead letters have been written, where the state that says so is lost."""

from __future__ import annotations

from aiokafka.structs import ConsumerRecord

from stream.kafka.log_reader import since
from stream.settings import Settings


async def written_up_to(
    settings: Settings, number: int, partitions: int, since_ms: int, source_end: int, topic: str = ""
) -> int:
    """The source offset after the newest record of a partition that has a dead letter; 0 where none has.

    Side outputs are written in the order of offsets, so those of all records before it have been written.
    The partition must have been claimed: then nobody writes further ones. Not from the group's committed
    offset: that trails what was written, and an operator may have moved it, and a dead letter that is never
    written is worse than one written twice.

    Parameters
    ----------
    since_ms
        When the first record arrived that will be read again, epoch milliseconds. No dead letter of it is
        older, as far as the clocks of broker and workers agree; one that is missed is written twice.
    source_end
        Where the source ends; what was written of a longer one is about another.
    topic
        The topic whose records they are; the source by default.
    """
    ours = (topic or settings.source_topic).encode(), str(number).encode()
    found = 0
    async for record in since(settings, settings.dead_letter_topic, partitions, since_ms):
        offset = _offset_in(record, ours)
        if offset < source_end:
            found = max(found, offset + 1)
    return found


def _offset_in(record: ConsumerRecord, ours: tuple[bytes, bytes]) -> int:
    """The source offset that a dead letter speaks of; -1 when it is another partition's, or none of ours."""
    # The original's headers come first, so of two with one name the last is ours.
    headers = dict(record.headers)
    offset = headers.get("offset", b"")
    if (headers.get("topic"), headers.get("partition")) != ours or not offset.isdigit():
        return -1
    return int(offset)
