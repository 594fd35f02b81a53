"""What a person reads of an unreachable Kafka has no names of classes in it."""

from __future__ import annotations

import re
import socket
import ssl

import aiokafka.errors
import kafka.errors
import pytest

from stream.kafka.failures import in_words

REFUSED = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 9)")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (REFUSED, "connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "the name is not known"),
        (TimeoutError(), "no answer in time"),
        (kafka.errors.KafkaTimeoutError("Unable to bootstrap"), "no answer in time: Unable to bootstrap"),
        (aiokafka.errors.KafkaConnectionError(REFUSED), "connection refused"),
        (kafka.errors.NodeNotReadyError("bootstrap-0"), "node not ready: bootstrap-0"),
        (aiokafka.errors.TopicAuthorizationFailedError(), "topic authorization failed"),
        (ssl.SSLError(1, "handshake failed"), "TLS: handshake failed"),
    ],
)
def test_an_error_is_told_in_words(error: BaseException, said: str) -> None:
    assert in_words(error).startswith(said)


def test_no_error_of_the_clients_is_told_by_its_class() -> None:
    for module in (aiokafka.errors, kafka.errors):
        # The base of what a broker answers, which nobody raises.
        abstract = getattr(module, "BrokerResponseError", None)
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Exception) and found is not abstract:
                try:
                    error = found("it says so")
                except TypeError:
                    continue
                assert not re.search(r"\w(Error|Exception)\b|Errno", in_words(error)), found
