"""Kafka's jars on this machine: copied once by Maven into a cache that all checkouts share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REMEDY = "run deploy/bootstrap.sh, or set RESPITE_BROKER to the host:port of a Kafka that already runs"


class BrokerError(RuntimeError):
    """The broker could not be installed, started or stopped; the message says what to do."""


def kafka_version() -> str:
    """The version that pom.xml asks for."""
    found = re.search(r"<kafka\.version>([^<]+)<", (HERE / "pom.xml").read_text(encoding="utf-8"))
    assert found, "pom.xml names kafka.version"
    return found[1]


def cache_dir() -> Path:
    """Where the jars of this Kafka version are kept between runs and between checkouts."""
    base = os.environ.get("RESPITE_CACHE") or os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return (root if os.environ.get("RESPITE_CACHE") else root / "respite") / f"kafka-{kafka_version()}"


def install() -> Path:
    """The folder with Kafka's jars, copied by Maven the first time."""
    libs = cache_dir()
    # Keyed by the pom, so that a changed dependency does not run with yesterday's jars.
    stamp, wanted = libs / "pom.xml", (HERE / "pom.xml").read_bytes()
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return libs
    libs.parent.mkdir(parents=True, exist_ok=True)
    with locked(libs.with_name(libs.name + ".lock")):
        if stamp.is_file() and stamp.read_bytes() == wanted:
            return libs
        say(f"fetching Kafka {kafka_version()} with Maven, once, into {libs}")
        fetched = Path(tempfile.mkdtemp(prefix=libs.name + ".", dir=libs.parent))
        try:
            maven = [program("mvn", "MAVEN_HOME", "Maven"), "--batch-mode", "--quiet", "--strict-checksums"]
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
            run([*maven, "-f", str(HERE / "pom.xml"), *goal], "Maven could not fetch Kafka")
            (fetched / "pom.xml").write_bytes(wanted)
            shutil.rmtree(libs, ignore_errors=True)
            fetched.rename(libs)
        finally:
            shutil.rmtree(fetched, ignore_errors=True)
    return libs


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else, in any process, is inside with the same lock file; a process that dies is out."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def program(name: str, home: str, title: str) -> str:
    """The path of an installed program, looked for under the variable ``home`` and then on PATH."""
    beside = Path(os.environ[home], "bin", name) if os.environ.get(home) else None
    found = str(beside) if beside is not None and beside.is_file() else shutil.which(name)
    if found is None:
        raise BrokerError(f"{title} is missing ({name} is neither on PATH nor under {home}): {REMEDY}")
    return found


def run(command: list[str], failure: str) -> None:
    """Wait for a command; what it printed is told only when it fails."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise BrokerError(f"{failure}:\n{done.stdout.decode(errors='replace')[-3000:]}")


def say(text: str) -> None:
    """Tell the user, apart from what the command prints as its result."""
    print(text, file=sys.stderr, flush=True)
