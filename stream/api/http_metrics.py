"""What the API counts, for Prometheus: totals, with no rider and no platform in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.rest_stops import Entry
from stream.api.documents.eligibility_answers import VERDICTS
from stream.metrics.families import gauge


@dataclass(frozen=True, slots=True)
class RestStopCounts:
    """What metrics say of rest stops; ``zones_without`` is None while it may not be shown."""

    stops: int
    estates: Mapping[Entry, int]
    zones_without: int | None
    is_refused: bool


class Counts(Collector):
    """The counters of one API process, in a registry of their own."""

    def __init__(self) -> None:
        #: As of the newest scrape; None where no file of rest stops is named.
        self.rest_stops: RestStopCounts | None = None
        #: Open reviews, those overdue, when the first is due (epoch seconds); None where none are taken.
        self.reviews: tuple[int, int, int | None] | None = None
        self.registry = CollectorRegistry()
        self.registry.register(self)
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

    def collect(self) -> Iterator[Metric]:
        """The families about rest stops and reviews."""
        stops = gauge("respite_rest_stops", "Rest stops of the file.")
        estates = gauge("respite_estates", "Estates of the file, by whether they let riders in.", ["access"])
        zones = gauge(
            "respite_zones_without_open_rest_stop",
            "Zones of this machine's riders with some on hold and no rest stop open; absent while fewer than "
            "k riders are on hold in all.",
        )
        refused = gauge("respite_rest_stops_refused", "1 while the newest file of rest stops is refused.")
        found = self.rest_stops
        if found is not None:
            stops.add_metric([], found.stops)
            for access, count in found.estates.items():
                estates.add_metric([access], count)
            if found.zones_without is not None:
                zones.add_metric([], found.zones_without)
            refused.add_metric([], int(found.is_refused))
        yield from (stops, estates, zones, refused)
        yield from self._of_reviews()

    def _of_reviews(self) -> Iterator[Metric]:
        waiting = gauge("respite_reviews_open", "Reviews without an answer.")
        late = gauge("respite_reviews_overdue", "Reviews without an answer whose time is over.")
        due = gauge(
            "respite_reviews_due_timestamp_seconds", "When the first open review is due; absent: none."
        )
        if self.reviews is not None:
            count, overdue, first_s = self.reviews
            waiting.add_metric([], count)
            late.add_metric([], overdue)
            if first_s is not None:
                due.add_metric([], first_s)
        yield from (waiting, late, due)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
