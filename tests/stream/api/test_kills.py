"""Broker killed or frozen, worker stopped, API killed, while somebody asks: UNKNOWN, never a false PASS."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import pytest
from kafka import KafkaProducer

from deploy.kafka.broker import Broker
from schemas.decode import murmur2
from stream.kafka.topics import provisioning
from stream.settings import Settings
from stream.worker.warm_up import warm_up
from tests.stream.api.test_with_worker import POLICY, SEEN_WITHIN_S, Api
from tests.stream.worker.processes import PARTITIONS, Workers, until, written

pytestmark = pytest.mark.kafka
#: An order of a minute is a PASS for the first eight of these seconds.
LIMIT_S = 68
MINUTE = 1
#: Nobody has seen them; some belong to every partition.
STRANGERS = tuple(f"n{number}" for number in range(12))


@dataclass(frozen=True, slots=True)
class Said:
    """What a dispatcher took an answer for; of no answer, and of one that is none, for UNKNOWN."""

    at_s: float
    verdicts: dict[str, str]
    reasons: dict[str, str | None]


@dataclass
class Dispatcher:
    """Asks about the same riders again and again, in a thread, and remembers what it heard."""

    port: int
    riders: Sequence[str]
    said: list[Said] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def _ask_on(self) -> None:
        while not self._over.wait(0.02):
            self.said.append(self._ask())

    def _ask(self) -> Said:
        body = json.dumps({"candidates": [{"rider_id": one, "minutes": MINUTE} for one in self.riders]})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("POST", "/v1/eligibility", body, {"Content-Type": "application/json"})
            answers = json.loads(connection.getresponse().read())["answers"]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            answers = [{"rider_id": one, "verdict": "UNKNOWN", "reason": "no answer"} for one in self.riders]
        finally:
            connection.close()
        return Said(
            time.monotonic(),
            {one["rider_id"]: one["verdict"] for one in answers},
            {one["rider_id"]: one["reason"] for one in answers},
        )

    def await_verdicts(self, claim: Callable[[Said], bool], what: str, within_s: float = 60.0) -> Said:
        """The first answer from now on that is as claimed."""
        begun, deadline_s = len(self.said), time.monotonic() + within_s
        while True:
            found = next((one for one in self.said[begun:] if claim(one)), None)
            if found:
                return found
            assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}; last {self.said[-1:]}"
            time.sleep(0.02)

    def since(self, at_s: float) -> list[Said]:
        """What was said from a moment on."""
        return [one for one in self.said if one.at_s >= at_s]


@dataclass
class Scene:
    """A broker of its own, a worker, an API, and one who asks."""

    broker: Broker
    settings: Settings
    workers: Workers
    api: Api

    def online(self, ages_s: dict[str, float]) -> None:
        """Riders who have been online for so many seconds."""
        producer = KafkaProducer(bootstrap_servers=self.settings.broker)
        for rider, age_s in ages_s.items():
            event = {
                "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": "A",
                "event_time": written(int(time.time() - age_s)), "type": "online",
            }  # fmt: skip
            place = murmur2(rider.encode()) % PARTITIONS
            producer.send(self.settings.source_topic, json.dumps(event).encode(), partition=place)
        producer.close()

    def asking(self, *riders: str) -> Dispatcher:
        port = self.api.port()
        assert port is not None
        return Dispatcher(port, (*riders, *STRANGERS))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    warm_up()
    folder = tmp_path_factory.mktemp("kills")
    policy = folder / "quick.toml"
    policy.write_text(POLICY.replace('limit = "5s"', f'limit = "{LIMIT_S}s"'), encoding="utf-8")
    with Broker.running(folder / "kafka") as broker:
        settings = Settings(broker=broker.bootstrap, prefix="kills.", group="kills")
        provisioning.ensure_topics(settings, PARTITIONS)
        workers = Workers(settings, folder)
        api = Api(settings, policy, folder)
        try:
            workers.start(policy=str(policy))
            until(lambda: api.port() and api.get("/healthz"), "the API answers", workers)
            yield Scene(broker, settings, workers, api)
        finally:
            broker.resume()
            workers.stop()
            api.stop()


def all_strangers_pass(said: Said) -> bool:
    return {said.verdicts[one] for one in STRANGERS} == {"PASS"}


def all_unknown(said: Said) -> bool:
    return set(said.verdicts.values()) == {"UNKNOWN"}


def never_passed(said: Sequence[Said], rider: str) -> None:
    wrong = [one for one in said if one.verdicts[rider] == "PASS"]
    assert not wrong, f"{rider} was answered PASS: {wrong[0]}"


def kill_broker(scene: Scene) -> Callable[[], object]:
    scene.broker.kill()
    return scene.broker.start


def freeze_broker(scene: Scene) -> Callable[[], object]:
    scene.broker.pause()
    return scene.broker.resume


@pytest.mark.parametrize("fault", [kill_broker, freeze_broker])
def test_without_a_broker_every_answer_is_unknown_within_15_s_and_afterwards_true(
    scene: Scene, fault: Callable[[Scene], Callable[[], object]]
) -> None:
    held, near, fresh = (f"{fault.__name__}-{name}" for name in ("held", "near", "fresh"))
    with scene.asking(held, near, fresh) as dispatcher:
        dispatcher.await_verdicts(all_strangers_pass, "every partition is live", 90)
        scene.online({held: LIMIT_S + 60, near: LIMIT_S - 8, fresh: 0})
        dispatcher.await_verdicts(lambda said: said.reasons[held] == "hold", "the hold is known")
        dispatcher.await_verdicts(lambda said: said.reasons[near] == "would_reach", "the limit is near")
        assert dispatcher.said[-1].verdicts[fresh] == "PASS"
        begun = dispatcher.said[-1].at_s
        undo = fault(scene)
        gone_s = time.monotonic()
        dispatcher.await_verdicts(all_unknown, "all is unknown", SEEN_WITHIN_S)
        unknown_s = next(one.at_s for one in dispatcher.since(gone_s) if all_unknown(one))
        # One may be unknown a little before the others, but none comes back while the broker is away.
        dispatcher.await_verdicts(lambda said: said.at_s > unknown_s + 1, "a second later")
        back_s = time.monotonic()
        assert all(all_unknown(one) for one in dispatcher.said if unknown_s <= one.at_s < back_s)
        undo()
        dispatcher.await_verdicts(all_strangers_pass, "every partition answers again", 90)
        dispatcher.await_verdicts(lambda said: said.reasons[near] == "hold", "what was reached meanwhile")
        after = dispatcher.since(unknown_s)
        assert after[-1].reasons[held] == "hold"
        assert after[-1].verdicts[fresh] == "FAIL"
    for rider in (held, near):
        never_passed(dispatcher.since(begun), rider)
    never_passed(after, fresh)


def test_a_stopped_worker_is_unknown_within_15_s_and_says_nothing_of_old_when_it_goes_on(
    scene: Scene,
) -> None:
    held, victim = "stopped-held", "stopped-victim"
    worker = next(one for one in scene.workers.running if one.poll() is None)
    with scene.asking(held, victim) as dispatcher:
        dispatcher.await_verdicts(all_strangers_pass, "every partition is live", 90)
        scene.online({held: LIMIT_S + 60})
        dispatcher.await_verdicts(lambda said: said.reasons[held] == "hold", "the hold is known")
        begun = dispatcher.said[-1].at_s
        worker.send_signal(signal.SIGSTOP)
        try:
            stopped_s = time.monotonic()
            # The broker lives, and has what the worker does not read.
            scene.online({victim: LIMIT_S + 60})
            dispatcher.await_verdicts(all_unknown, "all is unknown", SEEN_WITHIN_S)
            unknown_s = next(one.at_s for one in dispatcher.since(stopped_s) if all_unknown(one))
        finally:
            worker.send_signal(signal.SIGCONT)
        dispatcher.await_verdicts(lambda said: said.reasons[victim] == "hold", "what came meanwhile", 90)
        dispatcher.await_verdicts(all_strangers_pass, "every partition answers again", 90)
    never_passed(dispatcher.since(begun), held)
    never_passed(dispatcher.since(unknown_s), victim)


def test_a_killed_api_is_no_answer_and_the_next_one_tells_the_truth(scene: Scene) -> None:
    held = "api-held"
    with scene.asking(held) as dispatcher:
        dispatcher.await_verdicts(all_strangers_pass, "every partition is live", 90)
        scene.online({held: LIMIT_S + 60})
        dispatcher.await_verdicts(lambda said: said.reasons[held] == "hold", "the hold is known")
        begun = dispatcher.said[-1].at_s
        port = scene.api.kill()
        dispatcher.await_verdicts(lambda said: said.reasons[held] == "no answer", "nobody answers", 5)
        scene.api.start_again(port)
        dispatcher.await_verdicts(lambda said: said.reasons[held] == "hold", "the truth again", 90)
        dispatcher.await_verdicts(all_strangers_pass, "for the others too")
    never_passed(dispatcher.since(begun), held)
