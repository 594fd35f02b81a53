"""Every command block of the manual that can be run here is: page by page, in order, on new topics."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, Block, blocks, pages

PAGES = [page for page in pages() if any(block.mark.startswith("run") for block in blocks(page))]
#: For a whole page, its worker's start included.
PATIENCE_S = 240
_HEAD = """\
set -u
declare -A pids=()
stop() {{ for pid in "${{pids[@]}}"; do kill "$pid"; done; wait; }}
trap stop EXIT
fail() {{ echo "manual: $*" >&2; exit 1; }}
ready() {{  # ready PID URL
    until curl -sf -o /dev/null "$2"; do
        kill -0 "$1" || fail "has ended before it was ready"
        [ "$SECONDS" -lt {patience} ] || fail "not ready in time: $2"
        sleep 0.2
    done
}}
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def script(found: list[Block]) -> str:
    """The page's commands for bash; what each block prints goes to a file of its own."""
    lines = [_HEAD.format(patience=PATIENCE_S - 30)]
    for number, block in enumerate(found):
        out = f"printed.{number}"
        if block.mark == "run on":
            lines += [f"{block.commands[0]} >{out} 2>&1 &", f"pids[{number}]=$!", f"ready $! '{block.until}'"]
        else:
            lines.append("{")
            for command in block.commands:
                wanted = block.status if command is block.commands[-1] else 0
                lines += [
                    command,
                    f'status=$?; [ $status = {wanted} ] || fail "{block.place}: status $status"',
                ]
            lines.append(f"}} >{out} 2>&1")
    return "\n".join(lines) + "\n"


def run(text: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a script with all that it starts in a group of its own, which is ended when the time is over."""
    (folder / "page.sh").write_text(text, encoding="utf-8")
    with (folder / "said").open("w") as said:
        shell = subprocess.Popen(
            ["/bin/bash", "page.sh"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        try:
            shell.wait(PATIENCE_S)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGKILL)
                shell.wait()
    files = [*sorted(folder.glob("printed.*")), folder / "said"]
    return shell.returncode, "\n".join(f"-- {one.name}\n{one.read_text()[-3000:]}" for one in files)


@pytest.fixture(scope="module")
def kernels() -> None:
    """The kernels of worker and API are there: on a new machine a page would wait for them for minutes."""
    subprocess.run([sys.executable, "-m", "stream.cli.compile_kernels"], cwd=ROOT, check=True, timeout=900)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder in which the repository's files have their names."""
    for name in ("deploy", "Makefile", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.kafka
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_can_be_typed_from_top_to_bottom(page: Path, here: Path, broker: Any, prefix: str) -> None:
    assert shutil.which("curl"), "the manual asks with curl: apt-get install curl"
    found = [block for block in blocks(page) if block.mark != "not run"]
    metrics, api = free_port(), free_port()
    text = script(found).replace("kafka:9092", broker.bootstrap)
    text = text.replace("127.0.0.1:9464", f"127.0.0.1:{metrics}").replace(
        "127.0.0.1:8080", f"127.0.0.1:{api}"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESPITE_")} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RESPITE_BROKER": "nobody:1",
        "RESPITE_PREFIX": prefix,
        "RESPITE_GROUP": f"{prefix}group",
        "RESPITE_METRICS_PORT": str(metrics),
        "RESPITE_API_PORT": str(api),
        "RESPITE_SHARED_DIR": str(here / "shared"),
    }
    status, said = run(text, here, environment)
    assert status == 0, said
    for number, block in enumerate(found):
        output = (here / f"printed.{number}").read_text(encoding="utf-8")
        assert not block.missing(output), f"{block.place} printed otherwise:\n{output[-3000:]}"


def test_a_command_that_fails_fails_its_page(here: Path) -> None:
    wrong = Block(ROOT / "README.md", 1, "run", "x", ("true", "false"), ())
    status, said = run(script([wrong]), here, dict(os.environ))
    assert (status, "status 1" in said) == (1, True)


def test_what_runs_on_is_stopped_with_its_page(here: Path) -> None:
    lasting = Block(
        ROOT / "README.md", 1, "run on", "until file:///dev/null answers 200", ("sleep 1000",), ()
    )
    status, said = run(script([lasting]) + "echo ${pids[0]} > pid\n", here, dict(os.environ))
    assert status == 0, said
    pid = int((here / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()
