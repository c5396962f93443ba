"""Asking the house: the server that runs on the data, through its control socket; or the data itself, when none does.

Either way the same calls are understood: those of chatd/steward.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatd.cli import Failed

if TYPE_CHECKING:
    from chatd.config import Config


def ask(config: Config, call: str, **arguments: Any) -> Any:
    """What the house answers; Failed when it says no."""
    from pathlib import Path

    from chatd.control import FILE_NAME, NoServer, Refused, call_control

    try:
        return call_control(Path(config.data.directory) / FILE_NAME, call, **arguments)
    except NoServer:
        from chatd.steward import operate

        return operate(config, call, arguments)
    except Refused as refused:
        raise Failed(str(refused)) from None
    except TimeoutError:
        raise Failed(f"the server that runs on {config.data.directory} does not answer") from None
