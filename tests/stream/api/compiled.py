"""Everything that the API compiles, compiled before deadlines run: on a new machine it takes minutes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from tests.stream.api.world import World


@cache
def compile_api() -> None:
    """Ask every question once; other processes then load what this one has compiled."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.work("r", 4.2, "A")
        world.judge()
        client = world.client(no_auth=True)
        for path in ("/v1/overview", "/v1/riders/r", "/v1/riders/r/eligibility?minutes=25"):
            assert client.get(path).status_code == 200, path
        body = {"candidates": [{"rider_id": "r", "minutes": 25}]}
        assert client.post("/v1/eligibility", json=body).status_code == 200
        for shared in world.shared:
            shared.close()
