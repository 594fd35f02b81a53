"""What a process of webhooks may die of that is no bug, in words."""

from __future__ import annotations

from aiokafka.errors import KafkaError

from stream.delivery.sender import EndpointGone
from stream.kafka.failures import in_words


def reason(error: BaseException, broker: str) -> str | None:
    """One line on the first cause; None for what is a bug."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, EndpointGone):
        return f"the endpoint has said 410 Gone; what is not settled stays where it is ({error})"
    if isinstance(error, KafkaError):
        return f"Kafka at {broker}: {in_words(error)}"
    return str(error) if isinstance(error, OSError) else None
