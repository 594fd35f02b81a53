"""The figures of the manual and of both READMEs, written from one run of the benchmarks.

Reads the JSON that a run of `make bench` has left in build/bench and writes, between the marks
``<!-- figures NAME -->`` and ``<!-- end of figures -->``, the tables that the pages show, unflattering ones
first. What the run has no figure of is said to be missing. A page is never edited by hand between its marks.

    make bench && python benchmarks/report.py
    python benchmarks/suite.py --only live-ignoring && python benchmarks/report.py live stages
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.report_words import EN, ZH, Words

PAGES = {
    "README.md": EN,
    "README.zh.md": ZH,
    "docs/en/measured.md": EN,
    "docs/zh/measured.md": ZH,
    "docs/en/operator/capacity.md": EN,
    "docs/zh/operator/capacity.md": ZH,
}
PICTURES = harness.ROOT / "docs" / "en" / "assets" / "bench"
_MARKED = re.compile(r"(<!-- figures (\w+) -->\n)(.*?)(<!-- end of figures -->)", re.DOTALL)
Results = Mapping[str, Any]
Section = Callable[[Results, Words], Iterator[str]]


def results() -> Results:
    """What the run has left, by the name of the benchmark."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(harness.RESULTS.glob("*.json"))}


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield "|" + " --- |" * len(cells)


def _ms(trial: Mapping[str, Any], name: str) -> str:
    found = trial["latency_s"].get(name)
    return "-" if found is None else f"{found * 1000:,.0f}"


def _trial(words: Words, name: str, one: Mapping[str, Any]) -> str:
    lag = words.grows if one["lag_grows"] else words.steady
    return _row(
        name, f"{one['rate']:,.0f}", f"{one['events_per_s']:,.0f}", f"{one['cpu_us_per_event']:.1f}",
        f"{one['alerts_per_1000']:.0f}", _ms(one, "p50"), _ms(one, "p99"), _ms(one, "p99.9"), lag,
    )  # fmt: skip


def live(found: Results, words: Words) -> Iterator[str]:
    """Every trial of the live runs."""
    yield from _head(*words.live_head)
    for name, city in words.cities.items():
        run = found.get(name)
        if run is None:
            yield _row(city, words.missing, *[""] * (len(words.live_head) - 2))
            continue
        for one in (*run["trials"], *run["levels"]):
            yield _trial(words, city, one)


def about(found: Results, words: Words) -> Iterator[str]:
    """Machine, versions and how busy the machine was, of the whole run."""
    for what in (run["about"] for run in found.values()):
        loads = ", ".join(f"{one:.1f}" for one in what["load_average"])
        where = f"{what['machine']}, {words.commit} {what['commit']}"
        yield f"- `python {what['command']}`: {where}, {words.load} {loads}"


def stages(found: Results, words: Words) -> Iterator[str]:
    """Where the time of the sustained trial goes."""
    runs = {city: found[name]["trials"][-1] for name, city in words.cities.items() if name in found}
    if not runs:
        yield words.missing
        return
    names = list(next(iter(runs.values()))["stage_us_per_event"])
    yield from _head(words.stage, *(f"{city}, {unit}" for city in runs for unit in (words.us, words.each_ms)))
    for name in names:
        cells = []
        for one in runs.values():
            cells += [f"{one['stage_us_per_event'].get(name, 0):.2f}", f"{one['stage_ms'].get(name, 0):.1f}"]
        yield _row(name, *cells)


def catching_up(found: Results, words: Words) -> Iterator[str]:
    """One worker beside the stock agent."""
    run = found.get("throughput")
    if run is None:
        yield words.missing
        return
    yield from _head(*words.throughput_head)
    for name, one in run["rows"].items():
        yield _row(
            words.rows.get(name, name), f"{one['events_per_s']:,.0f}", f"{one['cpu_us_per_event']:.2f}"
        )


def kernel(found: Results, words: Words) -> Iterator[str]:
    """Judging by itself."""
    run = found.get("kernel")
    if run is None:
        yield words.missing
        return
    yield from _head(*words.kernel_head)
    for one in (*run["by_riders"], *run["by_limits"]):
        us = (f"{one[name]:.2f}" for name in ("decode", "ingest", "judge"))
        yield _row(f"{one['riders']:,}", one["limits"], *us)


def memory(found: Results, words: Words) -> Iterator[str]:
    """Memory of a rider, by days."""
    run = found.get("memory")
    if run is None:
        yield words.missing
        return
    yield from _head(*words.memory_head)
    for name, rows in run.items():
        for one in rows if name != "about" else ():
            yield _row(
                words.rows.get(name, name), f"{one['days']:.0f}", f"{one['events']:.0f}",
                f"{one['used'] / 1000:.1f}", f"{one['reserved'] / 1000:.1f}",
            )  # fmt: skip


