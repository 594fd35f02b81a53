"""What the OpenAPI document promises holds for whatever it allows and forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from stream.api.app import new_app
from tests.stream.api.scene import Scene
from tests.stream.api.world import World

EXAMPLES = 40
REST_STOPS = str(Path(__file__).resolve().parents[3] / "deploy" / "example" / "rest-stops.csv")
ASKING = (
    "/v1/riders/{rider_id}/eligibility",
    "/v1/eligibility",
    "/v1/riders/{rider_id}",
    "/v1/riders/{rider_id}/alerts",
    "/v1/alerts/{alert_id}/explanation",
    "/v1/rest-stops",
    "/v1/riders",
    "/v1/alerts",
    "/v1/riders/{rider_id}/week",
    "/v1/history",
    "/v1/alerts/{alert_id}/reviews",
    "/v1/reviews",
    "/v1/reviews/{review_id}",
)
#: Tried with tests/stream/api/test_reviews.py: what they do depends on a file of reviews.
ANSWERING = ("/v1/reviews/{review_id}/answer",)
#: Nothing can be sent to these, so nothing wrong either.
TELLING = (
    "/v1/policies",
    "/v1/me",
    "/v1/reviews/counts",
    "/v1/overview",
    "/v1/rest-stops/gaps",
    "/healthz",
    "/readyz",
)
CASES = [(path, GenerationMode.POSITIVE) for path in (*ASKING, *TELLING)]
CASES += [(path, GenerationMode.NEGATIVE) for path in ASKING]
#: Never ends, so it is not asked.
LIVE = "/v1/alerts/stream"


@pytest.fixture
def described(world: World) -> Any:
    world.settings = world.settings.model_copy(update={"rest_stops": REST_STOPS})
    scene = Scene(world)
    # Schemathesis keeps what it started running until the process ends.
    app = new_app(world.settings, no_auth=True, service=scene.service, follows=False)
    return schemathesis.openapi.from_dict(app.openapi()), app


def test_the_document_has_every_path(described: Any) -> None:
    schema, _ = described
    assert {found.ok().path for found in schema.get_all_operations()} == {*ASKING, *TELLING, *ANSWERING, LIVE}


# What the served app does beside draws on `random` too, so that Hypothesis takes it for a strategy.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize(("path", "mode"), CASES, ids=str)
def test_nothing_is_found_by_what_the_document_allows_and_forbids(
    described: Any, path: str, mode: GenerationMode
) -> None:
    schema, app = described
    schema.app = app
    for found in schema.include(path=path).get_all_operations():
        ask(found.ok(), mode)


def ask(operation: Any, mode: GenerationMode) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Any) -> None:
        # No schema says that an offset goes to 14:00 and February to 28, nor which cursors there are.
        unsaid = [positive_data_acceptance] if {"open_at", "cursor"} & set(case.query or {}) else []
        case.call_and_validate(headers={"Host": "127.0.0.1:8080"}, excluded_checks=unsaid)

    once()
