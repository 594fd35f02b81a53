"""One Apache Kafka node on this machine, from its Maven artifacts: no container engine, no installation.

``python deploy/kafka/broker.py start|stop|status|run|install [--dir DIR]``. Standard library only, so that
it runs before anything is installed. ``start`` prints the bootstrap address, alone, on standard output.
Needs Java 17 or newer; Maven only until the jars are in the cache (``RESPITE_CACHE``, by default the user's).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

if not __package__:  # run as a script, with this folder on the path instead of the repository
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from deploy.kafka.artifacts import HERE, BrokerError, install, locked, program, run, say
from deploy.kafka.processes import answers, free_ports, identity

DEFAULT_DIR = HERE.parent.parent / ".respite" / "kafka"
HEAP = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


class Broker:
    """A Kafka node with its own folder; the same folder is the same broker, across processes and crashes.

    Parameters
    ----------
    dir
        Keeps data, log, configuration and process id; ``.respite/kafka`` of the checkout by default.
    properties
        Added to server.properties; a name that stands there already is replaced.
    listeners
        Further listeners by name, with their protocol: ``{"SASL": "SASL_PLAINTEXT"}``. Each gets a port.
    advertised
        By listener, the port that clients are told instead of its own: that of a proxy before it.
    """

    def __init__(
        self,
        dir: str | os.PathLike[str] | None = None,
        properties: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        advertised: Mapping[str, int] | None = None,
    ) -> None:
        self._advertised = dict(advertised or {})
        self.dir = Path(dir if dir is not None else DEFAULT_DIR).resolve()
        self.log = self.dir / "broker.log"
        self._properties = dict(properties or {})
        self._listeners = {"PLAINTEXT": "PLAINTEXT", **(listeners or {}), "CONTROLLER": "PLAINTEXT"}
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def running(
        cls,
        dir: str | os.PathLike[str] | None = None,
        fresh: bool = True,
        properties: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
    ) -> Iterator[Broker]:
        """A started broker, stopped at the end unless it ran before. No ``dir``: in a temporary folder."""
        with contextlib.ExitStack() as stack:
            folder = dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="respite-kafka-"))
            broker = cls(folder, properties, listeners)
            if fresh:
                broker.wipe()
            ran_before = broker.pid is not None
            if not ran_before:
                # Registered before the start: what is killed in the middle of it is cleaned up as well.
                stack.callback(broker.stop)
            yield broker.start()

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients without TLS or SASL."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """``host:port`` of a listener by its name."""
        ports = self._recorded().get("ports", {})
        if listener not in ports:
            raise BrokerError(f"no listener {listener} in {self.dir}: has this broker been started with it?")
        return f"127.0.0.1:{ports[listener]}"

    @property
    def pid(self) -> int | None:
        """The id of the broker's process, None when it does not run."""
        recorded = self._recorded()
        if self._child is not None:
            self._child.poll()  # reaps a child that has ended
        pid, known = recorded.get("pid"), recorded.get("identity")
        # A pid alone may by now be anybody's: ours began when ours did and has our folder in its command.
        if pid is None or known is None:
            return None
        return int(pid) if identity(pid, str(self.dir / "server.properties")) == known else None

    def start(self) -> Broker:
        """Run the broker, or find it running already; returns when it answers.

        Raises
        ------
        BrokerError
            Java, Maven or memory is missing, or Kafka ended: with the end of its log.
        """
        self.dir.mkdir(parents=True, exist_ok=True)
        with locked(self.dir / "lock"):
            if self.pid is None:
                self._launch()
            self._wait_until_itanswers()
        return self

    def stop(self, *, wait: bool = True) -> None:
        """End the broker in an orderly way; after 20 s by force."""
        if self._signal(signal.SIGTERM) and wait and not self._gone_within(STOP_TIMEOUT_S):
            self.kill()

    def kill(self) -> None:
        """End the broker as a power cut would (SIGKILL); ``start`` brings back the same data and ports."""
        self._signal(signal.SIGKILL)
        if not self._gone_within(STOP_TIMEOUT_S):
            raise BrokerError(f"process {self.pid} does not end")

    def pause(self) -> None:
        """Freeze the process (SIGSTOP): connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Forget all data; refused while the broker runs."""
        if self.pid is not None:
            raise BrokerError(f"the broker in {self.dir} runs: stop it before its data is removed")
        for name in ("data", "formatted", "broker.json"):
            path = self.dir / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _recorded(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.dir / "broker.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def _signal(self, number: signal.Signals) -> bool:
        pid = self.pid
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def _gone_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _launch(self) -> None:
        java, libs = program("java", "JAVA_HOME", "Java 17 or newer"), install()
        # The ports of the last time where they are still free, so that clients find the broker again.
        ports = free_ports(self._listeners, self._recorded().get("ports", {}))
        config = self.dir / "server.properties"
        config.write_text(self._configuration(ports), encoding="utf-8")
        classes = [java, "-cp", f"{libs}/*", f"-Dlog4j2.configurationFile={HERE / 'log4j2.yaml'}"]
        if not (self.dir / "formatted").exists():
            shutil.rmtree(self.dir / "data", ignore_errors=True)  # what an interrupted format left
            cluster = "r" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
            tool = [
                *classes,
                "-Xmx96m",
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster,
                "-c",
                str(config),
            ]
            run(tool, "Kafka could not format its storage")
            (self.dir / "formatted").touch()
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*classes, *HEAP, "kafka.Kafka", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir,
                start_new_session=True,  # a Ctrl-C meant for the caller is not meant for the broker
            )  # fmt: skip
        record = {"pid": self._child.pid, "identity": identity(self._child.pid, str(config)), "ports": ports}
        partial = self.dir / "broker.json.new"
        partial.write_text(json.dumps(record), encoding="utf-8")
        partial.replace(self.dir / "broker.json")

    def _configuration(self, ports: Mapping[str, int]) -> str:
        addresses = [f"{name}://127.0.0.1:{port}" for name, port in ports.items()]
        told = [f"{name}://127.0.0.1:{self._advertised.get(name, port)}" for name, port in ports.items()]
        values = {
            "controller_port": str(ports["CONTROLLER"]),
            "listeners": ",".join(addresses),
            "advertised": ",".join(told),
            "protocols": ",".join(f"{name}:{protocol}" for name, protocol in self._listeners.items()),
            "data": str(self.dir / "data"),
        }
        lines = []
        for line in (HERE / "server.properties").read_text(encoding="utf-8").splitlines():
            name = line.split("=", 1)[0]
            if name not in self._properties:
                lines.append(line if line.startswith("#") else line.format(**values))
        lines += [f"{name}={value}" for name, value in self._properties.items()]
        return "\n".join(lines) + "\n"

    def _wait_until_itanswers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(self.bootstrap):
            if self.pid is None:
                raise BrokerError(f"Kafka ended while starting; the end of {self.log}:\n{_tail(self.log)}")
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka does not answer after {START_TIMEOUT_S:.0f} s; see {self.log}")
            time.sleep(0.05)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def _stay(broker: Broker) -> None:
    """Stop the broker when this process is asked to end; return when the broker has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: broker.stop(wait=False))
    while broker.pid is not None:
        time.sleep(0.2)


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when done (``status``: when running), 1 otherwise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("start", "stop", "status", "run", "install"))
    parser.add_argument(
        "--dir", default=os.environ.get("RESPITE_KAFKA_DIR"), help="its folder (.respite/kafka)"
    )
    chosen = parser.parse_args(arguments)
    broker = Broker(chosen.dir)
    try:
        if chosen.command == "install":
            install()
        elif chosen.command == "stop":
            broker.stop()
        elif chosen.command == "status" and broker.pid is None:
            say(f"no broker runs in {broker.dir}")
            return 1
        else:
            print((broker if chosen.command == "status" else broker.start()).bootstrap, flush=True)
        if chosen.command == "run":
            _stay(broker)
    except BrokerError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
