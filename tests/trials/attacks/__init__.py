"""P10: attacks on a server while fifty clients chat: the waiting times of the clients, and the memory of the server.

    python -m tests.trials.attacks                          every attack, one after the other
    python -m tests.trials.attacks pings-20 blanks-30k      some of them; --list names them
    python -m tests.trials.attacks --server-root DIR        against the server of another checkout

Each attack has a fresh server. Fifty clients in ten rooms send 100 messages a second in all. A wait is the time from
the moment at which a message is due until a member of its room receives it. The clients, the attacker and the server
are three processes. The attacker yields the processor to the others, as if it were on another machine. It has its own
address, and no account, except in the rows from 19 on and where the attack sends a token.

The exit code is 1 when the clients' 99th percentile during an attack is over 250 ms, when the server is gone or answers
nothing, or when it does what the attack's row forbids.
"""
