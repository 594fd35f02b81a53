"""The command ``respite``. Exit status: 0 done, 2 wrong usage or settings, 3 rejected input, 1 else."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from stream.cli.compare import compare
from stream.cli.exit_status import FAILED, fail, policies_from, refuse, settings_from
from stream.cli.importing import import_
from stream.cli.keys import keys_app
from stream.cli.ledger import app as ledger_app
from stream.cli.options import CONNECTION, JUDGING, OUTPUTS, Options, takes
from stream.cli.policy import policy_app
from stream.cli.replay import FILES, replay
from stream.cli.report import report
from stream.cli.rest_stops import rest_stops_app
from stream.cli.secure import secure
from stream.cli.webhooks import app as webhooks_app
from stream.cli.workers_policies import warn_of_other_policies

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    help="Watches couriers' work state and tells platforms, before the next order, who is due a rest.",
    epilog="Every setting is also read from the environment: --max-open-order is RESPITE_MAX_OPEN_ORDER.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def respite(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True)
    ] = False,
) -> None:
    """Watches couriers' work state and tells platforms, before the next order, who is due a rest."""
    if version:
        sys.stdout.write(f"respite {installed_version('respite')}\n")
        raise typer.Exit


app.add_typer(policy_app, name="policy")
app.add_typer(webhooks_app, name="webhooks")
app.add_typer(ledger_app, name="ledger")
app.command()(replay)
app.command()(compare)
app.command()(report)
app.command("import")(import_)
app.command()(secure)
app.add_typer(keys_app, name="keys")
app.add_typer(rest_stops_app, name="rest-stops")


@app.command()
@takes(
    *CONNECTION, "policy", "policy_dir", "shadow_policy", "prefix", "source", *OUTPUTS, "shadow_alerts",
    "state", "shadow_state", "control", "zone_condition", "outlets", "group", "instance", "clock",
    *JUDGING, "keep", "checkpoint_every", "metrics_host", "metrics_port", "ready_lag", "deaf_after",
    "zone_digits", "shared_dir", "models", "log_format",
)  # fmt: skip
def worker(options: Options) -> None:
    """Judge the riders of a topic, together with the other workers of the group."""
    settings = settings_from(**options)
    policies_from(settings.policies, settings.shadow_policies)
    from stream.kafka.admin import KafkaUnavailable
    from stream.kafka.topics.existing import TopicsRefused
    from stream.kafka.topics.provisioning import checked_partitions
    from stream.logs import set_up

    set_up(settings.log_format)
    try:
        partitions = checked_partitions(settings)
    except TopicsRefused as error:
        raise refuse(error) from error
    except KafkaUnavailable as error:
        sys.stderr.write(f"respite: {error}\n")
        raise typer.Exit(FAILED) from error
    from stream.metrics.ports import NotServed
    from stream.state.restored import StateRefused
    from stream.worker.consumer_watchdog import ConsumerDead
    from stream.worker.process import run_worker

    try:
        run_worker(settings, partitions)
    except StateRefused as error:
        raise refuse(error) from error
    except (ConsumerDead, NotServed) as error:
        raise fail(error) from error


@app.command()
@takes(
    *CONNECTION, "policy", "shadow_policy", "prefix", "source", *OUTPUTS, "shadow_alerts", "state",
    "shadow_state", "control", "zone_condition", "outlets",
)  # fmt: skip
def topics(
    options: Options,
    partitions: Annotated[int | None, typer.Option(help="Fixed once data is there [4].")] = None,
    replication: Annotated[int | None, typer.Option(help="Copies of each partition [the broker's].")] = None,
) -> None:
    """Make the topics, or mend their settings."""
    from stream.kafka.topics import provisioning as making

    raise typer.Exit(making.run(settings_from(**options), partitions, replication))


@app.command()
@takes(*CONNECTION, "prefix", "status", "control")
def forget(
    options: Options,
    rider: str,
    within: Annotated[str, typer.Option(help="How long to wait until it is done, like 30s [30s].")] = "30s",
) -> None:
    """Erase what is known of a rider; events that arrived before do not come back."""
    from schemas.durations import parse_duration
    from stream.worker import control_topic

    try:
        within_s = parse_duration(within)
    except ValueError as error:
        raise refuse(f"--within: {error}") from error
    raise typer.Exit(control_topic.run(settings_from(**options), rider, within_s))


