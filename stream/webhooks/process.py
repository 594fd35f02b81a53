"""The process ``respite webhooks``: all endpoints of a file, until a signal or a failure ends it."""

from __future__ import annotations

import asyncio
import signal

import structlog

from stream.delivery.consumer import EndpointConsumer, intake
from stream.delivery.dead_letters import DeadLetters, writing
from stream.delivery.failures import reason
from stream.delivery.metrics import Counts, Metrics
from stream.delivery.sender import EndpointGone, Sender
from stream.settings import Settings
from stream.shutdown import exit_after
from stream.webhooks.config import Config, Endpoint
from stream.webhooks.http_post import posting
from stream.webhooks.topics import dead_letters_of, topics_of

log = structlog.get_logger()
#: Beyond the longest request under way: to commit and to leave the groups.
_STOP_S = 5.0


class Running:
    """One endpoint at work."""

    def __init__(self, settings: Settings, config: Config, endpoint: Endpoint, counts: Counts) -> None:
        self._settings = settings
        self._config = config
        self._endpoint = endpoint
        self._counts = counts
        self._sender: Sender | None = None
        self._intake: EndpointConsumer | None = None
        self.disabled = False

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self._endpoint.name

    @property
    def pending(self) -> int:
        """Messages in memory that are neither delivered nor dead letters."""
        return self._sender.pending if self._sender else 0

    @property
    def oldest_ms(self) -> int | None:
        """When Kafka got the oldest of them."""
        return self._sender.oldest_ms if self._sender else None

    @property
    def lag_records(self) -> int:
        """Records in Kafka that have not been fetched."""
        return self._intake.lag_records if self._intake else 0

    async def run(self, letters: DeadLetters, stopping: asyncio.Event) -> None:
        """Send until asked to stop; an endpoint that has said 410 is left alone from then on."""
        try:
            await self._run(letters, stopping)
        except* EndpointGone as gone:
            # No stack: what the receiver said is all there is to know.
            log.error("endpoint disabled", endpoint=self.name, detail=reason(gone, ""))  # noqa: TRY400
            self.disabled = True
        if self.disabled:
            await stopping.wait()

    async def _run(self, letters: DeadLetters, stopping: asyncio.Event) -> None:
        group = self._config.group(self._endpoint)
        topics = topics_of(self._settings, self._endpoint)
        async with posting(self._endpoint) as post, asyncio.TaskGroup() as tasks:
            self._sender = Sender(self._endpoint, post, letters.write_dead_letter, self._counts, tasks)
            async with intake(self._settings, group, self._endpoint, topics, self._sender) as self._intake:
                while not stopping.is_set():
                    await self._intake.turn()


async def run(settings: Settings, config: Config) -> None:
    """Send what the file says until SIGTERM or SIGINT.

    Raises
    ------
    ExceptionGroup
        What one of the endpoints died of.
    OSError
        The port of the metrics is taken.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    metrics = Metrics()
    running = [Running(settings, config, one, metrics.counts(one.name)) for one in config.endpoint]
    metrics.watch(lambda: [*running])
    host = config.metrics_host or settings.metrics_host
    log.info("metrics", address=metrics.start(host, config.metrics_port))
    try:
        async with (
            writing(settings, dead_letters_of(settings, config)) as letters,
            asyncio.TaskGroup() as tasks,
        ):
            for one in running:
                tasks.create_task(one.run(letters, stopping))
            await stopping.wait()
            exit_after(max(one.timeout for one in config.endpoint) + _STOP_S)
    finally:
        metrics.stop()
