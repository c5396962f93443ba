"""P10: attacks on a server while fifty clients chat: what the others wait, and what the server keeps.

    python -m tests.trials.attacks                          every attack, one after the other
    python -m tests.trials.attacks pings-20 blanks-30k      some of them; --list names them
    python -m tests.trials.attacks --server-root DIR        against the server of another checkout

Each attack has a fresh server. Fifty clients in ten rooms send 100 messages a second in all. A wait is the time from
when a message was due to when a member of its room received it, and grows until then. The clients, the attacker and
the server are three processes. The attacker yields the processor to the others, as if it were on another machine. It
has no account, except in the rows from 19 on and where the attack sends a token, and an address of its own.

Ends with 1 when the others' 99th percentile during an attack is over 250 ms, when the server is gone or answers nothing
any more, or when it did what the attack's row forbids.
"""
