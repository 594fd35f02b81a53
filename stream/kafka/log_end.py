"""Where a partition's log ended by the newest fetch response, and when that was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher

from stream.kafka.raw_batches import handed_on, started_at

#: How long an idle broker waits before it answers a fetch: what *now* trails by on an idle partition.
FETCH_WAIT_MS = 250
#: An answer that comes later than this after the wait tells how the log ended then, not how it ends now: the
#: process was stopped, or the broker, with the answer on its way.
_ANSWER_WITHIN_MS = 1000
#: Partitions whose newest response came late, and the time that it stands for at most (epoch milliseconds).
_late: dict[TopicPartition, int] = {}


def time_fetches(client: Any, wall: Callable[[], float] = time.time) -> None:
    """Have the client of a consumer note in `_late` which responses to fetches came late."""
    send = client.send

    async def timed(node_id: int, request: Any, **options: Any) -> Any:
        if not isinstance(request, fetcher.FetchRequest):
            return await send(node_id, request, **options)
        latest_ms = int(wall() * 1000) + FETCH_WAIT_MS + _ANSWER_WITHIN_MS
        response = await send(node_id, request, **options)
        places = [TopicPartition(topic, number) for topic, parts in request.topics for number, *_ in parts]
        if wall() * 1000 > latest_ms:
            _late.update(dict.fromkeys(places, latest_ms))
        else:
            # Not before aiokafka, which goes on from here without a pause, has noted the new end and time.
            asyncio.get_running_loop().call_soon(_in_time, places)
        return response

    client.send = timed


def _in_time(places: Sequence[TopicPartition]) -> None:
    for tp in places:
        _late.pop(tp, None)


@dataclass(frozen=True, slots=True)
class LogEnd:
    """What the newest fetch response said of a partition: its end, the wall clock then, our position.

    Of a response that came late, ``response_ms`` is the latest time at which it was still in time.
    """

    end: int
    response_ms: int
    position: int
    started: int
    handed_on: int


def log_end(consumer: Any, topic: str, partition: int) -> LogEnd | None:
    """What is known of a partition's end; None before the first response.

    The time is read first: aiokafka writes it after the offsets, so these are never older than it.
    """
    tp = TopicPartition(topic, partition)
    subscription = consumer._thread._consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return None
    state = subscription.assignment.state_value(tp)
    if state is None or state.timestamp is None or not state.has_valid_position:
        return None
    response_ms = int(state.timestamp)
    response_ms, position = min(response_ms, _late.get(tp, response_ms)), int(state.position)
    stable = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
    started = started_at.get(tp, 0)
    return LogEnd(int(stable), response_ms, position, started, handed_on.get(tp, started))
