"""chatd: a self-hosted realtime chat and notification server on Trio.

A map of the server, from the doors inwards; imports go the same way only (tests/test_floors.py has the floors).

    main.py          the top nursery: who starts, who stops
    cli/             the shell                                      steward.py answers it in a running server
    rest/            the REST application: one loop over all dialects' Route rows
    site.py          what is at which path of the one port
    entrance.py      how a JSON-RPC connection begins               reception.py: a Socket.IO connection
    comeback.py      taking seats anew, or where one was            resume.py: what was missed
    connection.py    one client: a framing, and namespaces that each speak a dialect; chair.py: its seat in one
    house.py         what all connections and requests share
    dispatch.py      the only door: limit, perform, commit, publish, answer
    notifier.py      message notifications, told behind the hot path
    doorman.py       token → actor                                  accounts.py: own accounts
    services/        the rules of the chat: command → result and events, in a transaction
    broker.py        rooms → seats; face.py spells an event once for each kind of client
    roster.py        who is here, and what they have not read       presence.py, typists.py, watchers.py
    store/           one SQLite file, one writer with group commit, readers; one file of statements a noun
    auth/            keys, tokens, passwords
    engine.py        Engine.IO sessions                             session.py, session_rules.py, polling.py
    net/             sockets, WebSockets, HTTP/1.1
    settings.py      every setting, one row each                    config.py fills it; metrics.py, log.py
    client/          the reference client, for programs, tests and the shell

protocol/, beside this package, is the vocabulary that all of it shares, without any I/O.
"""

__version__ = "0.1.0"
