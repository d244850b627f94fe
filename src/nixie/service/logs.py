"""Log lines: JSON on standard error, with ids, counts and domains; never subjects, bodies, local parts or file contents.

Errors are logged by their class and place. An error's text may carry what a message carried, so it stays out. Libraries that
log by themselves (asyncio an exception that nobody awaited, uvicorn one of a page) are let in by class and place alone too:
their own words quote the error.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def _class_only(_: object, __: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Put an error's class and innermost place where its text would stand."""
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            event["at"] = f"{trace.tb_frame.f_code.co_filename.rpartition('/nixie/')[2]}:{trace.tb_lineno}"
    elif error is not None:
        event["error"] = error
    return event


class _Libraries(logging.Handler):
    """What libraries log, without their words: who it was, and the class and place of an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line of ours for one of theirs."""
        error = record.exc_info[1] if record.exc_info else None
        told = {"error": error} if error is not None else {"place": f"{record.module}:{record.lineno}"}
        structlog.get_logger("nixie.libraries").log(record.levelno, "from a library", library=record.name, **told)


def configure(*, level: str = "info", tty: bool | None = None) -> None:
    """Set up the process's log: coloured lines on a terminal, JSON elsewhere."""
    pretty = sys.stderr.isatty() if tty is None else tty
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _class_only,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
