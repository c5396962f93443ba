"""Administrative calls: to the running server through its control socket, or to the data itself without a server.

Both accept the calls of chatd/admin/accounts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatd.cli import CommandFailed

if TYPE_CHECKING:
    from chatd.config.settings import Config


def call_server(config: Config, call: str, **arguments: Any) -> Any:
    """Make a call, and return its result. Raises CommandFailed when the call is refused."""
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME, CommandRefused, NoServer, call_control

    try:
        return call_control(Path(config.data.directory) / FILE_NAME, call, **arguments)
    except NoServer:
        from chatd.admin.offline import operate

        require_data(config)
        return operate(config, call, arguments)
    except CommandRefused as refused:
        raise CommandFailed(str(refused)) from None
    except TimeoutError:
        raise CommandFailed(f"the server that uses {config.data.directory} does not answer") from None
    except OSError as problem:
        socket = Path(config.data.directory) / FILE_NAME
        raise CommandFailed(f"{socket}: cannot reach the running server ({problem.strerror})") from None


def require_data(config: Config) -> None:
    """Refuse a folder without data. Only `serve` and `init` create data, so that a wrong folder is noticed."""
    from pathlib import Path

    from chatd.admin.control_socket import FILE_NAME
    from chatd.admin.offline import DATABASE_NAME

    folder = Path(config.data.directory)
    if folder.exists() and not folder.is_dir():
        raise CommandFailed(f"data.directory: {folder} is a file; expected a folder")
    if not any((folder / name).exists() for name in (DATABASE_NAME, FILE_NAME)):
        raise CommandFailed(
            f"no data in {folder.absolute()} (looked for {DATABASE_NAME}): run `chatd init` or `chatd serve` first, "
            "or name the folder with --data DIR"
        )
