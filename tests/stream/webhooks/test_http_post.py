"""One attempt against receivers that are slow, lying, resetting, huge or not who they say."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
from pathlib import Path

import pytest

from stream.delivery.destination import Meaning
from stream.webhooks.config import Endpoint
from stream.webhooks.http_post import posting
from stream.webhooks.responses import Answer
from tests.certificates import Authority
from tests.stream.webhooks.receiver import SECRET, Receiver, Reply, alert

BODY = alert(1, "r1")


def endpoint(url: str, **more: object) -> Endpoint:
    given = {"name": "one", "platform": "alpha", "url": url, "secret": SECRET, "timeout": "500ms"}
    return Endpoint.model_validate({"allow_private": True, **given, **more})


def answer(to: Endpoint, times: int = 1) -> Answer:
    async def post() -> Answer:
        async with posting(to) as once:
            for _ in range(times - 1):
                await once("id-1", BODY)
            return await once("id-1", BODY)

    return asyncio.run(post())


def test_the_body_is_the_record_and_the_signature_is_good() -> None:
    with Receiver() as receiver:
        assert answer(endpoint(receiver.url)).meaning is Meaning.DELIVERED
    assert receiver.forged == []
    (got,) = receiver.got
    assert (got.webhook_id, got.body["alert_id"], got.path) == ("id-1", f"{1:032x}", "/hook")


def test_200_after_the_time_is_no_answer() -> None:
    with Receiver(lambda *_: Reply(200, delay_s=3.0)) as receiver:
        began_s = time.monotonic()
        assert answer(endpoint(receiver.url)) == Answer(None, "no answer in time")
        assert time.monotonic() - began_s < 2


def test_200_with_a_body_that_never_ends_counts_and_does_not_hold_us_up() -> None:
    with Receiver(lambda *_: Reply(200, body=b"x" * 100, drip_s=0.1)) as receiver:
        began_s = time.monotonic()
        assert answer(endpoint(receiver.url)).meaning is Meaning.DELIVERED
        assert time.monotonic() - began_s < 2


def test_a_huge_body_is_not_read() -> None:
    with Receiver(lambda *_: Reply(500, body=b"x" * 200_000_000)) as receiver:
        told = answer(endpoint(receiver.url, timeout="5s"))
        assert told.detail == "500 Internal Server Error: " + "x" * 200
    # What the two sockets' buffers took, not the body.
    assert receiver.written_bytes < 20_000_000


def test_a_compressed_body_stays_compressed() -> None:
    packed = gzip.compress(b"A" * 10_000_000)
    with Receiver(lambda *_: Reply(500, {"content-encoding": "gzip"}, packed)) as receiver:
        told = answer(endpoint(receiver.url))
    assert told.status == 500
    assert "AAAA" not in told.detail


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with Receiver() as other, Receiver() as receiver:
        receiver.behaviour = lambda *_: Reply(status, {"location": other.url})
        told = answer(endpoint(receiver.url))
        assert (told.status, told.meaning) == (status, Meaning.RETRY)
        assert len(receiver.got) == 1
        assert other.got == []


def test_a_reset_is_tried_again() -> None:
    with Receiver(lambda *_: Reply(reset=True)) as receiver:
        told = answer(endpoint(receiver.url))
    assert (told.status, told.meaning) == (None, Meaning.RETRY)
    assert answer(endpoint(receiver.url)).meaning is Meaning.RETRY  # nobody listens any more


def test_cookies_are_not_kept() -> None:
    with Receiver(lambda *_: Reply(200, {"set-cookie": "track=1"})) as receiver:
        # By its name, for no client keeps cookies of an address.
        assert answer(endpoint(receiver.url.replace("127.0.0.1", "localhost")), times=2).status == 200
        assert [one.cookie for one in receiver.got] == [None, None]


def test_tls_is_verified(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("server", "127.0.0.1"))
    with Receiver(tls=tls) as receiver:
        assert answer(endpoint(receiver.url, ca_file=str(authority.certificate))).status == 204
        for files in ({}, {"ca_file": str(other.certificate)}):
            told = answer(endpoint(receiver.url, **files))
            assert told.meaning is Meaning.RETRY
            assert "ertificate" in told.detail
        named = receiver.url.replace("127.0.0.1", "localhost")
        told = answer(endpoint(named, ca_file=str(authority.certificate)))
        assert "ertificate" in told.detail
        assert len(receiver.got) == 1


def test_a_name_that_resolves_to_a_private_address_gets_nothing() -> None:
    with Receiver() as receiver:
        # The file's check sees a public name; where it leads is known only when it is resolved.
        told_public = endpoint(f"https://hooks.example.com:{receiver.port}/", allow_private=False)
        rebound = told_public.model_copy(update={"url": f"https://localhost:{receiver.port}/"})
        told = answer(rebound)
        assert told.meaning is Meaning.RETRY
        assert "no address of the public internet" in told.detail
