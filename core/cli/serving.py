"""`run` and `practice`: what goes on until it is stopped."""

import logging
import signal
import threading

from core.cli import out
from core.cli.desk import BUSY
from core.redact import Redactor


class _Line(logging.Formatter):
    """A log line for a person: its sentence; where it happened stands in the log file."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, also for an error."""
        return f"{self.formatTime(record)} {out.clean(record.getMessage())}"


def run_loop() -> None:
    """Own the data folder and run the loop until a signal ends it."""
    from core.runtime import Runtime
    from core.settings import settings

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    runtime = Runtime(settings())
    runtime.start()
    try:
        if not runtime.owner:
            raise BUSY
        _log_to_terminal()
        what = "the practice shop" if runtime.is_practice else ", ".join(shop.name for shop in runtime.sessions.shops)
        out.say(f"The loop runs for {what}. Ctrl-C stops it.")
        while not stop.wait(0.5):
            pass
        out.say("Stopping; what is under way is finished first.")
    finally:
        runtime.stop()


def _log_to_terminal() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    handler.addFilter(Redactor())
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name != "evenstock.requests")
    logging.getLogger("evenstock").addHandler(handler)


def run_practice(port: int, seed: int, products: int, orders: int | None) -> None:
    """Serve a practice shop in the foreground until Ctrl-C."""
    from core.practice import run_standalone

    try:
        run_standalone(port, seed, products, orders)
    except OSError as error:
        raise out.Problem(
            f"Port {port} cannot be used: {error.strerror}.", "Choose another one with --port, or leave --port out."
        ) from error