def back(found: Results, words: Words) -> Iterator[str]:
    """Restore and take-over."""
    yield from _head(*words.back_head)
    if (run := found.get("restore")) is not None:
        what = words.restored.format(riders=f"{run['riders']:,}", mib=run["state_bytes"] >> 20)
        yield _row(what, f"{run['restored_s']:.1f}")
    if (run := found.get("takeover")) is not None:
        yield _row(words.killed.format(riders=f"{run['riders']:,}"), f"{run['killed_s']:.1f}")
        yield _row(words.survivor, f"{run['survivor_s']:.1f}")


def asked(found: Results, words: Words) -> Iterator[str]:
    """The dispatcher's question."""
    run = found.get("api")
    if run is None:
        yield words.missing
        return
    yield from _head(*words.api_head)
    for one in run["rows"]:
        yield _row(one["asked"], one["times"], one["p50_ms"], one["p99_ms"], one["most_ms"])


def pictures(found: Results, words: Words) -> Iterator[str]:
    """The plots that `benchmarks/suite.py --publish` has copied into the manual."""
    if words.pictures is None or not PICTURES.is_dir():
        return
    measured = {one.split("-")[0] for one in found}
    for path in sorted(PICTURES.glob("*.png")):
        if path.stem.split("-")[0] in measured:
            yield f"![{path.stem}]({words.pictures}{path.name})"


def peers(found: Results, words: Words) -> Iterator[str]:
    """The same reduced job by others."""
    run = found.get("peers")
    if run is None:
        yield words.missing
        return
    yield from _head(*words.peers_head)
    for cells in run["rows"]:
        yield _row(*cells)


def scaling(found: Results, words: Words) -> Iterator[str]:
    """The highest steady rate by the number of workers."""
    yield from _head(*words.scaling_head)
    for name in words.cities:
        run = found.get(name)
        if run is None or run["sustained_events_per_s"] is None:
            continue
        best = run["trials"][-1]
        share = f"{best['cpu_share']:.0%}"
        busy = f"{best['machine_share']:.0%}"
        yield _row(words.cities[name], f"{best['rate']:,.0f}", f"{best['cpu_us_per_event']:.1f}", share, busy)


def short(found: Results, words: Words) -> Iterator[str]:
    """The few figures of a README."""
    yield from _head(*words.short_head)
    for name, city in words.cities.items():
        run = found.get(name)
        if run is None:
            continue
        best = run["trials"][-1]
        half = [one for one in run["levels"] if abs(one["rate"] / best["rate"] - 0.5) < 0.01]
        late = f"{_ms(half[0], 'p50')} / {_ms(half[0], 'p99')} ms" if half else "-"
        yield _row(city, f"{best['rate']:,.0f}", f"{best['cpu_us_per_event']:.1f} {words.us}", late)
    for name, one in found.get("throughput", {}).get("rows", {}).items():
        us = f"{one['cpu_us_per_event']:.1f} {words.us}"
        yield _row(words.rows.get(name, name), f"{one['events_per_s']:,.0f}", us, "")


SECTIONS: Mapping[str, Section] = {
    one.__name__: one
    for one in (
        live,
        about,
        stages,
        catching_up,
        kernel,
        memory,
        back,
        asked,
        peers,
        pictures,
        scaling,
        short,
    )
}


def rewritten(text: str, found: Results, words: Words, sections: Collection[str] = tuple(SECTIONS)) -> str:
    """A page with its figures, in these sections; the others stay."""

    def section(match: re.Match[str]) -> str:
        if match[2] not in sections:
            return match[0]
        lines = list(SECTIONS[match[2]](found, words))
        return match[1] + "\n" + "\n".join(lines) + "\n\n" + match[4]

    return _MARKED.sub(section, text)


def main() -> None:
    """Write the figures into every page, or say which page is behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sections", nargs="*", help="of the pages, where not all was measured")
    chosen = parser.parse_args().sections or list(SECTIONS)
    if unknown := sorted(set(chosen) - set(SECTIONS)):
        raise SystemExit(f"no section {', '.join(unknown)}: {', '.join(SECTIONS)}")
    found = results()
    if not found:
        raise SystemExit(f"nothing in {harness.RESULTS}: run `make bench` first")
    for name, words in PAGES.items():
        path = harness.ROOT / name
        path.write_text(rewritten(path.read_text(encoding="utf-8"), found, words, chosen), encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
