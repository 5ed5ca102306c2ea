"""Runs cases side by side: each in a process of its own, interleaved round by round, compared within the same round.

A benchmark module hands its cases to `main`. Called with `--case NAME` the module runs that one case and prints one
line of JSON; called without, it runs all of them and prints a table. A case verifies its result before it returns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Options = argparse.Namespace
Case = Callable[[Options], dict[str, float]]


def verify(holds: bool, what: str) -> None:
    """A result that is wrong has no time."""
    if not holds:
        raise SystemExit(f"The result is wrong, so its time does not count: {what}")


@dataclass
class Meter:
    """Seconds of the wall and of this process's CPU (all threads, user and system) while the block runs."""

    seconds: float = 0.0
    cpu: float = 0.0
    _wall: float = field(default=0.0, repr=False)
    _cpu: float = field(default=0.0, repr=False)

    def __enter__(self) -> "Meter":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu += time.process_time() - self._cpu
        self.seconds += time.perf_counter() - self._wall


def peak_mib() -> float:
    """The most memory this process ever held, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="evenstock-bench-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def cache() -> Path:
    """Where large stores and shops are kept between runs."""
    path = Path(tempfile.gettempdir()) / "evenstock-bench-cache"
    path.mkdir(exist_ok=True)
    return path


def environment(data: Path) -> dict[str, str]:
    """The environment of a child: its keys and its data live in a temporary folder, nothing of the owner is touched."""
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(data / "config"),
        "EVENSTOCK_DATA_DIR": str(data),
        "EVENSTOCK_LOG_LEVEL": "WARNING",
    }


def run_case(module: str, name: str, given: Sequence[str], seconds: float) -> dict[str, float]:
    """One case in a process of its own; ends with what it printed when it fails or takes too long."""
    with folder() as data:
        command = [sys.executable, "-m", module, "--case", name, *given]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(data), capture_output=True, text=True, timeout=seconds, check=False
        )
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(
    module: str,
    cases: Mapping[str, Case],
    *,
    baseline: str | None = None,
    value: str = "seconds",
    rounds: int = 5,
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _parser: None,
    around: Callable[[Options], Any] | None = None,
    seconds: float = 300,
) -> None:
    """The command line of a benchmark; `around` is a context that yields further arguments for every case."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--case", choices=list(cases), help="run this one case here and print JSON")
    parser.add_argument("--only", nargs="*", choices=list(cases), help="run only these cases")
    parser.add_argument("--rounds", type=int, default=rounds)
    add_options(parser)
    options = parser.parse_args()
    if options.case:
        sys.stdout.write(json.dumps(cases[options.case](options) | {"peak_mib": peak_mib()}) + "\n")
        return
    names = [name for name in cases if not options.only or name in options.only]
    given = _without(sys.argv[1:], "--rounds", "--only")
    with around(options) if around else _nothing() as more:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for number in range(options.rounds):
            for name in names if number % 2 == 0 else reversed(names):
                found[name].append(run_case(module, name, [*given, *more], seconds))
    sys.stdout.write(table(found, baseline if baseline in names else None, value) + "\n")


@contextmanager
def _nothing() -> Iterator[list[str]]:
    yield []


def _without(arguments: Sequence[str], *names: str) -> list[str]:
    kept: list[str] = []
    dropping = False
    for argument in arguments:
        if argument.startswith("--"):
            dropping = argument in names
        if not dropping:
            kept.append(argument)
    return kept


def table(found: Mapping[str, Sequence[Mapping[str, float]]], baseline: str | None, value: str) -> str:
    """Median and range of every figure, and the ratio to the baseline as the median over the rounds."""
    lines = []
    for name, rows in found.items():
        figures = []
        for key in rows[0]:
            values = [row[key] for row in rows]
            spread = "" if len(rows) == 1 else f" ({min(values):.4g} to {max(values):.4g})"
            figures.append(f"{key} {median(values):.4g}{spread}")
        if baseline and value in rows[0]:
            ratios = [row[value] / base[value] for row, base in zip(rows, found[baseline], strict=True)]
            figures.insert(0, f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        lines.append(f"{name}: " + ", ".join(figures))
    return "\n".join(lines)
