"""The file of endpoints: what is good, what is refused and with which words, and that secrets stay in."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from stream.webhooks.config import Config, InvalidConfig, load_config
from tests.stream.webhooks.receiver import SECRET

GOOD = f"""
[[endpoint]]
name = "alpha-live"
platform = "alpha"
url = "https://hooks.example.com/respite?tenant=7"
secret = "{SECRET}"
"""


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "webhooks.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(InvalidConfig) as refused:
        load(tmp_path, text)
    return str(refused.value)


def test_an_endpoint_needs_four_things_and_has_patient_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    one = config.named("alpha-live")
    assert config.group(one) == "respite-webhooks-alpha-live"
    assert (one.retry.attempts, one.retry.first, one.retry.longest, one.timeout) == (12, 1.0, 300.0, 10.0)
    assert one.statuses is False
    assert "hold_breached" in one.sent_kinds


def test_durations_are_texts_with_a_unit(tmp_path: Path) -> None:
    one = load(tmp_path, GOOD + 'timeout = "1min"\nretry = {first = "500ms", longest = "1h"}').endpoint[0]
    assert (one.timeout, one.retry.first, one.retry.longest) == (60.0, 0.5, 3600.0)


@pytest.mark.parametrize("written", ["10", "10.0", "0.5", '"10"', "true", '"0s"', '"0ms"', '"10 s"'])
def test_a_duration_without_a_unit_is_refused_and_says_how_it_is_written(
    tmp_path: Path, written: str
) -> None:
    said = refusal(tmp_path, GOOD + f"timeout = {written}")
    assert "timeout" in said
    assert re.search(r'"10s"|"10000ms"|"500ms"|"4h"|"1ms" to "24h"', said), said
    assert "first" in refusal(tmp_path, GOOD + f"retry = {{first = {written}}}")


def test_retractions_go_to_whoever_gets_verdicts(tmp_path: Path) -> None:
    one = load(tmp_path, GOOD + 'kinds = ["limit_reached"]').endpoint[0]
    assert one.sent_kinds == {"limit_reached", "retracted"}


def test_a_secret_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace(f'secret = "{SECRET}"', 'secret_env = "ALPHA_SECRET"')
    assert 'no environment variable "ALPHA_SECRET"' in refusal(tmp_path, text)
    monkeypatch.setenv("ALPHA_SECRET", SECRET)
    assert load(tmp_path, text).endpoint[0].secret.get_secret_value() == SECRET
    assert "either secret or secret_env" in refusal(tmp_path, text + f'secret = "{SECRET}"')


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.com/", "must be https"),
        ("ftp://hooks.example.com/", "must be like https://host/path"),
        ("https:///path", "must be like https://host/path"),
        ("https://user:hunter2@hooks.example.com/", "must not hold a user or password"),
        ("https://10.1.2.3/", "10.1.2.3 is a private address"),
        ("https://169.254.169.254/latest", "169.254.169.254 is a private address"),
        ("https://[fd00::1]/", "fd00::1 is a private address"),
        ("https://localhost/", "localhost is a private address"),
        ("http://127.0.0.1:8080/", "127.0.0.1 is a private address"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, url: str, words: str) -> None:
    told = refusal(tmp_path, GOOD.replace("https://hooks.example.com/respite?tenant=7", url))
    assert words in told
    assert "hunter2" not in told


def test_a_private_address_is_good_when_it_is_meant(tmp_path: Path) -> None:
    text = GOOD.replace("https://hooks.example.com/respite?tenant=7", "https://10.1.2.3/")
    assert load(tmp_path, text + "allow_private = true").endpoint[0].url == "https://10.1.2.3/"
    plain = text.replace("https", "http") + "allow_private = true"
    assert "must be https" in refusal(tmp_path, plain)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("whsec_hunter2!", "must be whsec_ and base64"),
        ("whsec_" + base64.b64encode(b"hunter2-hunter2").decode(), "has 15 bytes"),
        ("", "is empty"),
    ],
)
def test_a_bad_secret_is_refused_and_never_told(tmp_path: Path, secret: str, words: str) -> None:
    told = refusal(tmp_path, GOOD.replace(SECRET, secret))
    assert words in told
    assert not secret or secret not in told
    assert "hunter2" not in told


def test_secrets_are_not_in_what_is_printed_of_a_config(tmp_path: Path) -> None:
    assert SECRET not in repr(load(tmp_path, GOOD))


def test_all_faults_come_at_once_with_their_places(tmp_path: Path) -> None:
    told = refusal(
        tmp_path,
        GOOD.replace("https://hooks", "http://hooks")
        + 'colour = "red"\nconcurrency = 0\nkinds = ["hold"]\n'
        + GOOD,
    )
    for words in ('endpoint[1] "alpha-live".url', '".colour', '".concurrency = 0', '".kinds[1] = "hold"'):
        assert words in told
    assert SECRET not in told
    assert "two endpoints of one name: alpha-live" in refusal(tmp_path, GOOD + GOOD)


def test_an_unknown_endpoint_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match='no endpoint "beta"; there are: alpha-live'):
        load(tmp_path, GOOD).named("beta")


@pytest.mark.parametrize("text", ["", "[[endpoint]", "endpoint = []"])
def test_a_file_without_endpoints_is_refused(tmp_path: Path, text: str) -> None:
    assert "webhooks.toml" in refusal(tmp_path, text)
    with pytest.raises(InvalidConfig, match="no such file"):
        load_config(tmp_path / "none.toml")


def test_the_example_is_good_as_it_stands_and_with_everything_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHA_WEBHOOK_SECRET", SECRET)
    example = Path(__file__).resolve().parents[3] / "deploy" / "example" / "webhooks.toml"
    bare = load_config(example).endpoint[0]
    assert bare.name == "alpha-live"
    text = "".join(
        line.removeprefix("# ")
        for line in example.read_text("utf-8").splitlines(keepends=True)
        if " = " in line and "ca_file" not in line
    )
    full = load(tmp_path, "[[endpoint]]\n" + text).endpoint[0]
    # What stands there as a comment are the defaults, but for the yes and no and the kinds.
    assert full.model_copy(update={"statuses": False, "allow_private": False, "kinds": bare.kinds}) == bare
