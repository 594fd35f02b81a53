"""The Kafka that Respite brings along."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

from deploy.kafka import artifacts, broker, processes
from deploy.kafka.artifacts import BrokerError
from deploy.kafka.broker import Broker

SCRIPT = Path(broker.__file__)
DEADLINE_S = 30


def eventually(claim: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.05)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a broker's configuration in its command line, but no Kafka."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", str(tmp_path / "server.properties")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def record(folder: Path, pid: int, identity: str | None) -> None:
    (folder / "broker.json").write_text(
        f'{{"pid": {pid}, "identity": {"null" if identity is None else chr(34) + identity + chr(34)}, '
        '"ports": {"PLAINTEXT": 1}}'
    )


def test_a_process_is_ours_only_by_its_start_and_its_command(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    config = str(tmp_path / "server.properties")
    identity = processes.identity(sleeper.pid, config)
    assert identity is not None
    record(tmp_path, sleeper.pid, identity)
    assert Broker(tmp_path).pid == sleeper.pid
    record(tmp_path, sleeper.pid, "1")
    assert Broker(tmp_path).pid is None
    assert processes.identity(sleeper.pid, str(tmp_path / "elsewhere")) is None


def test_a_process_that_has_ended_is_nobody(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(tmp_path, sleeper.pid, processes.identity(sleeper.pid, str(tmp_path / "server.properties")))
    sleeper.kill()
    eventually(lambda: Broker(tmp_path).pid is None)


def test_a_strangers_process_under_an_old_pid_is_never_stopped(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record(tmp_path, sleeper.pid, None)
    Broker(tmp_path).stop()
    Broker(tmp_path).kill()
    assert sleeper.poll() is None


def test_ports_stay_the_same_while_they_are_free() -> None:
    before = processes.free_ports(["A", "B"], {})
    assert len(set(before.values())) == 2
    assert processes.free_ports(["A", "B"], before) == before
    with socket.create_server(("127.0.0.1", before["A"])):
        after = processes.free_ports(["A", "B"], before)
    assert after["B"] == before["B"]
    assert after["A"] not in before.values()


def test_ports_lie_below_those_that_clients_are_given() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(port < first for port in processes.free_ports(map(str, range(50)), {}).values())


def test_without_java_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(
        BrokerError, match=r"Java 17 or newer is missing .*deploy/bootstrap.sh.*RESPITE_BROKER"
    ):
        Broker(tmp_path / "kafka").start()


def test_without_maven_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RESPITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAVEN_HOME", raising=False)
    with pytest.raises(BrokerError, match=r"Maven is missing .*deploy/bootstrap.sh"):
        artifacts.install()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [
        f"kafka-{artifacts.kafka_version()}.lock"
    ]


def test_a_failing_maven_leaves_no_half_filled_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho the registry is away\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RESPITE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BrokerError, match=r"(?s)Maven could not fetch Kafka.*the registry is away"):
        artifacts.install()
    assert not artifacts.cache_dir().exists()


def test_status_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert broker.main(["status", "--dir", str(tmp_path)]) == 1
    assert f"no broker runs in {tmp_path}" in capsys.readouterr().err


def test_no_address_without_a_start(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="no listener PLAINTEXT"):
        _ = Broker(tmp_path).bootstrap


@pytest.mark.kafka
class TestOnARealKafka:
    def test_it_starts_once_is_found_by_others_and_is_stopped(self, tmp_path: Path) -> None:
        def script(command: str) -> subprocess.CompletedProcess[str]:
            arguments = [sys.executable, str(SCRIPT), command, "--dir", str(tmp_path / "kafka")]
            return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=100)

        try:
            started = script("start")
            assert started.returncode == 0, started.stderr
            address = started.stdout.strip()
            pid = Broker(tmp_path / "kafka").pid
            assert script("start").stdout.strip() == script("status").stdout.strip() == address
            assert Broker(tmp_path / "kafka").pid == pid
            KafkaAdminClient(bootstrap_servers=address).close()
            with pytest.raises(BrokerError, match="stop it before its data is removed"):
                Broker(tmp_path / "kafka").wipe()
        finally:
            stopped = script("stop")
        assert (stopped.returncode, script("status").returncode) == (0, 1)

    def test_what_was_acknowledged_survives_a_kill_under_the_same_address(self) -> None:
        with Broker.running() as kafka:
            admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
            admin.create_topics({"kept": {"num_partitions": 1}}, wait_for_metadata=True)
            admin.close()
            address = kafka.bootstrap
            producer = KafkaProducer(bootstrap_servers=address)
            producer.send("kept", b"before").get(DEADLINE_S)
            kafka.kill()
            assert kafka.pid is None
            assert kafka.start().bootstrap == address
            producer.send("kept", b"after").get(DEADLINE_S)
            producer.close()
            consumer = KafkaConsumer(
                "kept",
                bootstrap_servers=address,
                auto_offset_reset="earliest",
                consumer_timeout_ms=DEADLINE_S * 1000,
            )
            assert [next(consumer).value, next(consumer).value] == [b"before", b"after"]
            consumer.close()
            folder = kafka.dir
        assert not folder.exists()

    def test_a_folder_that_is_not_fresh_keeps_its_data(self, tmp_path: Path) -> None:
        def topics_of(kafka: Broker) -> list[str]:
            admin: Any = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
            found = admin.list_topics()
            admin.close()
            return [name for name in found if not name.startswith("__")]

        with Broker.running(tmp_path) as kafka:
            admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
            admin.create_topics({"old": {"num_partitions": 1}}, wait_for_metadata=True)
            admin.close()
        assert kafka.pid is None
        with Broker.running(tmp_path, fresh=False) as kafka:
            assert topics_of(kafka) == ["old"]
            with Broker.running(tmp_path, fresh=False) as same:
                assert same.pid == kafka.pid
            assert kafka.pid is not None, "whoever finds it running does not stop it"
        with Broker.running(tmp_path) as kafka:
            assert topics_of(kafka) == []

    def test_properties_and_listeners_are_added(self) -> None:
        login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_worker="secret";'
        properties = {
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secured.plain.sasl.jaas.config": login,
            "log.segment.bytes": "1048576",
        }
        with Broker.running(properties=properties, listeners={"SECURED": "SASL_PLAINTEXT"}) as kafka:
            admin: Any = KafkaAdminClient(
                bootstrap_servers=kafka.address("SECURED"),
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="PLAIN",
                sasl_plain_username="worker",
                sasl_plain_password="secret",
            )
            created = admin.create_topics({"t": {"num_partitions": 1}})
            admin.close()
        assert created["topics"][0]["configs"]["segment.bytes"]["value"] == "1048576"

    def test_a_kafka_that_cannot_start_says_why(self, tmp_path: Path) -> None:
        kafka = Broker(tmp_path, properties={"process.roles": "broker,controller", "num.io.threads": "none"})
        with pytest.raises(BrokerError, match=r"(?s)Kafka .*num.io.threads"):
            kafka.start()
        assert kafka.pid is None
