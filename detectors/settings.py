"""What verdicts depend on. Apart from the kernels: every command reads settings, few judge."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.kernels.layout.arrays import Rules


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Settings that verdicts depend on, seconds; the defaults are the contract's."""

    lateness_s: int = 86_400
    breach_grace_s: int = 60
    max_open_order_s: int = 10_800
    max_open_session_s: int = 57_600
    max_open_break_s: int = 14_400
    max_open_duty_s: int = 57_600
    keep_s: int = 15 * 86_400
    #: Final events of a rider that are sealed together; 0 keeps everything (replay of files).
    seal_events: int = 16

    def rules(self) -> Rules:
        """The same for the kernels."""
        return Rules(
            max_open_order=self.max_open_order_s,
            max_open_session=self.max_open_session_s,
            max_open_break=self.max_open_break_s,
            max_open_duty=self.max_open_duty_s,
            breach_grace=self.breach_grace_s,
            lateness=self.lateness_s,
            keep=self.keep_s,
            seal_events=self.seal_events,
        )
