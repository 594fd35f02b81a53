"""Faults of the machine that a process runs on: what holds it up, its memory, disk and clock."""

from __future__ import annotations

import resource
import signal
import time
from pathlib import Path

from kafka import KafkaProducer

from tests.chaos.blockable import BLOCKED_S
from tests.chaos.city import PARTITIONS, City

#: A worker whose watchdog has not ended it by then is killed.
STARVED_S = 75.0
#: Refused messages, so that as much must be written as is read.
LOAD_MESSAGES, LOAD_BYTES = 4000, 8000


def pass_by(seconds: float) -> None:
    """Let real time pass: that is what these faults are made of."""
    time.sleep(seconds)  # waits: as its name says


def _held_up(city: City, number: signal.Signals) -> None:
    process = city.workers[city.rng.randrange(len(city.workers))]
    process.send_signal(number)
    pass_by(BLOCKED_S)


def block_loop(city: City) -> None:
    """A worker's event loop stands for longer than a session; its thread for the group goes on."""
    _held_up(city, signal.SIGUSR1)


def block_interpreter(city: City) -> None:
    """Nothing of a worker's Python runs for longer than a session, and it does not know."""
    _held_up(city, signal.SIGUSR2)


def starve_worker(city: City) -> None:
    """A worker gets a load that it has no memory for, and ends of it; another takes its place."""
    slot = city.rng.randrange(len(city.workers))
    process = city.workers[slot]
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    data_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:"))
    resource.prlimit(process.pid, resource.RLIMIT_DATA, (data_kib << 10, data_kib << 10))
    producer = KafkaProducer(bootstrap_servers=city.settings.broker, linger_ms=20)
    for number in range(LOAD_MESSAGES):
        load = b"load " + city.rng.randbytes(LOAD_BYTES)
        producer.send(city.settings.source_topic, load, partition=number % PARTITIONS)
    producer.flush()
    producer.close()
    deadline = time.monotonic() + STARVED_S
    while process.poll() is None and time.monotonic() < deadline:
        pass_by(0.1)
    # One that has found room in what it has is ended as the kernel ends whoever takes too much.
    process.kill()
    process.wait(10)
    city.start_worker(slot)


def fill_disk(city: City) -> None:
    """The broker's logs cannot grow any more, in the middle of a write; it ends, and begins with room again.

    A limit on the size of its files does what a full disk does (a part is written, then an error), and needs
    no rights.
    """
    pid = city.broker.pid
    assert pid is not None
    largest = max(one.stat().st_size for one in (city.broker.dir / "data").rglob("*.log"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest + 5000, largest + 5000))
    deadline = time.monotonic() + 60
    while city.broker.pid == pid:
        assert time.monotonic() < deadline, "the broker goes on with a disk that is full"
        pass_by(0.1)
    city.broker.start()


def _faketime() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is missing: deploy/bootstrap.sh faketime (Debian: apt-get install libfaketime)"
    return str(found[0])


def _step_clock(city: City, step: str) -> None:
    slot = city.rng.randrange(len(city.workers))
    clock = city.folder / "clock"
    clock.write_text("+0\n", encoding="ascii")
    city.workers[slot].kill()
    city.workers[slot].wait(10)
    process = city.start_worker(
        slot,
        LD_PRELOAD=_faketime(),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_CACHE_DURATION="1",
        # A step of the wall clock leaves the one that only goes forward alone.
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    city.wait_until_fresh(time.time(), 60)
    clock.write_text(step + "\n", encoding="ascii")
    pass_by(6)
    assert process.poll() is None, "a worker has ended of a step of its clock"
    if city.rng.random() < 0.5:
        # Set right again under the worker; otherwise its successor finds what a wrong clock has left.
        clock.write_text("+0\n", encoding="ascii")
        pass_by(3)
    process.kill()
    process.wait(10)
    city.start_worker(slot)


def clock_forward(city: City) -> None:
    """A worker's clock is set an hour forward."""
    _step_clock(city, "+3600")


def clock_back(city: City) -> None:
    """A worker's clock is set an hour back."""
    _step_clock(city, "-3600")
