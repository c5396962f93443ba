"""chatd: a self-hosted realtime chat and notification server on Trio.

The map of the folders, one line each. Imports go down only, and tests/test_floors.py holds the order.

    cli/             the shell: one file for each group of commands
    server/          the process: start, stop, the router of the one port, live settings
    rest/            the REST application, and the events of a user over HTTP
    admin/           the control socket, and what the shell asks a running server
    connections/     one client: JSON-RPC or Socket.IO, its open namespaces, resuming after a loss
    core/            the app that everything shares, and dispatch: the one entry for all commands
    services/        the rules of the chat: a command becomes a result and events, in a transaction
    realtime/        what is kept in memory about connected users: rooms, presence, typing, unread counts
    auth/            keys, tokens, passwords, and users of other issuers
    config/          the settings: one row each, read from file, environment and command line
    engineio/        the sessions and transports of Engine.IO
    terminal/        the chat client for the terminal
    client/          the Python client: for programs, for tests and for the shell
    net/             listeners, TLS, HTTP/1.1, WebSockets
    store/           one SQLite file: one writer with group commit, readers, the statements of each noun
    telemetry/       the log and the metrics
    files/           uploads, and their contents on the disk
    web/             the browser client and the page, as files

    supervisor.py    runs the parts of the server, and stops it when one fails
    rate_limit.py    token buckets
    program.py       the command that runs this program

protocol/, beside this package, has what all of it shares: commands, events, errors, framings, dialects. It does no I/O.
"""

__version__ = "0.1.0"
