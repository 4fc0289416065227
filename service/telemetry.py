"""Log lines: structured, one a line, whoever writes them, and without secrets."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

import structlog

from service.redaction import Redaction

ACCESS_LOG: Final = "service.access"
"""The logger of the line that each request ends with."""


def configure_logging(level: str, style: str, secrets: Collection[str] = (), *, requests: bool = True) -> None:
    """Send structlog's and the standard library's records to stderr in one format.

    Args:
        level: debug, info, warning or error.
        style: ``console`` for people, ``json`` for machines.
        secrets: texts that no line may hold, besides what looks like a key or a password.
        requests: whether each request over HTTP has a line.
    """
    redacted = Redaction(secrets)

    def without_secrets(_: object, __: str, line: structlog.typing.EventDict | str) -> str:
        return redacted(str(line))

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
                without_secrets,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger(ACCESS_LOG).disabled = not requests
    logging.getLogger("uvicorn.access").disabled = True  # the service logs its own requests, with their ids
