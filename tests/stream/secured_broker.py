"""A real Kafka that asks everybody who he is, with users in all roles."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.kafka.broker import Broker
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.certificates import Authority
from tests.stream.webhooks.receiver import SECRET

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE_S = 60.0
PARTITIONS = 2
GROUP = "judges"
PASSWORD = "correct-horse-battery"
USERS = """
[[user]]
name = "admin"
role = "operator"
password_env = "USER_PASSWORD"
""" + "".join(
    f'[[user]]\nname = "{name}"\nrole = "{role}"\n{more}password_env = "USER_PASSWORD"\n'
    for name, role, more in [
        ("judge", "worker", ""),
        ("alpha-feed", "feed", 'platform = "alpha"\n'),
        ("alpha-reads", "consumer", 'platform = "alpha"\n'),
        ("beta-reads", "consumer", 'platform = "beta"\n'),
        ("api", "api", ""),
        ("hooks", "webhooks", ""),
        ("ops", "operator", ""),
        ("inspector", "regulator", ""),
    ]
)
OUTLETS = [f"{topic}.{platform}" for topic in ("courier.fatigue-alerts", "courier.dispatch-status")
           for platform in ("alpha", "beta")]  # fmt: skip


class Guarded:
    """A broker that asks everybody who he is."""

    def __init__(self, broker: Broker, authority: Authority, folder: Path) -> None:
        self.broker = broker
        self.authority = authority
        self.folder = folder

    def settings(self, user: str, password: str = PASSWORD, ca: Path | None = None) -> Settings:
        return Settings.model_validate(
            {
                "broker": self.broker.address("SASL"), "group": GROUP, "security_protocol": "SASL_SSL",
                "ssl_cafile": str(ca or self.authority.certificate), "sasl_username": user,
                "sasl_password": password, "clock": "event", "metrics_port": 0,
            }
        )  # fmt: skip

    def environment(self, user: str, password: str = PASSWORD, ca: Path | None = None) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RESPITE_")}
        return {
            **clean, "PYTHONPATH": str(ROOT), "USER_PASSWORD": PASSWORD, "SECRET": SECRET,
            "RESPITE_BROKER": self.broker.address("SASL"), "RESPITE_GROUP": GROUP,
            "RESPITE_OUTLETS": "alpha,beta", "RESPITE_SECURITY_PROTOCOL": "SASL_SSL",
            "RESPITE_SASL_USERNAME": user,
            "RESPITE_SASL_PASSWORD": password, "RESPITE_METRICS_PORT": "0",
            "RESPITE_SSL_CAFILE": str(ca or self.authority.certificate),
        }  # fmt: skip

    def respite(self, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stream", *arguments], env=environment, cwd=self.folder,
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip

    def secure(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command, by the broker's own listener, where everybody is super."""
        environment = self.environment("nobody") | {
            "RESPITE_BROKER": self.broker.bootstrap, "RESPITE_SECURITY_PROTOCOL": "PLAINTEXT",
        }  # fmt: skip
        del environment["RESPITE_SSL_CAFILE"]
        return self.respite(
            "secure", "--users", str(self.folder / "users.toml"), *options, environment=environment
        )


@contextlib.contextmanager
def guarded_kafka(folder: Path) -> Iterator[Guarded]:
    """One with topics, users and rights, by ``respite secure``."""
    authority = Authority(folder / "ca")
    certificate, key = authority.issue("broker", "127.0.0.1", "localhost")
    store = folder / "broker-store.pem"
    store.write_bytes(key.read_bytes() + certificate.read_bytes())
    (folder / "users.toml").write_text(USERS, encoding="utf-8")
    listener = "listener.name.sasl."
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The broker speaks to itself without TLS in this test, and so do those who set it up.
        "super.users": "User:ANONYMOUS",
        f"{listener}ssl.keystore.type": "PEM",
        f"{listener}ssl.keystore.location": str(store),
        f"{listener}sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"{listener}scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    with Broker.running(folder / "kafka", properties=properties, listeners={"SASL": "SASL_SSL"}) as broker:
        made = Guarded(broker, authority, folder)
        settings = Settings(broker=broker.bootstrap, clock="event", outlets=("alpha", "beta"))
        provisioning.ensure_topics(settings, PARTITIONS)
        done = made.secure()
        assert done.returncode == 0, done.stderr
        yield made