@app.command()
@takes(*CONNECTION, "prefix", "source", "watermark", "dead_letter", "zone_condition", "clock", "lateness")
def feed(
    options: Options,
    files: Annotated[list[str], typer.Argument(help=FILES)],
    conditions: Annotated[
        list[str] | None, typer.Option(help="Lines of ZoneConditions, sent to their topic first [none].")
    ] = None,
) -> None:
    """Send files to the source topic, and a heartbeat at the latest event time to every partition."""
    from stream.offline import feed as feeding

    raise typer.Exit(feeding.run(settings_from(**options), files, conditions or ()))


@app.command()
@takes(*CONNECTION, "prefix", "source", "zone_condition", "clock", "lateness", "policy")
def simulate(
    options: Options,
    to: Annotated[
        str | None, typer.Option(help="A file in place of Kafka; .gz and .zst are compressed.")
    ] = None,
    riders: int = 1000,
    days: float = 0.9,
    seed: int = 1,
    start: Annotated[
        str | None, typer.Option(help="Time of the first event [so that the last is now].")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Events per second.")] = None,
    speed: Annotated[float | None, typer.Option(help="Seconds of the city per second.")] = None,
    lost: float = 0.0,
    late: float = 0.0,
    duplicate: float = 0.0,
    shuffled: float = 0.0,
    malformed: float = 0.0,
    void: float = 0.0,
    placement: Annotated[Any, typer.Option(help="mixed or standard: how producers place riders.")] = "mixed",
    honour: Annotated[
        str,
        typer.Option(help="Share of orders for riders on hold that go to others: 0.95, or meituan=1,jd=0.5."),
    ] = "0.95",
    heat: Annotated[
        str | None,
        typer.Option(help="A heat wave: a file for its ZoneConditions, or topic for their topic [none]."),
    ] = None,
) -> None:
    """Make believable couriers: seeded, at a rate, at a speed or as fast as it goes."""
    from schemas.instants import parse_instant
    from stream.simulation import generator as making
    from stream.simulation.events import honoured
    from stream.simulation.faults import Impairments
    from stream.simulation.simulation import Simulation

    if placement not in ("mixed", "standard"):
        raise refuse(f"placement {placement}: mixed or standard")
    try:
        start_s = parse_instant(start) if start is not None else None
        faults = Impairments(lost, late, duplicate, shuffled, malformed, void)
        simulation = Simulation(
            seed=seed, riders=riders, days=days, start_s=start_s, rate=rate, speed=speed,
            impairments=faults, placement=placement, to=to, honour=honoured(honour), heat=heat,
        )  # fmt: skip
    except ValueError as error:
        raise refuse(error) from error
    raise typer.Exit(making.run(settings_from(**options), simulation))


@app.command()
def demo(
    riders: int = 2000,
    seconds: Annotated[int, typer.Option(help="Real seconds that the city's day takes.")] = 75,
    seed: int = 7,
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--no-stay", help="Keep the console after the day [on a terminal]."),
    ] = None,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the console [on a terminal with a display]."),
    ] = None,
) -> None:
    """Everything at once: a Kafka, couriers, a worker, the console, alerts on the terminal."""
    from stream.simulation import demo as showing

    terminal = sys.stdout.isatty()
    display = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    day = showing.Day(
        riders,
        seconds,
        seed,
        stay=terminal if stay is None else stay,
        browser=terminal and display if browser is None else browser,
    )
    raise typer.Exit(showing.run(day))


@app.command()
@takes(
    *CONNECTION, "policy", "shadow_policy", "prefix", "alerts", "watermark", "dead_letter", "group", *JUDGING,
    "keep", "shared_dir", "api_host", "api_port", "api_peers", "api_proxies", "keys", "history",
    "prometheus", "rest_stops", "reviews",
    "review_within", "log_format",
)  # fmt: skip
def api(
    options: Options,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Without keys; on loopback only.")] = False,
) -> None:
    """Answer dispatchers, regulators and operators, beside the workers of this machine."""
    settings = settings_from(**options)
    policies_from(settings.policies, settings.shadow_policies)
    told = [policy.ref for policy in policies_from(settings.policies)]
    warn_of_other_policies(settings, told)
    from stream.api.app import ApiRefused, run_api
    from stream.logs import set_up

    set_up(settings.log_format)
    try:
        run_api(settings, no_auth=no_auth)
    except ApiRefused as error:
        raise refuse(error) from error


def main() -> None:
    """Run the command; a failure that is no usage error ends with status 1 and says what it was."""
    try:
        app(prog_name="respite")
    except KeyboardInterrupt:
        sys.exit(130)
