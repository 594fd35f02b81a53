"""Keys: made and rotated by command, hashed at rest, limited in how often they may ask."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from stream.api.access import authentication
from stream.api.access.authentication import RateLimits
from stream.api.access.keys import SLOW, KeyFile, Keys, KeysRefused, open_to_others
from stream.api.app import ApiRefused, is_loopback, run_api
from stream.cli.main import app
from stream.settings import Settings
from tests.stream.api.world import World


def respite(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, list(arguments))
    return found.exit_code, found.stdout, found.stderr


def test_keys_are_made_listed_rotated_and_revoked_by_command(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    at = ("--keys", str(file))
    code, made, _ = respite(
        "keys", "add", "--role", "platform", "--platform", "A", "--if-unknown", "open", *at
    )
    assert code == 0
    identity, secret = made.strip().split(".")
    assert secret not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert respite("keys", "list", *at)[1].split("\t")[:4] == [identity, "platform", "A", "open"]
    keys = Keys(file)
    caller = keys.caller(made.strip())
    assert caller is not None
    assert (caller.role, caller.platform, caller.if_unknown) == ("platform", "A", "open")
    rotated = respite("keys", "rotate", identity, *at)[1].strip()
    assert rotated.split(".")[0] == identity
    assert keys.caller(made.strip()) is None
    assert keys.caller(rotated) is not None
    assert respite("keys", "revoke", identity, *at)[0] == 0
    assert keys.caller(rotated) is None
    code, _, said = respite("keys", "revoke", identity, *at)
    assert (code, identity in said) == (2, True)


@pytest.mark.parametrize(
    ("role", "platform", "said"),
    [
        ("king", None, "role 'king': one of platform, regulator, operator, dispatcher"),
        ("platform", None, "role platform needs --platform NAME"),
        ("operator", "A", "role operator takes no --platform NAME"),
        ("rider", None, "role rider needs --rider ID"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    tmp_path: Path, role: str, platform: str | None, said: str
) -> None:
    with pytest.raises(KeysRefused, match=said):
        KeyFile(tmp_path / "k").add(role, platform)


def test_a_riders_key_names_one_rider_and_no_other_key_does(tmp_path: Path) -> None:
    at = ("--keys", str(tmp_path / "keys.json"))
    code, made, _ = respite("keys", "add", "--role", "rider", "--rider", "r_7f3a09", *at)
    assert code == 0
    caller = Keys(tmp_path / "keys.json").caller(made.strip())
    assert caller is not None
    assert (caller.role, caller.rider, caller.platform) == ("rider", "r_7f3a09", None)
    assert respite("keys", "list", *at)[1].split("\t")[1:3] == ["rider", "r_7f3a09"]
    for role, rider, said in (
        ("operator", "r1", "role operator takes no --rider ID"),
        ("rider", "no id", "rider 'no id': an id has"),
    ):
        code, _, told = respite("keys", "add", "--role", role, "--rider", rider, *at)
        assert (code, said in told) == (2, True)


def test_a_file_of_keys_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "k"
    KeyFile(file).add("operator", None)
    file.chmod(0o644)
    with pytest.raises(KeysRefused, match=r"can be read by others: chmod 600 .*k"):
        KeyFile(file).read()


@pytest.mark.parametrize(
    ("mode", "ours", "is_open"),
    [
        (0o600, True, False),
        (0o640, True, True),
        (0o604, True, True),
        (0o440, False, False),  # a secret that Kubernetes mounts for our group
        (0o444, False, True),
        (0o460, False, True),
    ],
)
def test_a_mounted_secret_is_read_through_its_group_and_nothing_else_is(
    mode: int, ours: bool, is_open: bool
) -> None:
    assert open_to_others(mode, ours=ours) is is_open


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Bearer a.b", "Basic YTpi", "Bearer " + "x" * 300]
)
def test_what_is_no_key_is_refused(world: World, header: str) -> None:
    world.key("operator")
    answer = world.client().get("/v1/policies", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_that_asks_too_often_has_to_wait(world: World) -> None:
    key = {"Authorization": "Bearer " + world.keys.add("operator", None, per_second=2.0)}
    client = world.client()
    codes = [client.get("/v1/policies", headers=key).status_code for _ in range(6)]
    assert codes[:4] == [200] * 4
    assert codes[5] == 429
    assert int(client.get("/v1/policies", headers=key).headers["retry-after"]) >= 1


def test_a_bucket_fills_at_its_rate() -> None:
    now = [0.0]
    buckets = RateLimits(lambda: now[0])
    assert [buckets.take("a", 2.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.take("b", 2.0) == 0
    now[0] = 0.5
    assert (buckets.take("a", 2.0), buckets.take("a", 2.0)) == (0, 0.5)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_guessing_keys_is_limited_and_keeps_no_valid_key_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind one ingress all share an address; a key that nobody has used yet is let in all the same."""
    monkeypatch.setattr(authentication, "_WRONG_PER_SECOND", 0.01)
    known = world.keys.add("operator", None)
    client = world.client()
    wrong = [bearer("a.b"), bearer(known + "x"), *(bearer(f"guess{n}.{n}") for n in range(14))]
    codes = [client.get("/v1/policies", headers=one).status_code for one in wrong]
    assert codes[0] == 401
    assert set(codes[1:]) == {429}
    for key in (known, world.keys.add("operator", None)):
        assert client.get("/v1/policies", headers=bearer(key)).status_code == 200


