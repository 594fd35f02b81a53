"""Settings come from options, then the environment, then defaults, and are refused all at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.settings import InvalidSettings, Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("RESPITE_"):
            monkeypatch.delenv(name)


def fault_of(**options: object) -> str:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(**options)
    return str(refused.value)


def test_options_come_before_the_environment_and_that_before_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESPITE_LATENESS", "2h")
    monkeypatch.setenv("RESPITE_GROUP", "from-environment")
    monkeypatch.setenv("RESPITE_POLICY", "cn-gbt-2025, some/file.toml")
    settings = load_settings(lateness="36h", broker=None)
    assert settings.lateness == 36 * 3600
    assert settings.group == "from-environment"
    assert settings.policies == ("cn-gbt-2025", "some/file.toml")
    assert settings.broker == "127.0.0.1:9092"


def test_the_prefix_stands_before_every_topic() -> None:
    settings = Settings(prefix="test.")
    topics = (settings.source_topic, settings.alerts_topic, settings.status_topic)
    assert topics == (
        "test.courier.work-state",
        "test.courier.fatigue-alerts",
        "test.courier.dispatch-status",
    )
    assert settings.watermark_topic == "test.courier.watermark"
    assert settings.dead_letter_topic == "test.courier.dead-letter"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("lateness", "72h1min", "1s to 72h"),
        ("lateness", "0", "must be 1s to 72h"),
        ("lateness", -5, "must be 1s to 72h"),
        ("lateness", "banana", "write it like"),
        ("keep", "0", "must be 1s to 9999d"),
        ("keep", "0d", "must be 1s to 9999d"),
        ("keep", "1d1d", "write it like"),
        ("breach_grace", -1, "must be 0 to 14d"),
        ("broker", "", "HOST:PORT"),
        ("broker", "localhost", "HOST:PORT"),
        ("broker", "a:1, b:2", "HOST:PORT"),
        ("policy", "", "names no policy"),
        ("source", "a b", "characters"),
        ("group", "", "characters"),
        ("prefix", "a/b", "characters"),
        ("clock", "sun", "must be wall ("),
        ("lateness", "24", 'no duration without a unit: write "24h", "24min" or "24s"'),
        ("max_open_order", "3", 'no duration without a unit: write "3h"'),
        ("metrics_port", "many", "a whole number"),
        ("metrics_port", 70_000, "65535"),
        ("log_format", "xml", "json (for programs)"),
        ("ssl_cafile", "/no/such/file", "cannot be read"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_the_value_and_what_would_do(
    name: str, value: object, words: str
) -> None:
    fault = fault_of(**{name: value})
    assert f"{name} (RESPITE_{name.upper()}) = " in fault
    assert words in fault


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lateness", "72h", 72 * 3600),
        ("lateness", "90min", 5400),
        ("lateness", "60s", 60),
        ("deaf_after", "0", 0),
        ("breach_grace", "0", 0),
        ("keep", "15d", 15 * 86_400),
        ("keep", "20d12h", 20 * 86_400 + 43_200),
    ],
)
def test_durations_are_written_with_their_units(name: str, value: str, expected: int) -> None:
    assert getattr(load_settings(**{name: value}), name) == expected


def test_several_brokers_and_ipv6_are_addresses() -> None:
    assert load_settings(broker="a.example:9092,[::1]:9093").client()["bootstrap_servers"] == [
        "a.example:9092",
        "[::1]:9093",
    ]


def test_all_faults_are_told_at_once_those_between_settings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPITE_KEEP", "never")
    fault = fault_of(lateness="100h", metrics_port=-1, security_protocol="SASL_SSL", alerts="x", status="x")
    for words in ("lateness (", "metrics_port (", "keep (", "needs sasl_username", "topics must differ"):
        assert fault.count(words) == 1, fault


@pytest.mark.parametrize("options", [{}, {"sasl_username": "u"}, {"sasl_password": "p"}])
def test_sasl_needs_a_name_and_a_password(options: dict[str, str]) -> None:
    assert "needs sasl_username and sasl_password" in fault_of(security_protocol="SASL_PLAINTEXT", **options)


def test_certificates_without_tls_are_refused(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("", encoding="ascii")
    assert "choose SSL or SASL_SSL" in fault_of(ssl_cafile=str(authority))


def test_a_file_that_is_no_certificate_is_refused_before_it_is_used(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("not a certificate", encoding="ascii")
    assert "no usable certificate" in fault_of(ssl_cafile=str(authority), security_protocol="SSL")


def test_a_secret_is_in_no_message_and_no_representation() -> None:
    options = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u", "sasl_password": "hunter2"}
    settings = load_settings(**options)
    assert settings.client()["sasl_plain_password"] == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in fault_of(**options, lateness="100h", alerts="x", status="x")
    assert "12345" not in fault_of(sasl_password=12345)
