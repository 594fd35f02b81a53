"""What the API counts, for Prometheus: totals, with no rider and no platform in them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest

from stream.api.documents.eligibility_answers import VERDICTS


class Counts:
    """The counters of one API process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._verdicts = Counter(
            "respite_api_eligibility",
            "Answers to the dispatcher's question, by verdict.",
            ["verdict"],
            registry=self.registry,
        )
        for verdict in VERDICTS:
            self._verdicts.labels(verdict)
        self._lookups = Counter(
            "respite_api_case_lookups",
            "Looks at single persons by a regulator with a case number; the log says who and whom.",
            registry=self.registry,
        )

    def answered(self, verdicts: Iterable[tuple[str, int]]) -> None:
        """Count answers by verdict."""
        for verdict, count in verdicts:
            self._verdicts.labels(verdict).inc(count)

    def looked_up(self) -> None:
        """Count a regulator's look at a person."""
        self._lookups.inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