class NoHasher:
    """Stands for argon2 where it is not to be asked."""

    def verify(self, *_: str) -> None:
        pytest.fail("a slow hash on the way of a question")


def test_no_key_that_is_known_or_not_waits_for_a_slow_hash(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "k")
    made = file.add("operator", None)
    keys = Keys(tmp_path / "k")
    keys._hasher = NoHasher()  # type: ignore[assignment]
    assert keys.caller(made) is not None
    assert keys.caller(made + "x") is None
    assert keys.caller("nobody.at-all") is None
    identity = made.partition(".")[0]
    rotated = file.rotate(identity)
    assert keys.caller(made) is None
    assert keys.caller(rotated) is not None


def test_a_key_from_before_there_were_checks_is_hashed_once_as_long_as_the_file_stands(
    tmp_path: Path,
) -> None:
    path = tmp_path / "k"
    made = KeyFile(path).add("operator", None)
    old = msgspec.json.decode(path.read_bytes())
    del old["secret"], old["keys"][0]["check"]
    path.write_bytes(msgspec.json.encode(old))
    keys = Keys(path)
    assert (keys.quick(made), keys.quick(made + "x"), keys.quick("a.b")) == (SLOW, SLOW, None)
    assert keys.verify(made + "x") is None
    assert keys.verify(made) is not None
    keys._hasher = NoHasher()  # type: ignore[assignment]
    assert keys.caller(made) is not None
    assert keys.caller(made + "x") is None
    before = keys.event_secret()
    path.write_bytes(path.read_bytes() + b" ")
    assert keys.quick(made) is not None
    assert keys.event_secret() == before


def test_bodies_that_are_too_large_are_refused(world: World) -> None:
    client = world.client(no_auth=True)
    answer = client.post("/v1/eligibility", content=b" " * (16 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["title"]) == (413, "Content Too Large")
    chunks = (b" " * 1024 * 1024 for _ in range(17))
    assert client.post("/v1/eligibility", content=chunks).status_code == 413


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 421), ("localhost:80", 200), ("127.0.0.1", 200), ("", 421)]
)
def test_without_keys_a_page_elsewhere_cannot_lead_a_browser_here_by_its_own_name(
    world: World, host: str, status: int
) -> None:
    assert world.client(no_auth=True).get("/v1/policies", headers={"Host": host}).status_code == status


def test_every_answer_carries_the_security_headers(world: World) -> None:
    client = world.client(no_auth=True)
    for path in ("/healthz", "/v1/policies", "/nowhere", "/v1/riders/r/eligibility?minutes=0"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_without_keys_the_api_serves_this_machine_only(tmp_path: Path) -> None:
    settings = Settings(api_host="0.0.0.0", keys=str(tmp_path / "none"))  # noqa: S104 - it is to be refused
    with pytest.raises(ApiRefused, match=r"--no-auth on 0\.0\.0\.0, which others reach"):
        run_api(settings, no_auth=True)
    with pytest.raises(ApiRefused, match="make one with `respite keys add"):
        run_api(settings, no_auth=False)
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "example.org")] == [
        True, True, True, False, False,
    ]  # fmt: skip
