"""The API follows the policies that the workers of its machine judge by (RULEBOOK 6)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from detectors.limits import LimitTable
from detectors.store import RiderStore
from stream.api.queries.query_service import QueryService
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.policies.plan import put_plan, read_plan
from stream.state.shm_writer import About, SharedArrays, digest_of, layout_digest, sweep
from tests.stream.api.world import World

GBT, MEITUAN = ("cn-gbt-2025",), ("cn-meituan-2024",)


def go_on_with(world: World, number: int, policy: tuple[str, ...], *, plan: str | None = None) -> None:
    """A worker of this machine has the partition by another plan; nobody is known in it yet."""
    policies = load_all(policy)
    limits = LimitTable(limits_of(policies), window_starts)
    about = About(
        folder="",
        layout=layout_digest(),
        digest=digest_of(limits, world.settings.store(16)),
        policies=limits.policies,
        partitions=len(world.shared),
        worker="w2",
        clock="wall",
        plan=put_plan(world.place, policies) if plan is None else plan,
    )
    world.shared[number] = SharedArrays(world.place / f"p{number}", about)
    world.stores[number] = RiderStore(limits, world.settings.store(16))
    world.stores[number].lie_in(world.shared[number].place)


def reasons(world: World, client: TestClient) -> list[Any]:
    """Of a rider of each partition."""
    riders = [next(f"r{n}" for n in range(100) if world.home(f"r{n}") == number) for number in range(2)]
    return [client.get(f"/v1/riders/{rider}/eligibility").json()["reason"] for rider in riders]


@pytest.fixture
def service(world: World) -> QueryService:
    return world.service()


def test_answers_go_on_by_the_policies_that_the_workers_have_taken_up(
    world: World, service: QueryService
) -> None:
    client = world.client(service, no_auth=True)
    assert not service.follow_plan()
    for number in range(2):
        go_on_with(world, number, MEITUAN)
    world.say()
    assert reasons(world, client) == ["policies", "policies"]
    assert service.follow_plan()
    assert reasons(world, client) == [None, None]
    assert [one["policy"] for one in client.get("/v1/policies").json()["policies"]] == ["cn-meituan-2024@1"]
    world.work("r1", 12.5)
    world.judge()
    answer = client.get("/v1/riders/r1/eligibility").json()
    assert (answer["verdict"], answer["limit"]) == ("FAIL", "day-12h")
    assert client.get("/v1/overview").json()["statuses"]["hold"] == 1
    assert not service.follow_plan()


def test_while_one_partition_is_built_by_another_plan_the_other_one_answers(
    world: World, service: QueryService
) -> None:
    client = world.client(service, no_auth=True)
    world.say()
    go_on_with(world, 0, MEITUAN)
    assert not service.follow_plan()
    world.say()
    assert not service.follow_plan()
    assert reasons(world, client) == ["policies", None]
    go_on_with(world, 1, MEITUAN)
    assert service.follow_plan()
    world.say()
    assert reasons(world, client) == [None, None]


def test_a_plan_that_is_not_there_or_needs_other_settings_is_not_followed(world: World) -> None:
    service = world.service()
    for number in range(2):
        go_on_with(world, number, MEITUAN, plan="gone")
    world.say()
    assert not service.follow_plan()
    world.settings = world.settings.model_copy(update={"max_open_order": 3600})
    for number in range(2):
        go_on_with(world, number, MEITUAN)
    assert not service.follow_plan()
    assert [one.ref for one in service.policies] == ["cn-gbt-2025@1"]


def test_plans_stay_when_folders_of_killed_workers_are_swept(world: World) -> None:
    name = put_plan(world.place, load_all(GBT))
    sweep(world.place, world.wall_s + 10 * 86_400)
    read = read_plan(world.place, name)
    assert read is not None
    assert [one.ref for one in read] == ["cn-gbt-2025@1"]
    assert not list(world.place.glob("p0"))
