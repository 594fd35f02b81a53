"""Addresses, signatures, ids and the ledger."""

from __future__ import annotations

import base64
import json
import random
import time

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from stream.delivery.ledger import Ledger
from stream.delivery.messages import Message, Place, Sorted, sort
from stream.webhooks.addresses import AddressRefused, check
from stream.webhooks.config import Endpoint
from stream.webhooks.signing import Signer
from tests.stream.webhooks.receiver import SECRET, alert, status

OTHER = "whsec_" + base64.b64encode(b"another secret of 30 bytes....").decode()
PLACE = Place("courier.fatigue-alerts.alpha", 3, 41)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_addresses_off_the_public_internet_are_refused_unless_meant(address: str) -> None:
    with pytest.raises(AddressRefused, match="no address of the public internet"):
        check(address, allow_private=False, loopback_only=False)
    check(address, allow_private=True, loopback_only=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_public_addresses_are_good_but_not_without_tls(address: str) -> None:
    check(address, allow_private=False, loopback_only=False)
    with pytest.raises(AddressRefused, match="not a loopback address"):
        check(address, allow_private=True, loopback_only=True)


def test_a_signature_is_what_receivers_verify() -> None:
    body = alert(1, "r1").decode()
    headers = Signer(SECRET).headers("id-1", time.time(), body)
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("r1", "r2"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)


def test_during_a_rotation_receivers_with_either_secret_verify() -> None:
    headers = Signer(f"{OTHER} {SECRET}").headers("id-1", time.time(), "{}")
    for secret in (OTHER, SECRET):
        assert Webhook(secret).verify("{}", headers) == {}


def endpoint(**more: object) -> Endpoint:
    given = {
        "name": "one",
        "platform": "alpha",
        "url": "https://hooks.example.com/",
        "secret": SECRET,
        **more,
    }
    return Endpoint.model_validate(given)


def message(value: bytes | None) -> Message:
    return Message(PLACE, b"r1", value, (), 0)


def test_ids_name_alert_and_place_and_hold_no_full_stop() -> None:
    what, webhook_id = sort(message(alert(255, "r1")), endpoint())
    assert what is Sorted.SEND
    assert webhook_id == f"{255:032x}-courier_fatigue-alerts_alpha-3-41"
    what, webhook_id = sort(message(status(1, "r1")), endpoint(statuses=True))
    assert (what, webhook_id) == (Sorted.SEND, "courier_fatigue-alerts_alpha-3-41")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, Sorted.SKIP),
        (status(1, "r1"), Sorted.SKIP),
        (alert(1, "r1", "reminder"), Sorted.SKIP),
        (alert(1, "r1", "hold_breached"), Sorted.SEND),
        (alert(1, "r1", "retracted"), Sorted.SEND),
        (b"", Sorted.MALFORMED),
        (b"[]", Sorted.MALFORMED),
        (b"{", Sorted.MALFORMED),
        (b'{"schema": "fatigue-alert/1", "alert_id": "a\\r\\nx: y"}', Sorted.MALFORMED),
        (b'{"schema": "fatigue-alert/1"}', Sorted.MALFORMED),
        (b'{"schema": "fatigue-alert/1", "alert_id": "a", "other": "\xff"}', Sorted.MALFORMED),
    ],
)
def test_what_is_sent_is_what_was_asked_for_and_can_be(value: bytes | None, what: Sorted) -> None:
    assert sort(message(value), endpoint(kinds=["hold_breached"]))[0] is what


def test_a_ledger_never_passes_what_is_not_settled() -> None:
    chance = random.Random(5)
    for _ in range(200):
        offsets = sorted(chance.sample(range(60), 20))
        ledger, settled = Ledger(), set()
        for offset in offsets:
            ledger.take(offset)
        for offset in chance.sample(offsets, 20):
            ledger.settle(offset)
            settled.add(offset)
            first_open = min(set(offsets) - settled, default=None)
            below = [one for one in offsets if first_open is None or one < first_open]
            assert ledger.next_offset == (below[-1] + 1 if below else None)
            assert len(ledger) == len(offsets) - len(below)
