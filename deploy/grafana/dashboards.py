"""Respite's dashboards; writes them as Grafana's JSON: ``python -m deploy.grafana.dashboards [--check]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deploy.generated import write
from deploy.grafana.model import Dashboard, Panel, Query, Row, Variable

FOLDER = Path(__file__).resolve().parent / "dashboards"
_LATENCY = "respite_alert_latency_seconds_bucket"
_WORKER = 'job="respite-worker"'


def _one(expression: str, legend: str = "") -> list[Query]:
    return [Query(expression, legend)]


# fmt: off
_OPERATOR_NOW = Row("Now", [
    Panel("Workers", _one(f"sum(up{{{_WORKER}}})"), "Workers that answer.", kind="stat", width=4, height=4),
    Panel("Workers ready", _one("sum(respite_ready)"),
          "Workers whose /readyz says yes.", kind="stat", width=4, height=4),
    Panel("Partitions unattended", _one("job:respite_partitions_unattended:count"),
          "No worker has them live: UNKNOWN for their riders.",
          kind="stat", width=4, height=4, thresholds=(1, 1)),
    Panel("Events/s", _one("job:respite_events_read:rate1m"),
          "Read of the source, refused ones included.", "ops", "stat", 4, 4),
    Panel("Lag", _one("max(respite_lag_seconds)"), "The partition that is furthest behind; red is UNKNOWN.",
          "s", "stat", 4, 4, (5, 15)),
    Panel("Alert latency, p99", _one("max(job_cause:respite_alert_latency_seconds:p99_rate5m)"),
          "From arrival, or from an instant reached in silence, to the commit.", "s", "stat", 4, 4, (0.5, 2)),
])
_OPERATOR_FLOW = Row("Flow", [
    Panel("Events by outcome", _one("sum by (outcome) (rate(respite_events_total[$__rate_interval]))", "{{outcome}}"),
          "`read` is all; what is neither accepted nor forwarded was refused.", "ops"),
    Panel("Alerts by kind", _one("sum by (kind) (rate(respite_alerts_total[$__rate_interval]))", "{{kind}}"),
          "Published, repeats after a take-over included.", "ops"),
    Panel("Lag in seconds", _one("partition:respite_lag_seconds:max", "{{partition}}"),
          "How far now trails the clock, by partition. Above 15 s dispatchers are told UNKNOWN.",
          "s", thresholds=(5, 15)),
    Panel("Lag in records", _one("sum by (partition) (respite_lag_records)", "{{partition}}"),
          "Records not judged yet, by partition."),
    Panel("Alert latency", [
        Query(f"histogram_quantile(0.5, sum by (cause, le) (rate({_LATENCY}[$__rate_interval])))", "p50 {{cause}}"),
        Query(f"histogram_quantile(0.99, sum by (cause, le) (rate({_LATENCY}[$__rate_interval])))", "p99 {{cause}}"),
    ], "event: since the record's arrival; time: since the instant reached in silence.", "s", thresholds=(0.5, 2)),
    Panel("Late alerts, share", _one("job:respite_alert_latency_slow:ratio_rate1h", "1 h"),
          "Objective: at most 1 %; the alert sounds at 14.4 %.", "percentunit", thresholds=(0.01, 0.144)),
    Panel("Time by stage", _one("sum by (stage) (rate(respite_stage_seconds_sum[$__rate_interval]))", "{{stage}}"),
          "Seconds per second: of decode, ingest, judge, render, tell and checkpoint, 1 is a whole core; in the others chunks wait.",
          "percentunit"),
    Panel("Longest of a stage, 99 %",
          _one("histogram_quantile(0.99, sum by (stage, le) (rate(respite_stage_seconds_bucket[$__rate_interval])))", "{{stage}}"),
          "What a chunk meets on its way: fetch and wait before it is judged, send and commit after it.", "s"),
    Panel("Event loop held, 99 %",
          _one("histogram_quantile(0.99, sum by (le) (rate(respite_loop_lag_seconds_bucket[$__rate_interval])))", "late"),
          "How late the worker's event loop wakes; above 5 ms something holds it.", "s", thresholds=(0.005, 0.05)),
    Panel("Dead letters by reason",
          _one("sum by (reason) (rate(respite_dead_letters_total[$__rate_interval]))", "{{reason}}"),
          "Messages refused.", "ops"),
])
_OPERATOR_STATE = Row("State", [
    Panel("Restore", _one("respite_restore_ratio", "{{partition}}"),
          "How much of the state is built, by partition.", "percentunit"),
    Panel("Checkpoint age", _one("respite_checkpoint_age_seconds", "{{partition}}"),
          "Since the last checkpoint, by partition.", "s", thresholds=(60, 300)),
    Panel("Since the last commit", _one("time() - respite_last_commit_timestamp_seconds", "{{partition}}"),
          "A live partition commits every 5 s.", "s", thresholds=(15, 45)),
    Panel("Clock difference", _one("respite_clock_difference_seconds", "{{instance}} {{partition}}"),
          "Broker minus worker; more than 1 s either way is wrong.", "s"),
    Panel("Riders and memory of the store", [
        Query("sum by (instance) (respite_store_bytes)", "store {{instance}}"),
        Query(f"process_resident_memory_bytes{{{_WORKER}}}", "process {{instance}}"),
    ], "The store's arrays, and all that the process holds.", "bytes"),
    Panel("CPU", _one(f"rate(process_cpu_seconds_total{{{_WORKER}}}[$__rate_interval])", "{{instance}}"),
          "Cores in use; a worker uses little more than one.", "percentunit"),
    Panel("Take-overs", _one("sum by (outcome) (increase(respite_restores_total[$__range]))", "{{outcome}}"),
          "Partitions restored, by how it ended: done, or given up and begun again."),
    Panel("Versions and policies", [
        Query("count by (version, python) (respite_build_info)"), Query("count by (policy) (respite_policy_info)"),
    ], "What runs, and what judges; one of each but during a release.", kind="table"),
])
_OPERATOR_OUTLETS = Row("Outlets", [
    Panel("Webhook deliveries",
          _one("sum by (endpoint, outcome) (rate(respite_webhook_deliveries_total[$__rate_interval]))",
               "{{endpoint}} {{outcome}}"), "Messages settled, by how.", "ops", fed=False),
    Panel("Eligibility answered UNKNOWN", _one("job:respite_api_unknown:ratio_rate5m", "{{job}}"),
          "Share of answers that cannot say PASS or FAIL.", "percentunit", thresholds=(0.01, 0.05), fed=False),
    Panel("Persons looked up by case number, per day", _one("sum(increase(respite_api_case_lookups_total[1d]))", "looks"),
          "By regulators over the API; its log says which case and which key.", fed=False),
])
OPERATOR = Dashboard("respite-operator", "Respite: operator", "Does it run, and how soon does it tell?",
                 [_OPERATOR_NOW, _OPERATOR_FLOW, _OPERATOR_STATE, _OPERATOR_OUTLETS])

_PLATFORM_CHOSEN = 'platform=~"$platform"'
_PLATFORM_RIDERS = Row("Riders", [
    Panel("Riders by status", _one(f"sum by (platform, status) (respite_platform_riders{{{_PLATFORM_CHOSEN}}})",
          "{{platform}} {{status}}"), "Riders of whom the platform has sent events; a rider counts for each."),
    Panel("Share of riders on hold",
          _one(f'sum by (platform) (respite_platform_riders{{{_PLATFORM_CHOSEN},status="hold"}}) '
               f"/ (sum by (platform) (respite_platform_riders{{{_PLATFORM_CHOSEN}}}) > 0)", "{{platform}}"),
          "Of the platform's riders, whoever they worked for when they reached the limit.", "percentunit"),
])
_PLATFORM_LIMITS = Row("By policy and limit", [
    Panel("Riders on hold",
          _one(f"platform_policy_limit:respite_platform_riders_on_hold:sum{{{_PLATFORM_CHOSEN}}}",
               "{{platform}} {{policy}} {{limit}}"), "Each under the limit that names the hold."),
    Panel("Riders near a limit",
          _one(f"platform_policy_limit:respite_platform_riders_near_limit:sum{{{_PLATFORM_CHOSEN}}}",
               "{{platform}} {{policy}} {{limit}}"), "Each under the limit they were warned of last."),
])
_PLATFORM_HOLDS = Row("Holds honoured", [
    Panel("Holds begun per hour", _one(f"platform:respite_holds:increase1h{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Of riders of whom the platform has sent events; a hold counts for each of them."),
    Panel("Breaches per hold", _one(f"platform:respite_holds_breached:ratio_rate1h{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Objective: at most 1 %.", "percentunit", thresholds=(0.01, 0.144)),
    Panel("Breaches per hour", _one(f"platform:respite_breaches:increase1h{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Orders accepted inside a hold, a minute or more after it began.", thresholds=(1, 10)),
    Panel("Breaches per rider on hold and hour",
          _one(f"platform:respite_breaches_per_rider_on_hold:ratio_rate1h{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Comparable between platforms of different sizes."),
    Panel("Time worked in holds, per hour",
          _one(f"platform:respite_hold_work_seconds:increase1h{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "With an order of the platform in hand. Orders in hand may be finished: this is no breach by itself.",
          "s"),
])
_PLATFORM_EVIDENCE = Row("Evidence", [
    Panel("Late evidence, share",
          _one(f"platform:respite_late_events:ratio_rate5m{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Of the platform's accepted events, more than 5 minutes after they happened.", "percentunit",
          thresholds=(0.01, 0.05)),
    Panel("Refused evidence, share",
          _one(f"platform:respite_refused_events:ratio_rate5m{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Of the platform's events, accepted and refused; those that cannot be read name no platform.",
          "percentunit", thresholds=(0.001, 0.01)),
    Panel("Late events", _one(f"platform:respite_late_events:rate5m{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Accepted more than 5 minutes after they happened.", "ops"),
    Panel("Refused events", _one(f"platform:respite_refused_events:rate5m{{{_PLATFORM_CHOSEN}}}", "{{platform}}"),
          "Refused, but readable enough to name the platform.", "ops"),
])
_PLATFORM_CHOICE = Variable("platform", "respite_platform_riders", "Platform")
PLATFORM = Dashboard("respite-platform", "Respite: platforms", "What each platform's riders and feed are like.",
                 [_PLATFORM_RIDERS, _PLATFORM_LIMITS, _PLATFORM_HOLDS, _PLATFORM_EVIDENCE], [_PLATFORM_CHOICE])

# Nothing but what deploy/prometheus/suppressed.py lets through: no cell about one to nine people, none that gives
# one away.
_REGULATOR_CHOSEN = 'policy=~"$policy",limit=~"$limit"'
_REGULATOR_BY_LIMIT = "{{policy}} {{limit}}"
_REGULATOR_STATUS = "status:respite_riders:sum_suppressed"
_REGULATOR_NOW = Row("Now", [
    Panel("Riders", _one("all:respite_riders:sum_suppressed"), "Known, with events in the last 15 days.", kind="stat",
          width=6, height=4),
    Panel("On hold", _one(f'{_REGULATOR_STATUS}{{status="hold"}}'), "Due a rest: no new order. No data: too few to show.",
          kind="stat", width=6, height=4),
    Panel("Near a limit", _one(f'{_REGULATOR_STATUS}{{status="approaching"}}'),
          "Warned, not on hold. No data: too few to show.", kind="stat", width=6, height=4),
    Panel("Working on hold", _one("all:respite_riders_working_on_hold:sum_suppressed"),
          "On hold with an order in hand. No data: too few to show.", kind="stat", width=6, height=4),
])
_REGULATOR_LIMITS = Row("By policy and limit; fewer than ten riders are not shown", [
    Panel("Riders on hold",
          _one(f"policy_limit:respite_riders_on_hold:sum_suppressed{{{_REGULATOR_CHOSEN}}}", _REGULATOR_BY_LIMIT),
          "Each once, under the limit that names the hold."),
    Panel("Riders near a limit",
          _one(f"policy_limit:respite_riders_near_limit:sum_suppressed{{{_REGULATOR_CHOSEN}}}", _REGULATOR_BY_LIMIT),
          "Each once, under the limit they were warned of last."),
    Panel("Holds begun per hour",
          _one(f"policy_limit:respite_holds:increase1h_suppressed{{{_REGULATOR_CHOSEN}}}", _REGULATOR_BY_LIMIT),
          "Each counted once, those taken back by late evidence too."),
    Panel("Time worked in holds, per hour",
          _one(f"policy_limit:respite_hold_work_seconds:increase1h_suppressed{{{_REGULATOR_CHOSEN}}}",
               _REGULATOR_BY_LIMIT),
          "With any order in hand; orders in hand may be finished. Shown where ten worked at once.", "s"),
])
_REGULATOR_PLATFORMS = Row("By platform; fewer than ten riders are not shown", [
    Panel("Riders by status",
          _one("platform_status:respite_platform_riders:sum_suppressed", "{{platform}} {{status}}"),
          "A rider counts for every platform he works for.", kind="bargauge"),
    Panel("Breaches per hour", _one("platform:respite_breaches:increase1h_suppressed", "{{platform}}"),
          "Orders accepted inside a hold."),
    Panel("Breaches per rider on hold and hour",
          _one("platform:respite_breaches_per_rider_on_hold:ratio_rate1h_suppressed", "{{platform}}"),
          "Comparable between platforms of different sizes."),
    Panel("Breaches per hold", [
        Query("platform:respite_holds_breached:ratio_rate1h_suppressed", "{{platform}}"),
        Query("all:respite_holds_breached:ratio_rate1h_suppressed", "all"),
    ], "Objective: at most 1 %.", "percentunit", thresholds=(0.01, 0.144)),
    Panel("Holds begun per hour", _one("platform:respite_holds:increase1h_suppressed", "{{platform}}"),
          "Of riders of whom the platform has sent events; a hold counts for each of them."),
    Panel("Riders on hold by limit",
          _one(f"platform_policy_limit:respite_platform_riders_on_hold:sum_suppressed{{{_REGULATOR_CHOSEN}}}",
               "{{platform}} {{policy}} {{limit}}"),
          "A rider counts for every platform he works for. All limits of a platform or none."),
    Panel("Riders near a limit by limit",
          _one(f"platform_policy_limit:respite_platform_riders_near_limit:sum_suppressed{{{_REGULATOR_CHOSEN}}}",
               "{{platform}} {{policy}} {{limit}}"),
          "A rider counts for every platform he works for. All limits of a platform or none."),
    Panel("Time worked in holds, per hour",
          _one("platform:respite_platform_hold_work_seconds:increase1h_suppressed", "{{platform}}"),
          "With an order of the platform in hand; orders in hand may be finished. Shown where ten worked at once.", "s"),
    Panel("Late evidence, share", [
        Query("platform:respite_late_events:ratio_rate5m_suppressed", "{{platform}}"),
        Query("job:respite_late_events:ratio_rate5m_suppressed", "all"),
    ], "Of accepted events, more than 5 minutes after they happened.", "percentunit", thresholds=(0.01, 0.05)),
    Panel("Refused evidence, share", [
        Query("platform:respite_refused_events:ratio_rate5m_suppressed", "{{platform}}"),
        Query("job:respite_dead_letters:ratio_rate5m_suppressed", "all messages"),
    ], "Of the events that name the platform; and of all messages, readable or not.", "percentunit",
          thresholds=(0.001, 0.01)),
])
_REGULATOR_ZONES = Row("By zone; fewer than ten riders are not shown", [
    Panel("Riders near a limit or on hold",
          _one("zone_status:respite_zone_riders:sum_suppressed", "{{zone}} {{status}}"),
          "Only where RESPITE_ZONE_DIGITS is set, and only as fine as that.", kind="bargauge", width=24),
])
_REGULATOR_CHOICES = [
    Variable("policy", "policy_limit:respite_riders_on_hold:sum_suppressed", "Policy"),
    Variable("limit", "policy_limit:respite_riders_on_hold:sum_suppressed", "Limit"),
]
REGULATOR = Dashboard("respite-regulator", "Respite: regulator", "Who is due a rest, and is it given?",
                 [_REGULATOR_NOW, _REGULATOR_LIMITS, _REGULATOR_PLATFORMS, _REGULATOR_ZONES], _REGULATOR_CHOICES)
# fmt: on

DASHBOARDS = (OPERATOR, PLATFORM, REGULATOR)


def files() -> dict[Path, str]:
    """The files and what belongs into them."""
    return {
        FOLDER / f"{one.uid.removeprefix('respite-')}.json": json.dumps(one.document(), indent=1) + "\n"
        for one in DASHBOARDS
    }


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; the exit status."""
    return write(files(), "deploy.grafana.dashboards", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
