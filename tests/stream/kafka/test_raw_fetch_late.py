"""Answers to fetches that come late: how the log ended when they were sent is not how it ends now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher

from stream.kafka import log_end

TP = TopicPartition("late-source", 0)
NOON_S = 1_800_000_000.0
IN_TIME_S = (log_end.FETCH_WAIT_MS + 1000) / 1000


class Machine:
    """A consumer whose clock stands where it is put, and whose client answers when told."""

    def __init__(self) -> None:
        self.wall_s = NOON_S
        self.state = SimpleNamespace(timestamp=None, has_valid_position=True, position=5, lso=5, highwater=5)
        self.client = SimpleNamespace(send=self._send)
        log_end.time_fetches(self.client, lambda: self.wall_s)
        assignment = SimpleNamespace(state_value=lambda _: self.state)
        subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        self._faust = SimpleNamespace(
            _thread=SimpleNamespace(_consumer=SimpleNamespace(_subscription=subscription))
        )
        self.takes_s = 0.0

    async def _send(self, node_id: int, request: Any, **_: Any) -> str:
        self.wall_s += self.takes_s
        return f"answer of {node_id} to {type(request).__name__}"

    async def fetch(self, takes_s: float) -> None:
        """As aiokafka does: the answer, and without a pause the time at which it came."""
        self.takes_s = takes_s
        request = fetcher.FetchRequest(
            log_end.FETCH_WAIT_MS, 1, 1 << 20, 1, [(TP.topic, [(TP.partition, 5, 1 << 20)])]
        )
        await self.client.send(1, request)
        self.state.timestamp = int(self.wall_s * 1000)

    def response_s(self) -> float:
        end = log_end.log_end(self._faust, TP.topic, TP.partition)
        assert end is not None
        return end.response_ms / 1000


def run(story: Callable[[Machine], Awaitable[None]]) -> None:
    asyncio.run(story(Machine()))  # type: ignore[arg-type]


def test_an_answer_in_time_stands_for_the_moment_it_came() -> None:
    async def story(machine: Machine) -> None:
        await machine.fetch(IN_TIME_S)
        assert machine.response_s() == NOON_S + IN_TIME_S
        await asyncio.sleep(0)
        assert machine.response_s() == NOON_S + IN_TIME_S

    run(story)


def test_a_late_answer_stands_for_the_moment_it_was_due_and_the_next_one_for_its_own() -> None:
    async def story(machine: Machine) -> None:
        # The process was stopped for a minute, with the answer in its socket.
        await machine.fetch(60.0)
        assert machine.response_s() == NOON_S + IN_TIME_S
        await asyncio.sleep(0)
        assert machine.response_s() == NOON_S + IN_TIME_S
        await machine.fetch(0.1)
        await asyncio.sleep(0)
        assert machine.response_s() == NOON_S + 60.1

    run(story)


def test_what_is_said_in_between_is_never_newer_than_what_is_known() -> None:
    async def story(machine: Machine) -> None:
        await machine.fetch(60.0)
        seen = []
        noted = machine.client.send

        async def looking(*arguments: Any) -> Any:
            answer = await noted(*arguments)
            # The new answer is here, its end and time are not noted yet.
            seen.append(machine.response_s())
            return answer

        machine.client.send = looking
        await machine.fetch(0.1)
        assert seen == [NOON_S + IN_TIME_S]

    run(story)


def test_other_requests_are_handed_on_as_they_are() -> None:
    async def story(machine: Machine) -> None:
        machine.takes_s = 60.0
        assert await machine.client.send(7, object()) == "answer of 7 to object"
        await machine.fetch(0.1)
        assert machine.response_s() == NOON_S + 60.1

    run(story)
