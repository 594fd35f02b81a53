"""The command ``respite webhooks``."""

from __future__ import annotations

import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli.exit_status import REJECTED, fail, refuse, settings_from
from stream.cli.options import CONNECTION, Options, takes

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Send alerts and statuses to the platforms' own addresses, beside the workers.",
)
File = Annotated[Path, typer.Option("--config", help="TOML file of endpoints.")]
_SETTINGS = (*CONNECTION, "prefix", "log_format")
_SHOWN_AFTER_S = 2.0


@app.callback(invoke_without_command=True)
@takes(*_SETTINGS)
def webhooks(
    options: Options,
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="TOML file of endpoints.")] = None,
) -> None:
    """Send alerts and statuses to the platforms' own addresses until stopped; run as many as you like."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise refuse("webhooks: --config FILE.toml is missing")
    settings, made, _ = _prepare(config, options)
    from stream.webhooks.process import run

    _run(settings, run(settings, made))


@app.command()
@takes(*_SETTINGS)
def replay(
    options: Options,
    config: File,
    endpoint: Annotated[str, typer.Option(help="Name of the endpoint.")],
    since: Annotated[
        str | None,
        typer.Option(help="All messages since then, like 2026-11-23T12:00:00+08:00 [dead letters]."),
    ] = None,
) -> None:
    """Send an endpoint's dead letters once more, or all since a time, under the same ids."""
    from schemas.instants import parse_instant
    from stream.webhooks.config import InvalidConfig

    try:
        since_s = parse_instant(since) if since is not None else None
    except ValueError as error:
        raise refuse(f"--since: {error}") from error
    settings, made, partitions = _prepare(config, options)
    try:
        chosen = made.named(endpoint)
    except InvalidConfig as error:
        raise refuse(f"--endpoint: {error}") from error
    from stream.webhooks.resend import Wish, resend

    sent = _run(settings, resend(settings, made, chosen, Wish(since_s, partitions, _progress())))
    sys.stdout.write(", ".join(f"{outcome} {count}" for outcome, count in sent.items()) + "\n")
    if sent["dead_letter"]:
        raise typer.Exit(REJECTED)


def _prepare(file: Path, options: Options) -> tuple[Any, Any, Any]:
    from stream.kafka.admin import KafkaUnavailable
    from stream.kafka.topics.existing import TopicsRefused
    from stream.logs import set_up
    from stream.webhooks.config import InvalidConfig, load_config
    from stream.webhooks.topics import ensure_topics

    settings = settings_from(**options)
    set_up(settings.log_format)
    try:
        made = load_config(file)
        partitions = ensure_topics(settings, made)
    except (InvalidConfig, TopicsRefused) as error:
        raise refuse(error) from error
    except KafkaUnavailable as error:
        raise fail(error) from error
    return settings, made, partitions


def _run(settings: Any, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
    import asyncio

    from stream.delivery.failures import reason
    from stream.metrics.ports import NotServed

    try:
        return asyncio.run(work)
    except NotServed as error:
        raise fail(error) from error
    except Exception as error:
        told = reason(error, settings.broker)
        if told is None:
            raise
        raise fail(told) from error


def _progress() -> Any:  # noqa: ANN401
    """A line that is written over on a terminal, from two seconds on."""
    began_s = time.monotonic()

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - began_s > _SHOWN_AFTER_S:
            sys.stderr.write(f"\r{done} of {total}" + ("\n" if done == total else ""))

    return show
