"""Whether what compose.yaml and the Kubernetes manifests start would start: commands, settings, paths, ports.

There is no container engine here. So commands are read by the command line itself, settings by `Settings`,
Kafka's by a real broker, and every path, port and probe is looked for on its other side.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from stream.cli.main import app
from stream.metrics.health import router
from stream.policies.loader import load_all
from stream.settings import Settings, load_settings
from stream.webhooks.config import Config
from tests.certificates import Authority
from tests.deploy.test_containers import COMPOSE, CONTAINERFILE, CONTAINERS, DEPLOY, OURS, PODS, ROOT, kind
from tests.stream.api.world import World

EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a container
SERVICES = COMPOSE["services"]
MAIN = {name: one for name, one in CONTAINERS.items() if "command" not in one}


class Started(NamedTuple):
    """One of our processes as it is started: arguments, environment, and what is mounted where."""

    arguments: list[str]
    environment: dict[str, str]
    mounts: dict[str, tuple[str, bool]]


def of_compose(name: str) -> Started:
    service = SERVICES[name]
    mounts = {}
    for volume in service.get("volumes", ()):
        source, place, *more = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")
        mounts[place] = source, more == ["ro"]
    return Started(service["command"], service["environment"], mounts)


def of_kubernetes(name: str) -> Started:
    one = MAIN[name]
    environment = dict(kind("ConfigMap")["respite"]["data"])
    # The secret that README.md says to make.
    readme = (DEPLOY / "kubernetes" / "README.md").read_text(encoding="utf-8")
    environment |= dict(re.findall(r"--from-literal=(RESPITE_\w+)=(\S+)", readme))
    environment |= {entry["name"]: str(entry.get("value", "some-name")) for entry in one.get("env", ())}
    mounts = {
        mount["mountPath"]: (mount["name"], mount.get("readOnly", False)) for mount in one["volumeMounts"]
    }
    return Started(one["args"], environment, mounts)


STARTED = {name: of_compose(name) for name in OURS} | {name: of_kubernetes(name) for name in MAIN}


def mount_of(one: Started, path: str) -> tuple[str, bool]:
    """The volume that a path lies in, and whether it is mounted for reading only."""
    above = [place for place in one.mounts if Path(path).is_relative_to(place)]
    assert above, f"{path} lies in no volume"
    return one.mounts[max(above, key=len)]


@pytest.mark.parametrize("name", STARTED)
def test_the_command_line_takes_the_arguments(name: str) -> None:
    command, rest = typer.main.get_command(app), list(STARTED[name].arguments)
    context = typer.Context(command)
    command = command.get_command(context, rest[0])  # type: ignore[attr-defined]
    assert command is not None, rest
    # Reads all options and refuses unknown ones; nothing is run.
    command.make_context(rest[0], rest[1:], parent=context)
    with pytest.raises(Exception, match="No such option"):
        command.make_context(rest[0], [*rest[1:], "--no-such-option"], parent=context)


@pytest.mark.parametrize("name", STARTED)
def test_the_settings_are_taken_and_the_policies_known(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable, value in STARTED[name].environment.items():
        if variable == "RESPITE_SSL_CAFILE":
            assert mount_of(STARTED[name], value) == ("kafka-ca", True)
            value = str(Authority(tmp_path / "ca").certificate)
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert load_all(settings.policies)
    assert settings.shared_dir == "/run/respite"


@pytest.mark.parametrize(
    ("worker", "beside"),
    [("worker", "api"), ("StatefulSet/respite-worker worker", "StatefulSet/respite-worker api")],
)
def test_workers_and_the_api_beside_them_map_the_same_memory(worker: str, beside: str) -> None:
    writes, reads = (mount_of(STARTED[name], "/run/respite") for name in (worker, beside))
    assert writes[0] == reads[0]
    assert (writes[1], reads[1]) == (False, True)


@pytest.mark.parametrize(
    "name", [name for name in STARTED if STARTED[name].arguments[0] in ("worker", "api")]
)
def test_kernels_are_kept_where_the_image_has_them(name: str) -> None:
    (cache,) = re.findall(r"NUMBA_CACHE_DIR=(\S+)", CONTAINERFILE)
    assert mount_of(STARTED[name], cache) == ("kernels", False)


@pytest.mark.parametrize("name", [name for name in STARTED if STARTED[name].arguments[0] == "api"])
def test_the_image_s_user_can_read_the_keys(name: str) -> None:
    volume, read_only = mount_of(STARTED[name], STARTED[name].environment["RESPITE_KEYS"])
    if name == "api":
        # Made in a volume by the image's own user: it begins as a copy of his folder.
        assert not read_only
        assert volume in COMPOSE["volumes"]
        folder = str(Path(STARTED[name].environment["RESPITE_KEYS"]).parent)
        assert re.search(rf"install -d -o respite .* {folder}( |$)", CONTAINERFILE, re.MULTILINE)
        return
    # Root's, for the group that the pod has.
    spec = PODS[name.split(maxsplit=1)[0]]["spec"]
    (secret,) = [one["secret"] for one in spec["volumes"] if one["name"] == volume]
    assert secret["defaultMode"] == 0o440
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]


def test_the_copy_of_the_kernels_sets_nothing_that_only_an_owner_may(tmp_path: Path) -> None:
    copies = [one["command"] for name, one in CONTAINERS.items() if "command" in one]
    assert copies
    for command in copies:
        assert command[:2] == ["cp", "-r"], command
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "one").touch()
    (tmp_path / "to").mkdir()
    done = [*copies[0][:2], f"{tmp_path}/kernels/.", f"{tmp_path}/to/"]
    subprocess.run(done, check=True, timeout=10)
    assert (tmp_path / "to" / "one").exists()


def test_what_the_image_compiles_beforehand_is_all_that_worker_and_api_need() -> None:
    (module,) = re.findall(r"^RUN python -m (\S+)$", CONTAINERFILE, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, check=True, timeout=900, capture_output=True, text=True
    )
    assert re.findall(r"kernels of the (\w+)", done.stderr) == ["worker", "API"]


# -- who reaches whom ------------------------------------------------------------------------------


class Well:
    """Nothing to complain of."""

    def unhealthy(self) -> list[str]:
        return []

    unready = unhealthy


def answered(folder: Path) -> dict[int, set[str]]:
    """Which of the usual paths our processes answer, by port."""
    statuses: dict[str, str] = {}

    def metrics(_: Any, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        return []

    paths = ("/healthz", "/readyz", "/metrics", "/other")
    worker = router(Well(), metrics)  # type: ignore[arg-type]
    for path in paths:
        list(worker({"PATH_INFO": path}, lambda status, _, path=path: statuses.update({path: status})))  # type: ignore[arg-type]
    api = World(folder).client(no_auth=True)
    return {
        int(Settings.model_fields["metrics_port"].default): {
            p for p in paths if statuses[p].startswith("200")
        },
        int(Settings.model_fields["api_port"].default): {p for p in paths if api.get(p).status_code != 404},
        int(Config.model_fields["metrics_port"].default): {"/metrics"},
        int(SERVICES["ledger"]["environment"]["RESPITE_METRICS_PORT"]): {"/metrics"},
    }


def test_health_is_asked_for_where_it_is_answered(tmp_path: Path) -> None:
    paths = answered(tmp_path)
    assert not any("/other" in found for found in paths.values())
    asked = set()
    for name in OURS:
        test = SERVICES[name].get("healthcheck", {}).get("test", [])
        asked |= set(re.findall(r"127\.0\.0\.1:(\d+)(/\w+)", " ".join(test)))
    assert len(asked) == 4
    for one in MAIN.values():
        ports = {port["name"]: port["containerPort"] for port in one.get("ports", ())}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in one:
                get = one[probe]["httpGet"]
                asked.add((str(ports[get["port"]]), get["path"]))
    for port, path in asked:
        assert path in paths[int(port)], (port, path)


def test_no_check_depends_on_what_localhost_means() -> None:
    for name, service in SERVICES.items():
        if name != "kafka":
            assert "localhost" not in str(service.get("healthcheck", "")), name


def test_what_others_reach_listens_on_every_address() -> None:
    for name in ("worker", "webhooks", "ledger"):
        assert SERVICES[name]["environment"]["RESPITE_METRICS_HOST"] == EVERYWHERE
    assert Config.model_fields["metrics_host"].default is None, "webhooks follow RESPITE_METRICS_HOST"
    assert SERVICES["api"]["environment"]["RESPITE_API_HOST"] == EVERYWHERE
    for name, one in STARTED.items():
        if name not in OURS and one.arguments[0] == "api":
            assert one.environment["RESPITE_API_HOST"] == EVERYWHERE, name


def test_every_client_of_kafka_is_told_where_it_is() -> None:
    kafka = SERVICES["kafka"]["environment"]
    (advertised,) = [
        one for one in kafka["KAFKA_ADVERTISED_LISTENERS"].split(",") if one.startswith("PLAINTEXT")
    ]
    for name in OURS:
        assert advertised == f"PLAINTEXT://{SERVICES[name]['environment']['RESPITE_BROKER']}"
    host, port = advertised.removeprefix("PLAINTEXT://").split(":")
    assert host in SERVICES
    assert f"PLAINTEXT://:{port}" in kafka["KAFKA_LISTENERS"].split(","), "on every address of the container"
    voter = kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert re.fullmatch(rf"{kafka['KAFKA_NODE_ID']}@{host}:(\d+)", voter)
    assert f"CONTROLLER://:{voter.rpartition(':')[2]}" in kafka["KAFKA_LISTENERS"].split(",")


@pytest.mark.kafka
def test_kafka_knows_every_setting_it_is_given(broker: Any) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        asked = [ConfigResource(ConfigResourceType.BROKER, "1", None)]
        known = set(admin.describe_configs(asked, config_filter="all")["broker"]["1"])
    finally:
        admin.close()
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", ".")
        for name in SERVICES["kafka"]["environment"]
        if name != "KAFKA_HEAP_OPTS"
    }
    assert "log.dirs" in known
    assert given <= known, given - known


def test_who_is_named_in_an_address_is_a_service() -> None:
    prometheus = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    sources = (DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text(
        encoding="utf-8"
    )
    named = set(re.findall(r"(?:names|targets): \[([a-z]+)", prometheus)) - {"localhost"}
    named |= {re.sub(r"https?://|:\d+", "", one["url"]) for one in yaml.safe_load(sources)["datasources"]}
    assert named == {"worker", "api", "webhooks", "ledger", "alertmanager", "prometheus"}
    assert named <= set(SERVICES)


def test_secrets_of_webhooks_reach_them() -> None:
    (file,) = SERVICES["webhooks"]["env_file"]
    assert file["required"] is False, "docker refuses to look at any service when one's file is missing"
