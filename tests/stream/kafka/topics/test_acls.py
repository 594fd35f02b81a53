"""Roles as data: what they may never do, and files of users that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.kafka.topics.acls import OF_A_PLATFORM, ROLES, Right, User, overlapping, rights_of
from stream.kafka.topics.users_file import InvalidUsers, load_users
from stream.settings import Settings

SETTINGS = Settings(prefix="shanghai.", group="judges")
PASSWORD = "correct-horse-battery"


def rights(role: str, platform: str | None = None) -> list[Right]:
    return rights_of(User("u", role, platform), SETTINGS)


def on(role: str, operation: str, platform: str | None = None) -> set[str]:
    return {str(one.resource) for one in rights(role, platform) if one.operation == operation}


def test_a_feed_may_write_the_source_and_nothing_else() -> None:
    assert [str(one) for one in rights("feed", "alpha")] == ["u: WRITE topic shanghai.courier.work-state"]


def test_a_consumer_reads_its_outlets_and_the_watermark() -> None:
    assert on("consumer", "READ", "alpha") == {
        "topic shanghai.courier.fatigue-alerts.alpha", "topic shanghai.courier.dispatch-status.alpha",
        "topic shanghai.courier.watermark", "group platform-alpha-*",
    }  # fmt: skip
    assert {one.operation for one in rights("consumer", "alpha")} == {"READ"}


def test_a_worker_writes_what_it_tells_and_transactions_of_its_group() -> None:
    assert on("worker", "WRITE") == {
        "topic shanghai.courier.work-state", "topic shanghai.courier.fatigue-alerts",
        "topic shanghai.courier.dispatch-status", "topic shanghai.courier.watermark",
        "topic shanghai.courier.dead-letter", "topic shanghai.respite.state",
        "topic shanghai.courier.shadow-alerts", "topic shanghai.respite.shadow-state",
        "topic shanghai.courier.fatigue-alerts.*", "topic shanghai.courier.dispatch-status.*",
        "transactional id judges-*",
    }  # fmt: skip
    assert "topic shanghai.respite.control" in on("worker", "READ")
    assert "group judges" in on("worker", "READ")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_may_delete_nor_touch_all_there_is(role: str) -> None:
    found = rights(role, "alpha" if role in OF_A_PLATFORM else None)
    assert {one.operation for one in found}.isdisjoint({"DELETE", "ALL", "CLUSTER_ACTION"})
    assert all(len(one.resource.name) > 3 for one in found)


def test_an_operator_reads_only_what_forgetting_and_announcing_need_and_a_regulator_nothing() -> None:
    assert on("operator", "READ") == {
        "topic shanghai.respite.control", "topic shanghai.courier.dispatch-status",
        # Of which conditions stand, to take one back.
        "topic shanghai.courier.zone-condition",
    }  # fmt: skip
    assert rights("regulator") == []


def test_platforms_whose_groups_overlap_are_refused() -> None:
    users = [User("a", "consumer", "ele"), User("b", "consumer", "ele-me"), User("c", "feed", "eleme")]
    (fault,) = overlapping(users)
    assert fault.startswith("platform ele could join groups of ele-me")


def refusal(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> str:
    path = tmp_path / "users.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidUsers) as refused:
        load_users(path, environment or {})
    return str(refused.value)


def test_a_good_file_knows_passwords_and_does_not_show_them(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    path.write_text(
        '[[user]]\nname = "w"\nrole = "worker"\npassword_env = "W"\n'
        '[[user]]\nname = "i"\nrole = "regulator"\n',
        encoding="utf-8",
    )
    users = load_users(path, {"W": PASSWORD})
    assert users.users == (User("w", "worker"), User("i", "regulator"))
    assert users.passwords == {"w": PASSWORD}
    assert PASSWORD not in repr(users)


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    told = refusal(
        tmp_path,
        """
        [[user]]
        name = "a b"
        role = "king"
        [[user]]
        name = "feed"
        role = "feed"
        [[user]]
        name = "worker"
        role = "worker"
        platform = "alpha"
        password_env = "SHORT"
        colour = "red"
        [[user]]
        name = "api"
        role = "api"
        password_env = "NONE"
        [[user]]
        name = "twice"
        role = "api"
        [[user]]
        name = "twice"
        role = "api"
        """,
        {"SHORT": "hunter2"},
    )
    for words in (
        'user 1: name "a b"', 'user 1: role "king": must be one of worker, feed',
        "user 2: platform is missing: a feed needs one",
        'user 3: platform "alpha": a worker has none', "user 3: password_env: SHORT must hold 12 to 256",
        "user 3: unknown: colour", 'user 4: password_env: no environment variable "NONE"',
        "two users of one name: twice",
    ):  # fmt: skip
        assert words in told
    assert "hunter2" not in told


@pytest.mark.parametrize("text", ["", "user = 1", "[[user]", "[user]\nname = 'a'"])
def test_a_file_without_users_is_refused(tmp_path: Path, text: str) -> None:
    assert "users.toml" in refusal(tmp_path, text)


def test_the_example_is_good() -> None:
    example = Path(__file__).resolve().parents[4] / "deploy" / "example" / "users.toml"
    variables = {line.split('"')[1] for line in example.read_text("utf-8").splitlines() if "_env = " in line}
    users = load_users(example, dict.fromkeys(variables, PASSWORD))
    assert {user.role for user in users.users} == set(ROLES) - {"regulator"}
