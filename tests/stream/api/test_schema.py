"""What the OpenAPI document promises holds for whatever it allows and forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import unsupported_method

from stream.api.app import new_app
from tests.stream.api.test_roles import Scene
from tests.stream.api.world import World


@pytest.fixture
def api(tmp_path: Path) -> Any:
    world = World(tmp_path)
    scene = Scene(world)
    return schemathesis.openapi.from_asgi(
        "/openapi.json", new_app(world.settings, no_auth=True, desk=scene.desk)
    )


schema = schemathesis.pytest.from_fixture("api")
EXAMPLES = 40


@schema.exclude(path="/v1/alerts/stream").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_nothing_is_found_by_what_the_document_allows_and_forbids(case: Any) -> None:
    case.call_and_validate(excluded_checks=[unsupported_method])
