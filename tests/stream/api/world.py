"""A partition's store in shared memory, an API beside it, and a clock that stands where it is put."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from fastapi.testclient import TestClient

from detectors.kernels.evidence.arrivals import Place
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import Verdict
from schemas.decode import decode_lines, murmur2
from schemas.instants import parse_instant
from stream.api.access.keys import KeyFile
from stream.api.app import new_app
from stream.api.queries.query_service import QueryService
from stream.columns import arrivals_of
from stream.output.alert_json import Renderer, utc
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.state.shm_writer import About, Progress, SharedArrays, digest_of, layout_digest, shared_folder

NOON_S = parse_instant("2026-11-24T12:00:00+08:00")
HOUR_S = 3600


class World:
    """Workers' state for two partitions on this machine, without workers."""

    def __init__(self, folder: Path, partitions: int = 2, policy: tuple[str, ...] = ("cn-gbt-2025",)) -> None:
        self.wall_s = float(NOON_S)
        self.keys = KeyFile(folder / "keys.json")
        self.settings = Settings(
            broker="127.0.0.1:1",
            shared_dir=str(folder / "shared"),
            group="g",
            policy=policy,
            keys=str(folder / "keys.json"),
            history=str(folder / "history.json"),
        )
        self.policies = load_all(policy)
        self.limits = LimitTable(limits_of(self.policies), window_starts)
        self._renderer = Renderer(self.limits.limits, self.policies, 90_000)
        self.stores: list[RiderStore] = []
        self.shared: list[SharedArrays] = []
        self.alerts: list[dict[str, Any]] = []
        place = shared_folder(self.settings.shared_dir, "g", "")
        assert place is not None
        self.place = place
        store_settings = self.settings.store(16)
        for number in range(partitions):
            about = About(
                folder="",
                layout=layout_digest(),
                digest=digest_of(self.limits, store_settings),
                policies=self.limits.policies,
                partitions=partitions,
                worker="w",
                clock="wall",
            )
            self.shared.append(SharedArrays(place / f"p{number}", about))
            self.stores.append(RiderStore(self.limits, store_settings))
            self.stores[-1].lie_in(self.shared[-1].place)
        self.say()

    def service(self) -> QueryService:
        return QueryService(self.settings, lambda: self.wall_s)

    def client(self, service: QueryService | None = None, *, no_auth: bool = False) -> TestClient:
        # Without its lifespan: nothing is followed, there is no broker.
        app = new_app(self.settings, no_auth=no_auth, service=service or self.service())
        return TestClient(app, base_url="http://127.0.0.1:8080")

    def key(
        self, role: str, platform: str | None = None, rider: str | None = None, if_unknown: str = "closed"
    ) -> dict[str, str]:
        made = self.keys.add(role, platform, if_unknown, 1000.0, rider)
        return {"Authorization": f"Bearer {made}"}

    def send(
        self, rider: str, kind: str, at_s: int, platform: str = "A", order: str = "o", zone: str = "310105"
    ) -> None:
        event = {
            "schema": "work-state/1", "event_id": f"{rider[:20]}-{kind}-{at_s}", "rider_id": rider,
            "platform": platform, "event_time": utc(at_s), "type": kind, "order_id": order, "zone": zone,
        }  # fmt: skip
        number = murmur2(rider.encode()) % len(self.stores)
        decoded = decode_lines([json.dumps(event).encode()])
        self.stores[number].ingest(arrivals_of(decoded), Place(number, len(self.stores), 1, 0))

    def work(self, rider: str, hours: float, platform: str = "A") -> None:
        """He has had one order after another for so long, and has the last one still."""
        begin_s = int(self.wall_s - hours * HOUR_S)
        for number, at_s in enumerate(range(begin_s, int(self.wall_s), 1800)):
            if number:
                self.send(rider, "order_delivered", at_s, platform, f"o{number - 1}")
            self.send(rider, "order_accepted", at_s, platform, f"o{number}")

    def judge(self) -> None:
        """Bring all to the clock, and tell."""
        for store in self.stores:
            for one in store.judge(int(self.wall_s), int(self.wall_s)):
                if isinstance(one, Verdict):
                    self.alerts.append(self._renderer.alert_of(store, one, store.now_s, None))
        self.say()

    def say(self, *, live: bool = True, heard_s: float | None = None) -> None:
        heard_ms = int((self.wall_s if heard_s is None else heard_s) * 1000)
        for store, shared in zip(self.stores, self.shared, strict=True):
            now_s, wall_ms = max(store.now_s, int(self.wall_s)), int(self.wall_s * 1000)
            shared.say(Progress(now_s, wall_ms, heard_ms, live, store.riders, 0, 0))

    def told(self, service: QueryService) -> None:
        """Let the service have read the topic of alerts."""
        for alert in self.alerts:
            self.tell(service, alert)

    def tell(self, service: QueryService, alert: dict[str, Any]) -> None:
        """Let the service have read one more record of the topic of alerts."""
        partition = murmur2(str(alert["rider_id"]).encode()) % len(self.stores)
        service.recent.partitions = len(self.stores)
        service.recent.log.widen(len(self.stores))
        offset = service.recent.log.position[partition] + 1
        packed = msgspec.json.encode(alert)
        service.recent.log.settle()
        service.recent.take_alerts([(alert, packed, self.wall_s, partition, offset)])

    def home(self, rider: str) -> int:
        """The partition of a rider."""
        return murmur2(rider.encode()) % len(self.stores)
