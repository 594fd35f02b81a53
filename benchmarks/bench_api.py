"""How long the dispatcher's question takes while a worker judges.

Fills a topic with the simulated city's events, lets one worker judge them, starts the API beside it, then
sends the city's next hours at a rate and asks meanwhile: single riders over one kept connection, at a pace
and as fast as they are answered, and rounds of 100,000 candidates. A round is measured as the engine (answers
as columns, from the shared arrays, in this process), for one who sees all riders and for a platform with its
own, and as the whole of it over HTTP (parsing, answering, writing JSON, transport). Kafka, the worker, what
sends the events, the API and the one who asks share this machine.

    python benchmarks/bench_api.py --riders 100000 --rate 60000
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import city, cpu_seconds, fill, own_environment, running, scrape
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports
from detectors.kernels.reading.columns import A_KNOWN
from schemas.policy_calendar import DAY_S
from stream.api.documents.batch import Batch
from stream.api.queries.query_service import QueryService
from stream.output.alert_json import utc
from stream.settings import Settings

PATIENCE_S = 300.0
#: The city's hour at which the questions begin.
MIDDLE = "13:30"
HEAD = ("asked", "times", "p50, ms", "p99, ms", "most, ms", "")
_rows: list[list[object]] = []
WARM = 200
PLATFORM = "meituan"


def note(name: str, seconds: list[float], more: str = "") -> None:
    """Keep and print a line of the table, milliseconds."""
    ms = np.array(seconds) * 1000
    p50, p99, most = np.quantile(ms, [0.5, 0.99, 1.0])
    _rows.append([name, len(ms), f"{p50:.2f}", f"{p99:.2f}", f"{most:.2f}", more])
    harness.table(HEAD, _rows[-1:])


def wait_until_live(port: int, partitions: int) -> None:
    """Wait until the worker has judged all and every partition is live."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            metrics = scrape(port)
        except OSError:
            continue
        if sum(value for name, value in metrics.items() if name.startswith("respite_live")) == partitions:
            return
    raise SystemExit(f"the worker was not live within {PATIENCE_S} s")


