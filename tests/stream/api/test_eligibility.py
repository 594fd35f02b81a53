"""What a dispatcher gets to hear, and when he hears that nothing can be said."""

from __future__ import annotations

from typing import Any

import pytest

from stream.api.queries import partitions as reading
from stream.state.shm_writer import SILENT_MS, Progress, read_about
from tests.stream.api.world import HOUR_S, NOON_S, World


def ask(world: World, rider: str, minutes: int = 25, **headers: str) -> dict[str, Any]:
    client = world.client(no_auth=True)
    answer = client.get(f"/v1/riders/{rider}/eligibility", params={"minutes": minutes}, headers=headers)
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_rider_on_hold_fails_and_hears_when_he_may_resume(world: World) -> None:
    world.work("r1", 4.5)
    world.judge()
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"]) == ("FAIL", "hold")
    assert (answer["policy"], answer["limit"]) == ("cn-gbt-2025@1", "continuous-4h")
    assert answer["remaining_s"] == 0
    # He works: at the earliest a rest of 20 minutes from now on.
    assert answer["earliest_resume"] == "2026-11-24T04:20:00Z"
    assert answer["as_of"] == "2026-11-24T04:00:00Z"
    assert answer["if_unknown"] == "closed"


@pytest.mark.parametrize(("minutes", "verdict"), [(29, "PASS"), (30, "FAIL"), (31, "FAIL")])
def test_an_order_fails_when_the_limit_is_reached_before_its_end_or_exactly_at_it(
    world: World, minutes: int, verdict: str
) -> None:
    world.work("r1", 3.5)
    world.judge()
    answer = ask(world, "r1", minutes)
    assert answer["verdict"] == verdict
    assert answer["remaining_s"] == 1800
    assert answer["reason"] == (None if verdict == "PASS" else "would_reach")


def test_evidence_that_was_taken_in_but_not_judged_yet_counts(world: World) -> None:
    world.work("r1", 4.5)
    world.say()
    assert ask(world, "r1")["verdict"] == "FAIL"


def test_time_that_passes_in_silence_counts(world: World) -> None:
    world.work("r1", 3.5)
    world.judge()
    world.wall_s += 1800
    world.say()
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"]) == ("FAIL", "hold")


def test_a_rider_never_seen_passes_where_his_partition_is_fresh(world: World) -> None:
    answer = ask(world, "nobody")
    assert (answer["verdict"], answer["known"], answer["remaining_s"]) == ("PASS", False, 4 * HOUR_S)
    # An order counts for three hours at most, however long it stays in hand.
    assert ask(world, "nobody", 1440)["verdict"] == "PASS"
    world.work("r1", 1.1)
    world.judge()
    assert ask(world, "r1", 1440)["verdict"] == "FAIL"


def test_a_round_is_answered_in_its_order_as_single_questions_are(world: World) -> None:
    for number in range(300):
        world.work(f"r{number}", number % 6)
    world.judge()
    wanted = [{"rider_id": f"r{number}", "minutes": 1 + number % 40} for number in range(400)]
    client = world.client(no_auth=True)
    answers = client.post("/v1/eligibility", json={"candidates": wanted}).json()["answers"]
    assert [one["rider_id"] for one in answers] == [one["rider_id"] for one in wanted]
    assert {one["verdict"] for one in answers} == {"PASS", "FAIL"}
    for one, answer in list(zip(wanted, answers, strict=True))[::17]:
        assert ask(world, str(one["rider_id"]), int(str(one["minutes"]))) == answer


def test_a_worker_that_says_nothing_for_ten_seconds_is_not_believed(world: World) -> None:
    world.judge()
    world.wall_s = NOON_S + SILENT_MS / 1000
    assert ask(world, "r1")["verdict"] == "PASS"
    world.wall_s += 0.001
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"], answer["known"]) == ("UNKNOWN", "stale", None)
    assert answer["as_of"] is None


def test_a_now_older_than_fifteen_seconds_is_not_believed_although_the_worker_lives(world: World) -> None:
    world.wall_s = NOON_S + 15
    for shared in world.shared:
        wall_ms = int(world.wall_s * 1000)
        shared.say(Progress(NOON_S, wall_ms, wall_ms, live=True, riders=0, lag_records=9, read=0))
    assert ask(world, "r1")["verdict"] == "PASS"
    world.wall_s = NOON_S + 16
    for shared in world.shared:
        wall_ms = int(world.wall_s * 1000)
        shared.say(Progress(NOON_S, wall_ms, wall_ms, live=True, riders=0, lag_records=9, read=0))
    assert ask(world, "r1")["reason"] == "stale"


