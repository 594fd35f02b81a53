"""compose.yaml, the image's recipe and the Kubernetes manifests: by their schemas, and against each other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from stream.cli.main import app
from stream.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "image" / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
KUSTOMIZATION = DEPLOY / "kubernetes" / "kustomization.yaml"
MANIFESTS = sorted(set((DEPLOY / "kubernetes").glob("*.yaml")) - {KUSTOMIZATION})
OBJECTS = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
NAMESPACE = yaml.safe_load(KUSTOMIZATION.read_text(encoding="utf-8"))["namespace"]
OURS = ("topics", "worker", "api", "webhooks", "ledger")
#: The API's settings; they are no field of `Settings` on this branch.
OF_THE_API = {"api_host", "api_port", "api_peers", "api_proxies", "keys", "shared_dir"}
USER = 10001


def is_setting(variable: str) -> bool:
    name = variable.removeprefix("RESPITE_").lower()
    return variable.startswith("RESPITE_") and (name in Settings.model_fields or name in OF_THE_API)


# -- compose ---------------------------------------------------------------------------------------


def test_compose_follows_the_compose_specification(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    checker = [str(program), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "compose.yaml"
    wrong.write_text("services: {worker: {image: respite, heathcheck: {}}}\n", encoding="utf-8")
    done = subprocess.run([*checker, str(wrong)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "heathcheck" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_is_started_again_and_tells_whether_it_is_well(name: str) -> None:
    service = COMPOSE["services"][name]
    if name == "topics":
        assert service["restart"] == "no", "it ends, and workers begin when it has"
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_port_is_bound_to_this_machine(name: str) -> None:
    for port in COMPOSE["services"][name].get("ports", ()):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_images_are_named_with_a_version_and_without_a_registry(name: str) -> None:
    image = COMPOSE["services"][name]["image"]
    assert re.fullmatch(r"[a-z]+(/[a-z]+)?:(v?\d[\w.]*|latest)", image)
    assert image == "respite:latest" or not image.endswith("latest")


def test_what_is_mounted_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"], source
    assert (DEPLOY / COMPOSE["x-respite"]["build"]["dockerfile"].removeprefix("deploy/")).exists()


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_confined_and_told_only_settings_that_there_are(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert [one for one in service["environment"] if not is_setting(one)] == []


def test_prometheus_scrapes_every_service_that_has_metrics_where_it_has_them() -> None:
    found = {
        (place["names"][0], place["port"])
        for job in PROMETHEUS["scrape_configs"]
        for place in job.get("dns_sd_configs", ())
    }
    assert found == {("worker", 9464), ("api", 8080), ("webhooks", 9465), ("ledger", 9466)}
    assert COMPOSE["services"]["api"]["environment"]["RESPITE_API_PORT"] == "8080"
    assert Settings.model_fields["metrics_port"].default == 9464
    assert "./prometheus/rules:/etc/prometheus/rules:ro" in COMPOSE["services"]["prometheus"]["volumes"]


# -- the image -------------------------------------------------------------------------------------


def test_the_image_copies_what_there_is_and_what_is_not_kept_out() -> None:
    kept = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    copies = [line for line in CONTAINERFILE.splitlines() if line.startswith("COPY ")]
    copied = [line.split()[1:-1] for line in copies if "--from" not in line]
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists(), source
        assert f"!{source}" in kept, source
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() == kept


def test_the_image_runs_as_an_ordinary_user_and_installs_only_what_is_pinned() -> None:
    lines = CONTAINERFILE.splitlines()
    (user,) = [line for line in lines if line.startswith("USER")]
    assert user == f"USER {USER}:{USER}"
    assert lines.index(user) < next(i for i, line in enumerate(lines) if "compile_kernels" in line), (
        "its own cache"
    )
    for line in (line for line in lines if "pip install" in line):
        assert "--require-hashes" in line or "--no-index" in line, line
    assert "http" not in CONTAINERFILE


# -- Kubernetes ------------------------------------------------------------------------------------


def named(one: dict[str, Any]) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def kind(name: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == name}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in OBJECTS:
        template = one.get("spec", {}).get("template")
        if template:
            yield named(one), template


PODS = dict(pods())
CONTAINERS = {
    f"{name} {one['name']}": one
    for name, template in PODS.items()
    for one in (*template["spec"].get("initContainers", ()), *template["spec"]["containers"])
}


@pytest.mark.parametrize("one", OBJECTS, ids=named)
def test_every_manifest_follows_kubernetes_own_schema(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_a_wrong_manifest_is_noticed() -> None:
    wrong = {**OBJECTS[0], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_kustomize_takes_all_files() -> None:
    listed = yaml.safe_load(KUSTOMIZATION.read_text(encoding="utf-8"))["resources"]
    assert set(listed) == {one.name for one in MANIFESTS}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_is_confined_and_asks_for_what_it_needs(name: str) -> None:
    one = CONTAINERS[name]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {"cpu", "memory"} <= set(one["resources"]["requests"])
    assert "memory" in one["resources"]["limits"]
    assert "cpu" not in one["resources"]["limits"], "a throttled worker misses its heartbeats"
    commands = set(typer.main.get_command(app).commands) | {"api"}  # type: ignore[attr-defined]
    assert one.get("args", ["worker"])[0] in commands


@pytest.mark.parametrize("name", PODS)
def test_every_pod_runs_as_the_images_user_and_is_what_its_owner_selects(name: str) -> None:
    template = PODS[name]
    spec = template["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == USER
    assert spec["automountServiceAccountToken"] is False
    containers = (*spec["containers"], *spec.get("initContainers", ()))
    mounted = {mount["name"] for one in containers for mount in one["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_selectors_find_pods_and_budgets_and_services_too() -> None:
    labels = [template["metadata"]["labels"] for template in PODS.values()]
    selectors = [one["spec"]["selector"] for one in kind("Service").values()]
    selectors += [
        one["spec"]["selector"]["matchLabels"]
        for name in ("StatefulSet", "Deployment", "PodDisruptionBudget")
        for one in kind(name).values()
    ]
    assert len(selectors) == 9
    for selector in selectors:
        assert sum(selector.items() <= one.items() for one in labels) == 1, selector


def test_workers_keep_their_names_and_drain_before_they_end() -> None:
    worker = kind("StatefulSet")["respite-worker"]
    (ours, beside) = worker["spec"]["template"]["spec"]["containers"]
    instance = next(one for one in ours["env"] if one["name"] == "RESPITE_INSTANCE")
    assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 10
    assert ours["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert ours["readinessProbe"]["httpGet"]["path"] == "/readyz"
    ports = {port["name"]: port["containerPort"] for one in (ours, beside) for port in one["ports"]}
    assert ports == {"metrics": 9464, "http": 8080}


def test_the_front_knows_every_worker() -> None:
    (front,) = kind("Deployment")["respite-api"]["spec"]["template"]["spec"]["containers"]
    peers = next(one["value"] for one in front["env"] if one["name"] == "RESPITE_API_PEERS").split(",")
    replicas = kind("StatefulSet")["respite-worker"]["spec"]["replicas"]
    service = kind("StatefulSet")["respite-worker"]["spec"]["serviceName"]
    assert peers == [f"http://respite-worker-{number}.{service}:8080" for number in range(replicas)]


def test_prometheus_in_the_cluster_finds_every_port_by_headless_services() -> None:
    text = (DEPLOY / "prometheus" / "kubernetes.yml").read_text(encoding="utf-8")
    services = kind("Service")
    scraped, label = set(), "app.kubernetes.io/component"
    for job in yaml.safe_load(text)["scrape_configs"]:
        for place in job["dns_sd_configs"]:
            for address in place["names"]:
                name, _, domain = address.partition(".")
                assert domain == f"{NAMESPACE}.svc.cluster.local"
                assert services[name]["spec"]["clusterIP"] == "None", "one address per pod"
                assert place["port"] in [port["port"] for port in services[name]["spec"]["ports"]]
                scraped.add((job["job_name"], services[name]["spec"]["selector"][label], place["port"]))
    listening = {
        (f"respite-{one['name']}", template["metadata"]["labels"][label], port["containerPort"])
        for template in PODS.values()
        for one in template["spec"]["containers"]
        for port in one.get("ports", ())
    }
    assert scraped == listening
    assert {job["job_name"] for job in PROMETHEUS["scrape_configs"]} >= {job for job, *_ in scraped}


def test_settings_are_settings_and_secrets_are_only_named() -> None:
    readme = (DEPLOY / "kubernetes" / "README.md").read_text(encoding="utf-8")
    names = set(kind("ConfigMap")["respite"]["data"])
    secrets = set()
    for template in PODS.values():
        for one in template["spec"]["containers"]:
            names |= {variable["name"] for variable in one.get("env", ())}
            secrets |= {source["secretRef"]["name"] for source in one["envFrom"] if "secretRef" in source}
        volumes = template["spec"]["volumes"]
        secrets |= {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    assert [name for name in names - {"NUMBA_CACHE_DIR"} if not is_setting(name)] == []
    assert not kind("Secret")
    for secret in secrets:
        assert f"secret generic {secret} " in readme, secret
