"""How commands speak: results on stdout, everything else on stderr, and one JSON document where it was asked for."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer

from core import clock

FAILED, WRONG_USE, ATTENTION = 1, 2, 3


class Problem(Exception):
    """A command cannot go on: `sentence` says why, `next_step` what to do."""

    def __init__(self, sentence: str, next_step: str = "", code: int = FAILED) -> None:
        super().__init__(f"{sentence} {next_step}".strip())
        self.sentence = sentence
        self.next_step = next_step
        self.code = code


def _wants_json(context: typer.Context, value: bool) -> bool:
    context.find_root().meta["json"] = value
    return value


Json = Annotated[
    bool, typer.Option("--json", callback=_wants_json, is_eager=True, help="Print one JSON document and nothing else.")
]


def clean(text: object) -> str:
    """Foreign text without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def say(text: str = "") -> None:
    """A line of the result."""
    print("\n".join(map(clean, text.split("\n"))))


def note(text: str) -> None:
    """A line beside the result: progress, problems, what to do."""
    print("\n".join(map(clean, text.split("\n"))), file=sys.stderr)


def document(value: Any) -> None:
    """The one JSON document of a command; in ASCII, so that every terminal and every program can read it."""
    print(json.dumps(value, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def finish(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise typer.Exit(code)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Columns under a header; those numbered in `right` are aligned to the right."""
    cells = [list(header), *[[clean("" if cell is None else cell) for cell in row] for row in rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    for row in cells:
        padded = [cell.rjust(widths[at]) if at in right else cell.ljust(widths[at]) for at, cell in enumerate(row)]
        print("  ".join(padded).rstrip())


def when(milliseconds: int | None) -> str:
    """A moment in the time of this computer, or "never"."""
    if milliseconds is None:
        return "never"
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(milliseconds: int | None) -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min, 5 h, 6 days."""
    if milliseconds is None:
        return "not measured yet"
    seconds = milliseconds / 1000
    for limit, divisor, unit in ((10, 1, "s"), (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if abs(seconds) < limit:
            return f"{seconds / divisor:.1f} {unit}" if limit == 10 else f"{seconds / divisor:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def until(seconds: int | None) -> str:
    """How long a moment in Unix seconds is away."""
    if seconds is None:
        return "unknown"
    left = seconds * 1000 - clock.now_ms()
    return f"in {span(left)}" if left > 0 else f"{span(-left)} ago"


def many(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def counted(counts: Mapping[str, int]) -> str:
    """Counts as one line; those of zero are left out."""
    return ", ".join(f"{value:,} {name}" for name, value in counts.items() if value)
