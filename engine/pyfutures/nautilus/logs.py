"""The lines of the IB client in the node's log, files included.

The client logs as Python libraries do, and nautilus_trader has a log of its own: without this the
two are apart, and what the gateway said is in neither file.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Final

from nautilus_trader.common.component import Logger

from pyfutures.ib.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nautilus_trader.config import LoggingConfig

__all__ = ["in_node_log"]

_OURS: Final = "pyfutures"
_LEVELS: Final = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": logging.ERROR,  # nautilus prints these all the same
}


class _ToNode(logging.Handler):
    """Gives records to the node's log."""

    def __init__(self) -> None:
        super().__init__()
        self._log = Logger("PYF-IB")

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record at its level."""
        text = masked(self.format(record))
        if record.levelno >= logging.ERROR:
            self._log.error(text)
        elif record.levelno >= logging.WARNING:
            self._log.warning(text)
        elif record.levelno >= logging.INFO:
            self._log.info(text)
        else:
            self._log.debug(text)


@contextlib.contextmanager
def in_node_log(config: LoggingConfig | None) -> Iterator[None]:
    """Log what pyfutures says through nautilus, as long as the context lasts.

    Parameters
    ----------
    config
        How the node logs; None is nautilus' default. A node that bypasses logging changes nothing.

    """
    if config is not None and config.bypass_logging:
        yield
        return
    names = ("INFO", None) if config is None else (config.log_level, config.log_level_file)
    ours, handler = logging.getLogger(_OURS), _ToNode()
    before = ours.level
    ours.setLevel(min(_LEVELS.get(name.upper(), logging.DEBUG) for name in names if name))
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(before)
