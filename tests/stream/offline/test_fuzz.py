"""Files as accidents leave them: cut, flipped, renamed, concatenated, piped. Nothing is lost in silence.

``RESPITE_FUZZ_CASES=10000`` tries so many; by default a few hundred, the same ones each time.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import zstandard

from schemas.work_state import Refused, read_event
from stream.cli import replay
from stream.policies.loader import load_all
from stream.settings import Settings

CASES = int(os.environ.get("RESPITE_FUZZ_CASES", "600"))
_HEADER_BYTES = 40


def event(number: int) -> bytes:
    fields = {
        "schema": "work-state/1", "event_id": f"e{number}", "rider_id": f"r{number % 5}", "platform": "A",
        "event_time": f"2026-11-23T{number // 60 % 24:02d}:{number % 60:02d}:00+08:00",
        "type": random.Random(number).choice(["online", "offline", "heartbeat"]),
    }  # fmt: skip
    return json.dumps(fields).encode()


LINES = [event(number) for number in range(60)]


def packed(rng: random.Random, text: bytes, form: str) -> bytes:
    """A text in some form, in one piece or several."""
    cuts = sorted(rng.sample(range(len(text)), rng.choice([0, 0, 1, 3]))) if text else []
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    if form == "gzip":
        return b"".join(gzip.compress(piece, mtime=0) for piece in pieces)
    if form == "zstd":
        return b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(piece) for piece in pieces)
    return text


def reference(content: bytes) -> tuple[bytes, bool]:
    """What is in it by the libraries' own ways to read all at once, and whether it is whole."""
    out = b""
    if content.startswith(b"\x1f\x8b"):
        try:
            return gzip.decompress(content), True
        except (OSError, EOFError, ValueError, Exception):  # noqa: BLE001 - zlib.error among them
            return b"", False
    if not content.startswith(b"\x28\xb5\x2f\xfd"):
        return content, True
    while content:
        decoder = zstandard.ZstdDecompressor().decompressobj()
        try:
            out += decoder.decompress(content)
        except zstandard.ZstdError:
            return out, False
        if not decoder.eof:
            return out, False
        content = decoder.unused_data
    return out, True


def counted(text: bytes) -> tuple[int, int]:
    """Events and bad lines, one by one."""
    good = bad = 0
    for line in text.split(b"\n"):
        value = line.removesuffix(b"\r")
        if value.strip(b" \t\r\n\x0b\x0c"):
            try:
                read_event(value)
                good += 1
            except Refused:
                bad += 1
    return good, bad


def accident(rng: random.Random) -> tuple[bytes, str]:
    """A file's bytes and what happened to it."""
    chosen = rng.sample(LINES, rng.randint(1, len(LINES)))
    text = b"\n".join(chosen) + rng.choice([b"\n", b"", b"\r\n", b"\n\n"])
    form = rng.choice(["plain", "gzip", "zstd"])
    content = packed(rng, text, form)
    what = rng.choice(["nothing", "cut", "cut", "flipped", "flipped", "joined", "zeros", "inserted"])
    at = rng.randrange(len(content))
    if what == "cut":
        content = content[:at]
    elif what == "flipped":
        content = content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
    elif what == "joined":
        content += packed(rng, text, rng.choice(["plain", "gzip", "zstd"]))
    elif what == "zeros":
        content += b"\0" * rng.randint(1, 600)
    elif what == "inserted":
        content = content[:at] + rng.randbytes(rng.randint(1, 5)) + content[at:]
    return content, f"{form}, {what}" + (f" at {at}" if what in ("cut", "flipped", "inserted") else "")


@pytest.fixture(scope="module")
def run() -> Callable[[str], int]:
    settings, policies = Settings(), load_all(["cn-gbt-2025"])
    no_models = replay.models_from(None, settings, files=True)

    def go(name: str) -> int:
        try:
            wish = replay._Wish(None, None, None, all_errors=False, models=no_models)
            return replay._run([name], settings, policies, wish)
        except typer.Exit as ended:
            return ended.exit_code

    return go


def test_no_accident_is_taken_for_whole_and_every_count_is_right(
    run: Callable[[str], int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for case in range(CASES):
        rng = random.Random(case)
        content, what = accident(rng)
        place = tmp_path / rng.choice(["x.ndjson", "x.gz", "x.ZST", "x"])
        place.write_bytes(content)
        name, read = str(place), None
        if rng.random() < 0.2 and len(content) < 60_000:
            read, write = os.pipe()
            os.write(write, content)
            os.close(write)
            name = f"/dev/fd/{read}"
        status = run(name)
        if read is not None:
            os.close(read)
        said = capfd.readouterr()
        check(status, said.out, said.err, content, f"case {case}: {what}, as {name}")
        place.unlink()


def check(status: int, out: str, err: str, content: bytes, about: str) -> None:
    text, whole = reference(content)
    about = f"{about}\nstatus {status}\n{out}\n{err}"
    if status == 1:
        # An empty file with a name of gzip, and headers that one library looks at and the other does not.
        header = content.startswith(b"\x1f\x8b") and "byte" in err
        assert not whole or header or not content or len(content) < 4 or "data end at byte" in err, about
        told = re.search(r"; (\d+) events came before it; get the file again", err)
        assert told, about
        if not whole and text:
            assert int(told[1]) <= counted(text)[0], about
        assert not out, about
        return
    assert whole, about
    good, bad = counted(text.removeprefix(b"\xef\xbb\xbf"))
    if ", and was not read; " in err:
        assert (status, good) == (3, 0), about
        return
    found = re.match(r"(\d+) events of \d+ riders, (\d+) lines rejected", out)
    assert found, about
    assert (int(found[1]), int(found[2])) == (good, bad), about
    assert status == (3 if bad else 0), about
    assert err.count("\n") >= bool(bad), about
