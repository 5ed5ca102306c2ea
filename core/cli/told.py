"""Whatever goes wrong in a command is told in a sentence, never as a traceback."""

import logging
import os
import sqlite3
from typing import Any

import typer
from typer.core import TyperGroup

from core.cli import out

_log = logging.getLogger("evenstock.cli")


class Told(TyperGroup):
    """The group of all commands; it turns every error into a sentence, a next step and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (typer.Abort, KeyboardInterrupt):
            problem = out.Problem("Stopped.", "What was finished before is kept.")
        except BrokenPipeError:
            _silence()
            problem = out.Problem("")
        except Exception as error:
            if hasattr(error, "exit_code"):
                raise  # wrong use of a command, or its own end: the parser knows what to say
            problem = told(error)
        if ctx.meta.get("json"):
            out.document({"problem": problem.sentence, "next_step": problem.next_step})
        if str(problem):
            out.note(str(problem))
        raise typer.Exit(problem.code)


def _silence() -> None:
    """Whoever read our output has gone; nothing more is written, not even at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def told(error: Exception) -> out.Problem:
    """The sentence, next step and exit code of an error."""
    if isinstance(error, out.Problem):
        return error
    if type(error).__module__.startswith("core."):
        sentence = getattr(error, "sentence", "") or str(error)
        return out.Problem(sentence, getattr(error, "next_step", ""))
    if type(error).__name__ == "ValidationError":
        return _bad_setting(error)
    return _from_below(error) or _unexpected(error)


def _bad_setting(error: Any) -> out.Problem:
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0]).upper()
    return out.Problem(f"The setting {name} cannot be used: {first['msg']}.", "README lists what it may be.", 2)


def _from_below(error: Exception) -> out.Problem | None:
    """What the operating system or the database said."""
    from sqlalchemy.exc import DBAPIError

    from core.store.errors import explain

    if isinstance(error, (sqlite3.Error, DBAPIError, OSError)) and (known := explain(error)):
        where = getattr(error, "filename", None)
        return out.Problem(f"{known.sentence} ({where})" if where else known.sentence, known.next_step)
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return out.Problem(f"{what}{error.strerror or error}.")
    return None


def _unexpected(error: Exception) -> out.Problem:
    from core.redact import redact

    _log.error("a command failed", exc_info=error)
    return out.Problem(
        f"Something unexpected stopped this: {redact(str(error))[:300] or type(error).__name__}",
        "Run it again. If it happens again, send the log file in the data folder to support; it holds no secrets.",
    )