def ask_single(
    port: int, riders: list[str], seconds: float, per_second: float
) -> tuple[list[float], dict[str, int]]:
    """Ask about single riders; how long each took from when it was due, and the verdicts.

    With ``per_second`` 0 each is due when the one before it has been answered.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took: list[float] = []
    verdicts: dict[str, int] = {}
    began = time.perf_counter()
    until = began + seconds
    while began < until:
        rider = random.choice(riders)
        time.sleep(max(0.0, began - time.perf_counter()))
        connection.request("GET", f"/v1/riders/{rider}/eligibility?minutes=25")
        body = connection.getresponse().read()
        ended = time.perf_counter()
        took.append(ended - began)
        # What is due while another waits has waited as well.
        began = began + 1 / per_second if per_second else ended
        verdict = json.loads(body)["verdict"]
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    return took[WARM:], verdicts


def ask_rounds(port: int, body: bytes, seconds: float) -> list[float]:
    """Send whole rounds one after another; how long each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("POST", "/v1/eligibility", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    return took[1:]


def as_many(riders: list[str]) -> list[str]:
    """A hundred thousand candidates, from the riders there are."""
    return (riders * (100_000 // max(1, len(riders)) + 1))[:100_000]


def own(service: QueryService, riders: list[str]) -> list[str]:
    """The riders that `PLATFORM` may see."""
    batch = Batch.of(riders, [25] * len(riders))
    service.riders.answer(batch, PLATFORM)
    return [riders[index] for index in np.flatnonzero(batch.asked.answers[:, A_KNOWN])]


def ask_engine(
    service: QueryService, riders: list[str], seconds: float, platform: str | None
) -> tuple[list[float], str]:
    """Answer whole rounds in this process; how long the columns took, and the CPU they used."""
    batch = Batch.of(riders, [25] * len(riders))
    took: list[float] = []
    unbelieved = 0
    used_s = time.process_time()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        unsure = service.riders.answer(batch, platform)
        took.append(time.perf_counter() - began)
        unbelieved += bool(unsure)
    used_ms = (time.process_time() - used_s) / len(took) * 1000
    return took[1:], f"{used_ms:.1f} ms of CPU each; {unbelieved} with a partition not to be believed"


def measure(port: int, seconds: float, per_second: float, load: str) -> None:
    """Ask in all three ways and print the lines."""
    service = QueryService(Settings(keys=""))
    service.warm_up()
    deadline = time.monotonic() + PATIENCE_S
    while any(one.why_not for one in service.riders.healths()) and time.monotonic() < deadline:
        time.sleep(0.1)
    found, _ = service.riders.survey()
    riders = [batch.rider(row) for _, batch, _ in found for row in range(len(batch.murmurs))]
    random.Random(1).shuffle(riders)
    candidates = as_many(riders)
    body = json.dumps({"candidates": [{"rider_id": one, "minutes": 25} for one in candidates]}).encode()
    for rate, pace in ((per_second, f"{per_second:g} a second"), (0.0, "one after another")):
        took, verdicts = ask_single(port, riders, seconds, rate)
        note(f"one rider over HTTP, {pace}, {load}", took, str(verdicts))
    for platform, asked in ((None, candidates), (PLATFORM, as_many(own(service, riders)))):
        took, more = ask_engine(service, asked, seconds, platform)
        note(f"100,000 candidates, engine, {platform or 'all'}, {load}", took, more)
    more = f"{len(body) / 1e6:.1f} MB asked"
    note(f"100,000 candidates over HTTP, {load}", ask_rounds(port, body, seconds), more)


def chosen_options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=0.5)
    parser.add_argument("--rate", type=float, default=60_000, help="events per second sent meanwhile")
    parser.add_argument("--asks", type=float, default=200.0, help="single riders asked about per second")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each kind of question")
    parser.add_argument("--partitions", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Fill, start, measure idle and under load, print a table.

    Longer than others, longer because it is one measurement from start to end.
    """
    chosen = chosen_options()
    harness.stop_in_order()
    harness.say_about(1)
    ports = free_ports(["metrics", "api"], {})
    with Broker.running() as broker:
        # This process asks as the engine, too, by the same settings.
        os.environ |= own_environment(
            broker.bootstrap,
            # The city's next hours are judged faster than they pass.
            RESPITE_CLOCK="event",
            RESPITE_METRICS_PORT=str(ports["metrics"]),
            RESPITE_API_PORT=str(ports["api"]),
        )
        environment = dict(os.environ)
        middle_s = harness.city_second(MIDDLE)
        before_s = middle_s - int(chosen.days * DAY_S)
        sent = city(chosen.riders, chosen.days, "--start", utc(before_s))
        events = fill(environment, chosen.partitions, sent)
        python = [sys.executable, "-m", "stream"]
        print(f"{events:,} events of {chosen.riders:,} riders, {chosen.partitions} partitions")
        with (
            # As is advised where both share cores: dispatchers wait for answers, alerts have a second.
            running("worker", ["nice", "-n", "5", *python, "worker"], environment) as worker,
            running("api", [*python, "api", "--no-auth"], environment),
        ):
            wait_until_live(ports["metrics"], chosen.partitions)
            measure(ports["api"], chosen.seconds, chosen.asks, "worker idle")
            # What sends stands for other machines.
            more = city(chosen.riders, chosen.days, "--start", utc(middle_s), "--rate", str(chosen.rate))
            command = ["nice", "-n", "10", *more]
            before = read(ports["metrics"])
            sending = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            try:
                # The simulator makes its city first, then sends.
                while sending.poll() is None and read(ports["metrics"]) < before + chosen.rate:
                    time.sleep(0.1)
                began = time.monotonic(), read(ports["metrics"]), cpu_seconds(worker.pid)
                measure(ports["api"], chosen.seconds, chosen.asks, "under load")
                seconds = time.monotonic() - began[0]
                rate = (read(ports["metrics"]) - began[1]) / seconds
                share = (cpu_seconds(worker.pid) - began[2]) / seconds
                meanwhile = f"meanwhile the worker judged {rate:,.0f} events/s, {share:.0%} of a core"
            finally:
                sending.terminate()
                sending.wait()
    harness.table(HEAD, _rows)
    print(meanwhile)
    rows = [
        dict(zip(("asked", "times", "p50_ms", "p99_ms", "most_ms", "more"), row, strict=True))
        for row in _rows
    ]
    document = {"riders": chosen.riders, "rows": rows, "events_per_s": rate, "core_share": share}
    harness.keep("api", document, 1)


def read(port: int) -> float:
    """Events that the worker has read."""
    return float(scrape(port).get('respite_events_total{outcome="read"}', 0.0))


if __name__ == "__main__":
    main()
