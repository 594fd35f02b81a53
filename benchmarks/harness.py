"""What the benchmarks share: waits that end, the machine's description, results as a table, JSON and a plot.

Nothing here depends on the hour: cities begin at `CITY_DAY`'s hours whatever the clock says.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "bench"
#: A Monday; what is measured never depends on the hour at which it is measured.
CITY_DAY = "2026-11-23"
TICKS = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("respite", "faust-streaming", "aiokafka", "numpy", "numba")
_STOP_S = 15
CORES = os.cpu_count() or 1
T = TypeVar("T")


def city_second(clock: str) -> int:
    """Epoch seconds of a local time (``HH:MM``) of the city's day."""
    return int(datetime.fromisoformat(f"{CITY_DAY}T{clock}:00+08:00").timestamp())


class Measured(NamedTuple):
    """Events, seconds of the clock and of the process's CPU."""

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU per event."""
        return self.cpu_seconds / self.events * 1e6

    def document(self) -> dict[str, float]:
        """For the JSON beside the table."""
        return {"events": self.events, "events_per_s": self.rate, "cpu_us_per_event": self.cpu_us}


def wait_until(what: str, probe: Callable[[], T | None], deadline_s: float, pause_s: float = 0.02) -> T:
    """The first answer of ``probe`` that is not None; ends the benchmark with a message at the deadline."""
    ends_s = time.monotonic() + deadline_s
    while (found := probe()) is None:
        if time.monotonic() > ends_s:
            raise SystemExit(f"{what}: not within {deadline_s:.0f} s")
        time.sleep(pause_s)
    return found


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_busy_s() -> float:
    """CPU that the whole machine has used."""
    fields = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    # user, nice, system, idle, iowait, irq, softirq, steal
    return (sum(fields[:3]) + sum(fields[5:8])) / TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def stop_in_order() -> None:
    """Let SIGTERM end this process as an exception does: what it has started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


@contextlib.contextmanager
def running(
    name: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A process that is written to and read from by lines, with a log of its errors; stopped at the end."""
    log = RESULTS / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(
            arguments,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def scrape(port: int) -> dict[str, float]:
    """The values of a worker's metrics by name and label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(respite_\S+) (\S+)$", text, re.MULTILINE)}


def scraped(port: int, process: subprocess.Popen[str]) -> dict[str, float]:
    """The same; nothing while the worker does not answer, and the end of the benchmark when it has ended."""
    if process.poll() is not None:
        message = f"the worker has ended with status {process.returncode}; see {RESULTS / 'logs'}"
        raise SystemExit(message)
    try:
        return scrape(port)
    except OSError:
        return {}


def of_metric(metrics: Mapping[str, float], name: str, label: str) -> dict[str, float]:
    """The samples of a metric by the value of a label."""
    pattern = re.compile(rf'{name}\{{(?:[^}}]*,)?{label}="([^"]*)"[^}}]*\}}')
    found: dict[str, float] = {}
    for key, value in metrics.items():
        if match := pattern.fullmatch(key):
            found[match[1]] = found.get(match[1], 0.0) + value
    return found


def own_environment(broker: str, **more: str) -> dict[str, str]:
    """The environment of a run with topics and a group of its own."""
    name = f"bench-{uuid.uuid4().hex[:6]}"
    return {
        **os.environ,
        "RESPITE_BROKER": broker,
        "RESPITE_PREFIX": f"{name}.",
        "RESPITE_GROUP": name,
        "PYTHONPATH": str(ROOT),
        **more,
    }


def make_topics(environment: Mapping[str, str], partitions: int) -> None:
    """The topics of a run."""
    command = [sys.executable, "-m", "stream", "topics", "--partitions", str(partitions)]
    subprocess.run(
        command,
        env=dict(environment),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
    )


def city(riders: int, days: float, *more: str) -> list[str]:
    """The command that sends the simulated city's events; without ``--start`` they end now."""
    command = [sys.executable, "-m", "stream", "simulate", "--placement", "standard"]
    return [*command, "--riders", str(riders), "--days", str(days), *more]


def fill(environment: Mapping[str, str], partitions: int, command: Sequence[str]) -> int:
    """Make the topics and fill the source by a `city`; the number of events."""
    make_topics(environment, partitions)
    done = subprocess.run(
        command, env=dict(environment), check=True, stderr=subprocess.PIPE, text=True, timeout=1200
    )
    found = re.search(r"sent (\d+) events", done.stderr)
    assert found, done.stderr
    return int(found[1])


# -- results -----------------------------------------------------------------------------------


def machine() -> str:
    """What was measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = model[1] if model else platform.processor()
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}"


def about(seed: int | None = None) -> dict[str, Any]:
    """What must be known to do it again: machine, versions, command, seed, and how busy the machine was."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False)
    return {
        "machine": machine(),
        "kernel": platform.release(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "commit": commit.stdout.strip() or None,
        "command": " ".join(sys.argv).removeprefix(f"{ROOT}/"),
        "seed": seed,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": os.getloadavg(),
    }


def say_about(seed: int | None = None) -> None:
    """Print what must be known to do it again."""
    found = about(seed)
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    print(
        f"{found['command']}\n{found['machine']}; {versions}; commit {found['commit']}, seed {seed}",
        flush=True,
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def keep(name: str, document: Mapping[str, Any], seed: int | None = None) -> Path:
    """Write a result as JSON; where it lies."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"about": about(seed), **document}, indent=1) + "\n")
    print(f"\n{path.relative_to(ROOT)}")
    return path


def bars(name: str, values: Mapping[str, float], x: str) -> None:
    """Draw values by their labels into a PNG."""
    figure, axes = _drawing(name, x, "")
    axes.barh(list(values), list(values.values()))
    axes.invert_yaxis()
    for index, value in enumerate(values.values()):
        axes.text(value, index, f" {value:,.0f}", va="center", fontsize=8)
    axes.margins(x=0.15)
    _save(name, figure)


def _drawing(name: str, x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    return figure, figure.add_subplot(xlabel=x, ylabel=y, title=name)


def _save(name: str, figure: Any) -> None:  # noqa: ANN401 - matplotlib is loaded where it is used
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.png"
    figure.savefig(path, dpi=120)
    print(path.relative_to(ROOT))


def plot(
    name: str,
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    *,
    log_x: bool = False,
) -> None:
    """Draw lines by their labels into a PNG."""
    figure, axes = _drawing(name, x, y)
    for label, (xs, ys) in lines.items():
        axes.plot(xs, ys, marker="o", markersize=3, label=label)
    axes.grid(visible=True, alpha=0.3)
    axes.set_ylim(bottom=0)
    if log_x:
        axes.set_xscale("log")
    axes.legend()
    _save(name, figure)
