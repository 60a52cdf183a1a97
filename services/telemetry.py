"""How a process of ours tells what it does: one line of JSON an event, for people and for machines.

Nothing that an error quotes gets into a line: what databases and other libraries say may hold what is confidential. An
exception is told by its type and the way to it.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

SHOWN_FRAMES = 12


def log_as_json(silent: Iterable[str] = ()) -> None:
    """Let structlog and Python's logging write lines of JSON to stdout; of `silent` libraries nothing is told."""
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_what_errors_say,
    ]
    structlog.configure(
        processors=[*before, structlog.processors.JSONRenderer(default=str)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    handler.addFilter(_name_errors)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for library in silent:
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def _name_errors(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(type(one).__name__ if isinstance(one, BaseException) else one for one in record.args)
    return True


def _without_what_errors_say(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
        event["way"] = [f"{one.filename.rpartition('site-packages/')[2]}:{one.lineno} {one.name}" for one in frames]
    return event
