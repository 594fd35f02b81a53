"""What a partition tells: alerts, statuses, the watermark, and to each platform what is its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from detectors import pages
from detectors.kernels.layout.values import INF, PAST
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import Status, Verdict
from schemas.decode import rider_hash
from schemas.platform_view import alert_view, concerns
from stream.kafka.transactional_producer import TransactionalProducer
from stream.metrics.alert_latency import AlertLatency
from stream.output.alert_json import Document, Renderer, retraction_id, utc
from stream.schedule import is_due
from stream.settings import Settings
from stream.state.published_outputs import PublishedOutputs

log = structlog.get_logger()
_json = msgspec.json.Encoder()
WATERMARK_EVERY_S = 5.0


class Publisher:
    """Renders what one partition says and puts it into its producer."""

    def __init__(
        self,
        settings: Settings,
        renderer: Renderer,
        producer: TransactionalProducer,
        number: int,
        worker: str,
        wall: Callable[[], float],
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.latency = AlertLatency(self.counts)
        #: What the outputs held at the take-over and has not been told since.
        self.published = PublishedOutputs()
        #: By policy, the instant before which nothing of it is told: it was named later.
        self.since_s: Mapping[str, int] = {}
        self._settings = settings
        self._renderer = renderer
        self._producer = producer
        self._number = number
        self._worker = worker
        self._wall = wall
        self._watermark_due = 0.0

    # -- alerts --------------------------------------------------------------------------------

    def alert(self, store: RiderStore, verdict: Verdict, detected: datetime) -> None:
        """Tell a verdict, or take it back."""
        document = self._renderer.alert_of(store, verdict, store.now_s, detected)
        before = self.published.alerts.pop(document["supersedes"] or document["alert_id"], None)
        hold = document["hold"]
        if hold:
            key = (document["rider_id"], document["policy"], document["limit"], hold["from"])
            hold["told_at"] = self.published.told_at.get(key, hold["told_at"])
        # Nothing from before a platform first claimed the rider is for it (CONTRACT 2).
        platforms = self._platforms(store, verdict.row, verdict.event_time_s)
        self.latency.put(document, platforms, repeated=before is not None)
        self._put_alert(document, self._with_outlet(platforms))

    def retract_vanished(self, store: RiderStore, limits: LimitTable, sealed_s: int) -> None:
        """Take back what an earlier owner told and the evidence does not bear out, once *now* is there.

        What rests on evidence that can no longer be read stands as it was told.
        """
        for identity, alert in list(self.published.alerts.items()):
            instant_s = alert.instant_s
            if instant_s > store.now_s:
                continue
            del self.published.alerts[identity]
            # Alerts of a policy that is no longer named stand as they are, also when it is named again
            # later, and so does what is final.
            named_s = self.since_s.get(alert.policy, PAST) if alert.policy in limits.policies else INF
            rider = alert.rider.encode()
            mixed = rider_hash(rider)
            if instant_s >= max(sealed_s, named_s) and not pages.may_lack(store, rider, mixed, instant_s):
                document = {
                    **msgspec.json.decode(alert.value),
                    "alert_id": retraction_id(identity),
                    "kind": "retracted",
                    "supersedes": identity,
                    "detected_at": utc(int(self._wall())),
                }
                row = pages.find(store, rider, mixed)
                self._put_alert(
                    document, [] if row is None else self._with_outlet(self._platforms(store, row, instant_s))
                )

    def _put_alert(self, document: Document, platforms: Sequence[str]) -> None:
        self.counts["alerts", document["kind"]] += 1
        key = document["rider_id"].encode()
        self._producer.put(self._settings.alerts_topic, key, _json.encode(document), partition=self._number)
        # A breach is its platform's business alone, and so is taking it back.
        own = [one for one in platforms if concerns(one, document)]
        if own:
            value = _json.encode(alert_view(document))
            for one in own:
                self._producer.put(self._settings.alerts_of(one), key, value, partition=self._number)

    # -- statuses ------------------------------------------------------------------------------

    def status(self, store: RiderStore, status: Status) -> None:
        """Tell a status; one that is news only to a platform new to the rider goes to the platforms."""
        rider = store.rider_id(status.row)
        key = rider.encode()
        value = _json.encode(self._renderer.status(status, rider))
        if not status.only_joined:
            self.counts["statuses", status.status] += 1
            self._producer.put(self._settings.status_topic, key, value, partition=self._number)
        platforms = self._with_outlet(self._platforms(store, status.row))
        if status.only_joined:
            # The others must not learn that he has begun to work somewhere else.
            newcomers = pages.newcomers(store, status.row)
            platforms = [one for one in platforms if one in newcomers]
        pages.all_told(store, status.row)
        for one in platforms:
            self._producer.put(self._settings.status_of(one), key, value, partition=self._number)

    def forgotten(self, rider: str, platforms: Sequence[str] | None) -> None:
        """Tell that a rider has been forgotten; ``platforms`` are his, None when that is not known."""
        self.counts["statuses", "forgotten"] += 1
        self._producer.put(self._settings.status_topic, rider.encode(), None, partition=self._number)
        self.forgotten_by(rider, self._settings.outlets if platforms is None else platforms)

    def forgotten_by(self, rider: str, platforms: Sequence[str]) -> None:
        """Tell these of his platforms that a rider is theirs no longer."""
        for one in platforms:
            if one in self._settings.outlets:
                self._producer.put(
                    self._settings.status_of(one), rider.encode(), None, partition=self._number
                )

    def outcomes(self, store: RiderStore, outcomes: Sequence[Verdict | Status]) -> None:
        """Tell what a judge said, in its order."""
        detected = datetime.fromtimestamp(self._wall(), tz=UTC)
        for outcome in outcomes:
            if isinstance(outcome, Status):
                self.status(store, outcome)
            else:
                self.alert(store, outcome, detected)

    def _platforms(self, store: RiderStore, row: int, at_s: int = INF) -> list[str]:
        """The platforms whose own the rider is within ``keep``, and was at ``at_s``."""
        return pages.members(store, row, store.now_s - self._settings.keep, at_s)

    def _with_outlet(self, platforms: Sequence[str]) -> list[str]:
        return [one for one in platforms if one in self._settings.outlets]

    # -- watermark -----------------------------------------------------------------------------

    def watermark(self, now_s: int, policies: Sequence[str]) -> None:
        """Tell how far the partition is judged, every 5 s."""
        wall_s = self._wall()
        if not is_due(wall_s, self._watermark_due, WATERMARK_EVERY_S):
            return
        self._watermark_due = wall_s + WATERMARK_EVERY_S
        lag_s = max(0, int(wall_s) - now_s) if self._settings.clock == "wall" else 0
        document = {
            "schema": "watermark/1",
            "partition": self._number,
            "now": utc(now_s) if now_s > 0 else None,
            "lag_s": lag_s,
            "worker": self._worker,
            "policies": list(policies),
        }
        key = str(self._number).encode()
        self._producer.put(
            self._settings.watermark_topic, key, _json.encode(document), partition=self._number
        )
