"""The benchmark: chatd beside other servers, on the same work in the same run.

    python -m tests.bench            everything, three rounds
    python -m tests.bench --quick    one short round of the most telling workloads

`workloads` and `servers` are the tables. `chatd_server` prepares chatd. `measure` runs one round: `load` drives the
generator (C, in load/), and `machine` reads the kernel's figures. `report` prints the results. `curves` runs rising
sizes over stores that `seeds` fills, and `picture` draws them. This package needs the standard library only; the other
servers are in peers/ with their own locked dependencies.
"""
