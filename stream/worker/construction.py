"""What a worker is made of: the Faust app, and what its partitions share."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import faust
from yarl import URL

from detectors.kernels.layout.values import FINALITY_SLACK_S
from detectors.limits import LimitTable
from detectors.shared_orders import SharedOrders
from schemas.policy import Policy
from stream.kafka import raw_batches, raw_fetch
from stream.kafka.topics.wanted import retention_s
from stream.output.alert_json import Renderer
from stream.policies.calendars import window_starts
from stream.policies.directory import PolicyDirectory
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.policies.shadow import in_the_shadow
from stream.settings import Settings
from stream.worker.conditions_topic import ConditionsTopic
from stream.worker.context import WorkerContext

#: Of each partition one such chunk is judged and one waits, all partitions at once.
_FETCH_BYTES = 4 * 1024 * 1024


class WorkerApp(faust.App):
    """A Faust app whose consumer hands on record batches."""

    def _new_transport(self) -> Any:
        return raw_fetch.Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust's tables would live in a folder of the working directory; there are none."""


def policy_directory(settings: Settings) -> PolicyDirectory | None:
    """The folder of policies that are taken up while this runs; None where there is none."""
    if settings.policy_dir is None:
        return None
    defaults = "policy" not in settings.model_fields_set
    return PolicyDirectory(settings.policies, Path(settings.policy_dir), defaults=defaults)


def new_run(settings: Settings, partitions: int, policies: Sequence[Policy] | None = None) -> WorkerContext:
    """What the partitions of a worker share; the policies are those of the settings, or others."""
    if policies is None:
        policies = load_all(settings.policies)
    shadow_policies = in_the_shadow(settings.shadow_policies, policies)
    shadow = None
    if shadow_policies:
        shadow = _run_of(settings.in_the_shadow(), partitions, shadow_policies)
    run = _run_of(settings, partitions, policies)
    # Read once for both; who does not look at conditions takes no notice.
    looking = [one for one in (run, shadow) if one is not None and one.limits.conditions]
    conditions = ConditionsTopic(settings) if looking else None
    if shadow is not None:
        shadow = replace(shadow, conditions=conditions)
    orders = SharedOrders(settings.store(0))
    return replace(run, shared_orders=orders, shadow=shadow, conditions=conditions)


def _run_of(settings: Settings, partitions: int, policies: Sequence[Policy]) -> WorkerContext:
    table = LimitTable(limits_of(policies), window_starts)
    renderer = Renderer(table.limits, policies, settings.lateness + FINALITY_SLACK_S)
    worker = f"{socket.gethostname()}-{os.getpid()}"
    kept_s = retention_s(policies, settings.lateness)
    return WorkerContext(settings, policies, table, renderer, partitions, worker, kept_s)


#: How long what is known of the topic is believed.
_METADATA_MS = 20_000


def new_app(settings: Settings) -> WorkerApp:
    """The Faust app, with what of Faust is used and stepped around."""
    credentials = None
    if settings.security_protocol.startswith("SASL") and settings.sasl_password:
        credentials = faust.SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password.get_secret_value(),
            ssl_context=settings.tls(),
            mechanism=settings.sasl_mechanism,
        )
    elif settings.security_protocol == "SSL":
        credentials = faust.SSLCredentials(context=settings.tls())
    app = WorkerApp(
        settings.group,
        broker=[URL(f"kafka://{address}") for address in settings.broker.split(",")],
        broker_credentials=credentials,
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
        broker_max_poll_interval=600,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=_FETCH_BYTES,
        # A topic that was deleted and made anew is seen by its metadata alone; 5 minutes are the default.
        consumer_metadata_max_age_ms=_METADATA_MS,
        consumer_group_instance_id=settings.instance,
        stream_buffer_maxsize=2,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        topic_create_topics=False,
        web_enabled=False,
        processing_guarantee="at_least_once",
        autodiscover=False,
        producer_acks=-1,
    )
    raw_batches.read_raw(settings.source_topic)
    return app
