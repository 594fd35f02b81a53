"""Two riders of two platforms, and every route of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.stream.api.world import World

OWN, OTHER = "r-own", "r-other"
CASE = {"X-Case-Number": "2026-117"}
ROUTES = {
    "eligibility": "/v1/riders/{own}/eligibility",
    "round": "/v1/eligibility",
    "rider": "/v1/riders/{own}",
    "alerts": "/v1/riders/{own}/alerts",
    "explanation": "/v1/alerts/{alert}/explanation",
    "policies": "/v1/policies",
    "overview": "/v1/overview",
    "me": "/v1/me",
    "week": "/v1/riders/{own}/week",
    "riders": "/v1/riders",
    "every alert": "/v1/alerts",
    "history": "/v1/history",
    "rest stops": "/v1/rest-stops",
    "gaps": "/v1/rest-stops/gaps",
    "claims": "/v1/claims",
    "reviews of an alert": "/v1/alerts/{alert}/reviews",
    "contest": "/v1/alerts/{alert}/reviews",
    "reviews": "/v1/reviews",
    "review": "/v1/reviews/{review}",
    "review counts": "/v1/reviews/counts",
    "answer": "/v1/reviews/{review}/answer",
    "health": "/healthz",
}
#: What is sent, where it is not asked with GET.
BODIES: dict[str, dict[str, Any]] = {
    "round": {"candidates": [{"rider_id": OWN, "minutes": 25}]},
    "claims": {"riders": [OWN]},
    "contest": {"text": "It was a test order."},
    "answer": {"outcome": "stands", "reason": "It was none."},
}


class Scene:
    """Two riders on hold: one works for A, the other for B only; A and B both breach."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.settings = world.settings.model_copy(
            update={"reviews": str(Path(world.settings.keys).with_name("reviews.sqlite3"))}
        )
        world.work(OWN, 4.2, "A")
        world.send(OWN, "order_accepted", int(world.wall_s) - 60, "B", "later")
        world.send(OWN, "order_accepted", int(world.wall_s) - 120, "A", "later")
        world.work(OTHER, 4.2, "B")
        world.judge()
        self.service = world.service()
        world.told(self.service)
        self.client = world.client(self.service)

    def alert(self, rider: str, kind: str = "limit_reached", platform: str | None = None) -> str:
        return next(
            str(one["alert_id"])
            for one in self.world.alerts
            if one["rider_id"] == rider and one["kind"] == kind and one["platform"] == platform
        )

    def ask(self, route: str, headers: dict[str, str], review: str = "0" * 32) -> Any:
        path = ROUTES[route].format(own=OWN, alert=self.alert(OWN), review=review)
        if route in BODIES:
            return self.client.post(path, json=BODIES[route], headers=headers)
        return self.client.get(path, headers=headers)

    def key(self, role: str) -> dict[str, str]:
        """Of platform A, of the rider who works for it, or of a role that needs no name."""
        return self.world.key(role, "A" if role == "platform" else None, OWN if role == "rider" else None)
