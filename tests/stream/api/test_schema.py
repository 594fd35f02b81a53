"""What the OpenAPI document promises holds for whatever it allows and forbids."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from stream.api.app import new_app
from tests.stream.api.test_roles import Scene
from tests.stream.api.world import World

EXAMPLES = 40
ASKING = (
    "/v1/riders/{rider_id}/eligibility",
    "/v1/eligibility",
    "/v1/riders/{rider_id}",
    "/v1/riders/{rider_id}/alerts",
    "/v1/alerts/{alert_id}/explanation",
)
#: Nothing can be sent to these, so nothing wrong either.
TELLING = ("/v1/policies", "/v1/overview", "/healthz", "/readyz")
CASES = [(path, GenerationMode.POSITIVE) for path in (*ASKING, *TELLING)]
CASES += [(path, GenerationMode.NEGATIVE) for path in ASKING]
#: Never ends, so it is not asked.
LIVE = "/v1/alerts/stream"


@pytest.fixture
def described(world: World) -> Any:
    scene = Scene(world)
    # Schemathesis keeps what it started running until the process ends.
    app = new_app(world.settings, no_auth=True, service=scene.service, follows=False)
    return schemathesis.openapi.from_dict(app.openapi()), app


def test_the_document_has_every_path(described: Any) -> None:
    schema, _ = described
    assert {found.ok().path for found in schema.get_all_operations()} == {*ASKING, *TELLING, LIVE}


@pytest.mark.parametrize(("path", "mode"), CASES, ids=str)
def test_nothing_is_found_by_what_the_document_allows_and_forbids(
    described: Any, path: str, mode: GenerationMode
) -> None:
    schema, app = described
    schema.app = app
    (operation,) = (found.ok() for found in schema.include(path=path).get_all_operations())

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Host": "127.0.0.1:8080"})

    ask()
