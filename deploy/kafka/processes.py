"""Processes and ports of this machine, as the standard library sees them."""

from __future__ import annotations

import random
import socket
import struct
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path


def identity(pid: int, config: str) -> str | None:
    """What tells this process from a later one with the same pid.

    None if it is dead or its command does not name ``config``.
    """
    process = Path(f"/proc/{pid}")
    if not Path("/proc/self/stat").exists():  # not Linux
        command_line = ["/bin/ps", "-ww", "-o", "lstart=,command=", "-p", str(pid)]
        shown = subprocess.run(command_line, capture_output=True, text=True, check=False).stdout
        return shown.strip()[:24] if config in shown else None
    try:
        # The name in brackets may hold anything, so count from its end: state is field 3, start is field 22.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        command = (process / "cmdline").read_bytes().split(b"\0")
        threads = len(list((process / "task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    # A dying process loses its command line first, and its ports only when its last thread has ended.
    is_dead, is_ours = fields[0] == "Z" and threads <= 1, command == [b""] or config.encode() in command
    return fields[19] if is_ours and not is_dead else None


def free_ports(names: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name, the one it had before if that is still free."""
    ports: dict[str, int] = {}
    for name in names:
        port = before.get(name)
        while port is None or port in ports.values() or not _is_free(port):
            port = random.randrange(*_port_range())
        ports[name] = port
    return ports


def _port_range() -> tuple[int, int]:
    """Below the ports that the system hands to clients.

    A client that reconnects to a dead port among those may be given that very port, connect to itself
    and keep the broker from coming back.
    """
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(limits.read_text().split()[0]) if limits.exists() else 32768
    return (20000, first) if first > 21000 else (10000, 20000)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(address: str) -> bool:
    """Whether Kafka answers an ApiVersions request (key 18, version 0), not just whether a port is open."""
    host, port = address.split(":")
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return connection.recv(4, socket.MSG_WAITALL) != b""
    except OSError:
        return False
