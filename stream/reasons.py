"""Why a broker does not let us in: kafka-python 3.0 raises a time-out whatever it was, so we ask."""

from __future__ import annotations

import asyncio
import logging
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError

from stream.settings import Settings

_TIMEOUT_MS = 5_000


def refusal(settings: Settings) -> str | None:
    """What the first broker that does not let us in says; None when all do."""
    return asyncio.run(_refusal(settings))


async def _refusal(settings: Settings) -> str | None:
    options = settings.client()
    # Its own words on the failure would come before ours.
    logging.getLogger("aiokafka.conn").setLevel(logging.CRITICAL)
    for address in options.pop("bootstrap_servers"):
        host, _, port = address.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_TIMEOUT_MS, **options
            )
        except ssl.SSLError as error:
            return f"TLS: {error}"
        except (KafkaError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        connection.close()
    return None
