"""The log file: what happened, for a person who helps; never a secret."""

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core import redact


def write_to(folder: Path) -> None:
    """Write the log to a file that only its owner can read, with every secret hidden."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    logger = logging.getLogger("evenstock")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handler = RotatingFileHandler(
        folder / "evenstock.log", maxBytes=5_000_000, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(os.environ.get("EVENSTOCK_LOG_LEVEL", "INFO"))
    logger.propagate = False
    redact.install(logger)
