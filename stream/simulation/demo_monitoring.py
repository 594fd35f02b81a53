"""Prometheus and Alertmanager beside a demonstration, with the rules of ``deploy/prometheus``."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

_DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = _DEPLOY / "prometheus" / "rules"
ROUTES = _DEPLOY / "alertmanager" / "alertmanager.yml"


class Server(NamedTuple):
    """A program to start, and where it then is."""

    name: str
    command: list[str]
    address: str


def free_port(wanted: int = 0) -> int:
    """A port of this machine that nobody has, the one wanted if it is free."""
    with socket.socket() as listening:
        # Connections of a former server that are still dying take nothing away.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", wanted))
        except OSError:
            listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def servers(folder: Path, worker_port: int, api_port: int) -> Iterator[Server]:
    """Those of the two that are installed and configured here; their data goes into ``folder``."""
    prometheus = shutil.which("prometheus")
    if prometheus is None or not RULES.is_dir():
        return
    alertmanager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    alerts = None
    if alertmanager is not None and ROUTES.is_file():
        alerts = f"127.0.0.1:{free_port()}"
        yield Server(
            "Alertmanager",
            [
                alertmanager,
                f"--config.file={ROUTES}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={alerts}",
                # Alone: no others to agree with.
                "--cluster.listen-address=",
            ],
            f"http://{alerts}",
        )
    config = folder / "prometheus.json"
    config.write_bytes(msgspec.json.encode(_config(alerts, worker_port, api_port)))
    address = f"127.0.0.1:{free_port(9090)}"
    yield Server(
        "Prometheus",
        [
            prometheus,
            # YAML, of which JSON is a part.
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={address}",
        ],
        f"http://{address}",
    )


def _config(alerts: str | None, worker_port: int, api_port: int) -> dict[str, object]:
    jobs = {"respite-worker": worker_port, "respite-api": api_port}
    managers = [{"static_configs": [{"targets": [alerts]}]}] if alerts else []
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(RULES / "*.yml")],
        "alerting": {"alertmanagers": managers},
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            for name, port in jobs.items()
        ],
    }