def test_a_worker_that_the_broker_no_longer_answers_is_not_believed_although_it_lives(world: World) -> None:
    world.work("r1", 1.0)
    world.judge()
    world.say(heard_s=NOON_S - SILENT_MS / 1000)
    assert ask(world, "r1")["verdict"] == "PASS"
    world.say(heard_s=NOON_S - SILENT_MS / 1000 - 0.001)
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"], answer["known"]) == ("UNKNOWN", "stale", None)


def test_a_partition_that_is_being_restored_is_unknown(world: World) -> None:
    world.say(live=False)
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "restoring")


def test_a_partition_that_was_given_up_is_unknown_at_once_and_its_files_are_gone(world: World) -> None:
    client = world.client(no_auth=True)
    assert client.get("/v1/riders/r1/eligibility").json()["verdict"] == "PASS"
    for shared in world.shared:
        shared.close()
    answer = client.get("/v1/riders/r1/eligibility").json()
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "unreachable")
    assert not list(world.place.glob("p*/*"))


def test_a_worker_that_judges_by_other_policies_is_not_believed(world: World) -> None:
    world.settings = world.settings.model_copy(update={"policy": ("cn-meituan-2024",)})
    assert ask(world, "r1")["reason"] == "policies"
    world.settings = world.settings.model_copy(update={"policy": ("cn-gbt-2025",), "max_open_order": 3600})
    assert ask(world, "r1")["reason"] == "policies"


def test_without_any_worker_on_the_machine_everything_is_unknown(world: World) -> None:
    world.settings = world.settings.model_copy(update={"group": "another"})
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "unreachable")


def test_a_rider_who_is_being_changed_all_the_while_is_unknown_not_passed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work("r1", 1)
    world.judge()
    monkeypatch.setattr(reading, "_PAUSE_S", 0.0)
    for store in world.stores:
        store.memory.seq[:] += 1  # as a worker killed in the middle of a change leaves it
    answer = ask(world, "r1")
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "busy")


def test_a_new_owner_takes_over_and_readers_follow(world: World) -> None:
    client = world.client(no_auth=True)
    world.work("r1", 4.5)
    world.judge()
    assert client.get("/v1/riders/r1/eligibility").json()["verdict"] == "FAIL"
    again = World.__new__(World)
    again.__init__(world.place.parent.parent)  # type: ignore[misc]
    for partition in world.place.iterdir():
        about = read_about(partition)
        assert about is not None
        assert [one.name for one in partition.iterdir() if one.is_dir()] == [about.folder]
    assert client.get("/v1/riders/r1/eligibility").json()["known"] is False


def test_growing_arrays_are_mapped_anew_by_readers(world: World) -> None:
    client = world.client(no_auth=True)
    for number in range(5000):
        world.work(f"r{number}", 0.5)
        if number % 1000 == 0:
            world.judge()
            assert client.get(f"/v1/riders/r{number}/eligibility").json()["known"] is True
    world.judge()
    wanted = [{"rider_id": f"r{number}", "minutes": 5} for number in range(5000)]
    answers = client.post("/v1/eligibility", json={"candidates": wanted}).json()["answers"]
    assert all(one["known"] and one["verdict"] == "PASS" for one in answers)


def test_answers_are_counted_by_verdict_whether_single_or_in_a_round(world: World) -> None:
    world.work("r-tired", 4.2, "A")
    world.judge()
    client, key = world.client(), world.key("dispatcher")

    def counted() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        found = [line for line in lines if line.startswith("respite_api_eligibility_total{")]
        return {line.split('"')[1]: float(line.split()[-1]) for line in found}

    assert counted() == {"PASS": 0, "FAIL": 0, "UNKNOWN": 0}
    client.get("/v1/riders/r-tired/eligibility", headers=key)
    body = {"candidates": [{"rider_id": rider, "minutes": 25} for rider in ("r-tired", "r-1", "r-2")]}
    client.post("/v1/eligibility", json=body, headers=key)
    assert counted() == {"PASS": 2, "FAIL": 2, "UNKNOWN": 0}
    world.wall_s += 60
    client.post("/v1/eligibility", json=body, headers=key)
    assert counted() == {"PASS": 2, "FAIL": 2, "UNKNOWN": 3}
    assert "r-tired" not in client.get("/metrics").text
