"""A sender with a receiver made of a function: order, bounds, pauses, and what happens when it must stop."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable

import pytest

from stream.delivery.messages import Message, Place
from stream.delivery.metrics import Metrics
from stream.delivery.sender import EndpointGone, Sender
from stream.webhooks.config import Endpoint
from stream.webhooks.responses import Answer
from tests.stream.webhooks.receiver import SECRET, alert

DEADLINE_S = 20.0
TOPIC = "courier.fatigue-alerts.alpha"
Post = Callable[[str, bytes], Awaitable[Answer]]


def message(number: int, rider: str, value: bytes | None = None) -> Message:
    return Message(Place(TOPIC, 0, number), rider.encode(), value or alert(number, rider), (), 1000 * number)


class Desk:
    """What a sender is given and what became of it."""

    def __init__(self, post: Post, **endpoint: object) -> None:
        self.endpoint = Endpoint.model_validate(
            {
                "name": "one", "platform": "alpha", "url": "https://hooks.example.com/", "secret": SECRET,
                "retry": {"attempts": 5, "first": "1ms", "longest": "2ms"}, **endpoint,
            }
        )  # fmt: skip
        self.post = post
        self.counts = Metrics().counts("one")
        self.settled: list[int] = []
        self.buried: list[tuple[int, str, str]] = []

    async def write_dead_letter(self, endpoint: str, message: Message, reason: str, detail: str) -> None:
        assert endpoint == "one"
        self.buried.append((message.place.offset, reason, detail))

    def sender(self, tasks: asyncio.TaskGroup) -> Sender:
        return Sender(self.endpoint, self.post, self.write_dead_letter, self.counts, tasks, wall=lambda: 0.0)

    def put(self, sender: Sender, one: Message) -> None:
        sender.put(one, lambda: self.settled.append(one.place.offset))

    def run(self, messages: list[Message]) -> None:
        """Send messages until all are settled."""

        async def work() -> None:
            async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
                sender = self.sender(tasks)
                for one in messages:
                    self.put(sender, one)
            assert (sender.pending, sender.pending_bytes, sender.oldest_ms) == (0, 0, None)

        asyncio.run(work())


def number_of(webhook_id: str) -> int:
    return int(webhook_id.rsplit("-", 1)[1])


def test_whatever_fails_a_riders_messages_arrive_in_order_and_each_is_settled_once() -> None:
    chance = random.Random(3)
    arrived: dict[str, list[int]] = defaultdict(list)
    under_way: Counter[str] = Counter()

    async def post(webhook_id: str, body: bytes) -> Answer:
        number = number_of(webhook_id)
        rider = f"r{number % 17}"
        assert f'"{rider}"'.encode() in body
        assert not under_way[rider], "two of one rider at a time"
        under_way[rider] += 1
        await asyncio.sleep(chance.random() / 1000)  # waits: a receiver takes its time
        under_way[rider] -= 1
        status = chance.choice([200, 200, 500, 503, 408, 429, 302, None])
        if status == 200:
            arrived[rider].append(number)
        return Answer(status, "")

    desk = Desk(post, retry={"attempts": 1000, "first": "1ms", "longest": "1ms"})
    desk.run([message(number, f"r{number % 17}") for number in range(500)])
    assert sorted(desk.settled) == list(range(500))
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    assert sum(map(len, arrived.values())) == 500
    assert desk.counts.outcomes == {"delivered": 500, "dead_letter": 0, "skipped": 0}


def test_never_more_requests_than_allowed_and_waiting_riders_hold_no_place() -> None:
    most, now = 0, 0

    async def post(webhook_id: str, body: bytes) -> Answer:
        nonlocal most, now
        del webhook_id, body
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)  # waits: a receiver takes its time
        now -= 1
        return Answer(204, "")

    Desk(post, concurrency=3).run([message(number, f"r{number}") for number in range(100)])
    assert most == 3


def test_429_with_retry_after_pauses_all_riders() -> None:
    times_s: list[float] = []

    async def post(webhook_id: str, body: bytes) -> Answer:
        del webhook_id, body
        times_s.append(asyncio.get_running_loop().time())
        return Answer(429, "", "1") if len(times_s) == 1 else Answer(204, "")

    retry = {"attempts": 5, "first": "1ms", "longest": "300ms"}
    Desk(post, concurrency=1, retry=retry).run([message(number, f"r{number}") for number in range(5)])
    assert len(times_s) == 6
    # A second was asked for; what is obeyed ends at the longest wait.
    assert 0.29 < times_s[1] - times_s[0] < 0.9
    assert times_s[-1] - times_s[1] < 0.2


def test_after_the_last_attempt_and_after_a_refusal_the_rider_goes_on() -> None:
    statuses = {0: 500, 1: 404, 2: 204}
    tries: Counter[int] = Counter()

    async def post(webhook_id: str, body: bytes) -> Answer:
        del body
        tries[number_of(webhook_id)] += 1
        return Answer(statuses[number_of(webhook_id)], f"said {statuses[number_of(webhook_id)]}")

    desk = Desk(post)
    desk.run([message(number, "r") for number in range(3)])
    assert tries == {0: 5, 1: 1, 2: 1}
    assert desk.buried == [(0, "exhausted", "5 attempts, at last: said 500"), (1, "refused", "said 404")]
    assert desk.settled == [0, 1, 2]


def test_what_is_no_message_is_a_dead_letter_in_its_turn() -> None:
    async def post(webhook_id: str, body: bytes) -> Answer:
        del webhook_id, body
        return Answer(204, "")

    desk = Desk(post)
    desk.run([message(0, "r"), message(1, "r", b"{"), message(2, "r"), message(3, "r", b'{"schema": "x"}')])
    assert [(number, reason) for number, reason, _ in desk.buried] == [(1, "malformed"), (3, "malformed")]
    assert "no status, and no alert with an id" in desk.buried[1][2]
    assert desk.settled == [0, 1, 2, 3]


def test_410_ends_the_group_and_nobody_asks_again() -> None:
    asked = 0

    async def post(webhook_id: str, body: bytes) -> Answer:
        nonlocal asked
        del webhook_id, body
        asked += 1
        return Answer(410, "410 Gone: bye")

    desk = Desk(post, concurrency=1)
    with pytest.raises(ExceptionGroup) as group:
        desk.run([message(number, f"r{number}") for number in range(20)])
    assert isinstance(group.value.exceptions[0], EndpointGone)
    assert str(group.value.exceptions[0]) == "410 Gone: bye"
    assert asked == 1
    assert desk.settled == []
    assert desk.buried == []


def test_draining_lets_requests_end_forgets_the_rest_and_the_sender_can_go_on() -> None:
    release = asyncio.Event()
    asked: list[int] = []
    all_asked = asyncio.Event()
    delivered: list[int] = []

    async def post(webhook_id: str, body: bytes) -> Answer:
        del body
        asked.append(number_of(webhook_id))
        if len(asked) == 2:
            all_asked.set()
        await release.wait()
        delivered.append(number_of(webhook_id))
        return Answer(204 if number_of(webhook_id) < 10 else 500, "")

    desk = Desk(post, concurrency=2, retry={"attempts": 9, "first": "600s", "longest": "600s"})

    async def work() -> None:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            sender = desk.sender(tasks)
            for number in (0, 1):
                desk.put(sender, message(number, "a"))
            for number in (10, 11):
                desk.put(sender, message(number, "b"))
            desk.put(sender, message(12, "c"))  # no place is free for it
            await all_asked.wait()
            asyncio.get_running_loop().call_later(0.05, release.set)
            await sender.drain(5)
            assert sorted(delivered) == [0, 10]
            assert desk.settled == [0]
            assert (sender.pending, sender.pending_bytes) == (0, 0)
            desk.put(sender, message(1, "a"))
        assert desk.settled == [0, 1]

    asyncio.run(work())


def test_draining_does_not_wait_longer_than_told_for_a_receiver() -> None:
    async def post(webhook_id: str, body: bytes) -> Answer:
        del webhook_id, body
        asked.set()
        await asyncio.sleep(600)  # waits: a receiver that never answers
        return Answer(204, "")

    asked = asyncio.Event()
    desk = Desk(post)

    async def work() -> None:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            sender = desk.sender(tasks)
            desk.put(sender, message(0, "a"))
            await asked.wait()
            await sender.drain(0.1)
        assert desk.settled == []

    asyncio.run(work())
