"""A client that looks after topics and rights, and what Kafka says when it does not let us in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError as AnyKafkaError
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from stream.kafka.failures import in_words, quiet
from stream.settings import Settings

_BOOTSTRAP_TIMEOUT_MS = 10_000
_ASKING_TIMEOUT_MS = 5_000


_ASK_FOR_TLS = "; is it up, and is that its port for TLS? (--security-protocol, --broker)"
_ASK_FOR_PLAIN = "; is it up, and is that its port without TLS? (--broker, --security-protocol)"


class KafkaUnavailable(RuntimeError):
    """Kafka could not be reached, or refused; the message says which and why."""


@contextmanager
def administration(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An admin client; for threads without an event loop.

    Raises
    ------
    KafkaUnavailable
        Kafka cannot be reached, or refuses what is asked in the block.
    """
    quiet("kafka")
    try:
        admin = KafkaAdminClient(bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS, **settings.admin())
    except KafkaError as error:
        # kafka-python 3.0 raises a time-out whatever it was, so another client asks for the reason.
        told = asyncio.run(refusal(settings)) or in_words(error)
        raise KafkaUnavailable(f"Kafka at {settings.broker}: {told}") from error
    try:
        yield admin
    except KafkaError as error:
        raise KafkaUnavailable(f"Kafka at {settings.broker}: {in_words(error)}") from error
    finally:
        admin.close()


async def refusal(settings: Settings) -> str | None:
    """What the first broker that does not let us in says; None when all do."""
    options = settings.client()
    # Its own words on the failure would come before ours.
    quiet("aiokafka.conn")
    for address in options.pop("bootstrap_servers"):
        host, _, port = address.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_ASKING_TIMEOUT_MS, **options
            )
        except ssl.SSLError as error:
            return f"{in_words(error)}{_ASK_FOR_TLS}"
        except (AnyKafkaError, OSError) as error:
            hint = _ASK_FOR_TLS if options["ssl_context"] is not None else _ASK_FOR_PLAIN
            return f"{in_words(error)}{hint}"
        connection.close()
    return None


async def why_silent(settings: Settings, topic: str, partition: int) -> str | None:
    """Ask the leader of a partition by a fresh connection: why it does not answer, None when it does."""
    consumer = AIOKafkaConsumer(
        request_timeout_ms=_ASKING_TIMEOUT_MS, enable_auto_commit=False, **settings.client()
    )
    try:
        async with asyncio.timeout(2 * _ASKING_TIMEOUT_MS / 1000):
            await consumer.start()
            await consumer.end_offsets([TopicPartition(topic, partition)])
    except (AnyKafkaError, OSError) as error:  # a time-out is an OSError
        return in_words(error)
    finally:
        await consumer.stop()
    return None
