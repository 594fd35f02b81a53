"""What the parts of a process make of its settings: topics' full names, clients' arguments."""

from __future__ import annotations

from typing import Any

from detectors.models.parameters import PaceParameters
from detectors.settings import StoreSettings
from stream.settings.checks import Checked


class Settings(Checked):
    """What a process of Respite is told. Durations in seconds, written with their unit, like ``24h``."""

    @property
    def proxies(self) -> tuple[str, ...]:
        """Addresses or networks whose X-Forwarded-For is believed."""
        return tuple(one for one in self.api_proxies.split(",") if one)

    @property
    def peers(self) -> tuple[str, ...]:
        """Base URLs of APIs on other machines."""
        return tuple(one.rstrip("/") for one in self.api_peers.split(",") if one)

    @property
    def source_topic(self) -> str:
        """The source's full name."""
        return self.prefix + self.source

    @property
    def alerts_topic(self) -> str:
        """The alerts' full name."""
        return self.prefix + self.alerts

    @property
    def status_topic(self) -> str:
        """The statuses' full name."""
        return self.prefix + self.status

    @property
    def watermark_topic(self) -> str:
        """The watermarks' full name."""
        return self.prefix + self.watermark

    @property
    def dead_letter_topic(self) -> str:
        """The dead letters' full name."""
        return self.prefix + self.dead_letter

    @property
    def zone_condition_topic(self) -> str:
        """The full name of the topic of conditions of zones."""
        return self.prefix + self.zone_condition

    @property
    def state_topic(self) -> str:
        """The state's full name."""
        return self.prefix + self.state

    @property
    def control_topic(self) -> str:
        """The orders' full name."""
        return self.prefix + self.control

    @property
    def shadow_alerts_topic(self) -> str:
        """The full name of the alerts of policies in the shadow."""
        return self.prefix + self.shadow_alerts

    @property
    def shadow_state_topic(self) -> str:
        """The full name of the state of policies in the shadow."""
        return self.prefix + self.shadow_state

    @property
    def shadow_policies(self) -> tuple[str, ...]:
        """Names or files of the policies in the shadow."""
        return self.shadow_policy if isinstance(self.shadow_policy, tuple) else (self.shadow_policy,)

    def in_the_shadow(self) -> Settings:
        """The same for what judges policies in the shadow: told in topics of its own, and to nobody else."""
        changed = {
            "policy": self.shadow_policies,
            "shadow_policy": (),
            "alerts": self.shadow_alerts,
            # It has none; what is read of the outputs is read of its alerts.
            "status": self.shadow_alerts,
            "state": self.shadow_state,
            "outlets": (),
            "group": f"{self.group}-shadow",
        }
        return self.model_copy(update=changed)

    @property
    def pace(self) -> PaceParameters:
        """What the model of pace goes by."""
        return PaceParameters(self.pace_k, self.pace_h, self.pace_lambda, self.pace_width, self.pace_baseline)

    def alerts_of(self, platform: str) -> str:
        """The full name of a platform's own topic of alerts."""
        return f"{self.alerts_topic}.{platform}"

    def status_of(self, platform: str) -> str:
        """The full name of a platform's own topic of statuses."""
        return f"{self.status_topic}.{platform}"

    @property
    def policies(self) -> tuple[str, ...]:
        """Names or files of the policies."""
        return self.policy if isinstance(self.policy, tuple) else (self.policy,)

    def store(self, seal_events: int) -> StoreSettings:
        """What verdicts depend on."""
        return StoreSettings(
            lateness_s=self.lateness,
            breach_grace_s=self.breach_grace,
            max_open_order_s=self.max_open_order,
            max_open_session_s=self.max_open_session,
            max_open_break_s=self.max_open_break,
            max_open_duty_s=self.max_open_duty,
            keep_s=self.keep,
            seal_events=seal_events,
        )

    def client(self) -> dict[str, Any]:
        """Arguments of an aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.broker.split(","),
            "security_protocol": self.security_protocol,
            "ssl_context": self.tls(),
        }
        if self.security_protocol.startswith("SASL") and self.sasl_password:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options

    def admin(self) -> dict[str, Any]:
        """Arguments of a kafka-python client."""
        return self.client()
