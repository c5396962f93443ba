"""Asking the house: the server that runs on the data, through its control socket; or the data itself, when none does.

Either way the same calls are understood: those of chatd/admin/accounts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatd.cli import Failed

if TYPE_CHECKING:
    from chatd.config.load import Config


def ask(config: Config, call: str, **arguments: Any) -> Any:
    """What the house answers; Failed when it says no."""
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME, CommandRefused, NoServer, call_control

    try:
        return call_control(Path(config.data.directory) / FILE_NAME, call, **arguments)
    except NoServer:
        from chatd.admin.offline import operate

        must_have_data(config)
        return operate(config, call, arguments)
    except CommandRefused as refused:
        raise Failed(str(refused)) from None
    except TimeoutError:
        raise Failed(f"the server that runs on {config.data.directory} does not answer") from None
    except OSError as problem:
        socket = Path(config.data.directory) / FILE_NAME
        raise Failed(f"{socket}: the server that runs there cannot be asked ({problem.strerror})") from None


def must_have_data(config: Config) -> None:
    """Only `serve` and `init` make data: in a wrong folder another verb would make a second database, unseen."""
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME
    from chatd.admin.offline import DATABASE_NAME

    folder = Path(config.data.directory)
    if folder.exists() and not folder.is_dir():
        raise Failed(f"data.directory: {folder} is a file; expected a folder")
    if not any((folder / name).exists() for name in (DATABASE_NAME, FILE_NAME)):
        raise Failed(
            f"no data in {folder.absolute()} (looked for {DATABASE_NAME}): run `chatd init` or `chatd serve` first, "
            "or name the folder with --data DIR"
        )
