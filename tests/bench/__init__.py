"""The benchmark: chatd beside the servers that people would pick, on the same work in the same run.

    python -m tests.bench            everything, three rounds
    python -m tests.bench --quick    one short round of the most telling workloads

`workloads` says what is asked, `servers` who is asked, `house` how chatd is made ready, `measure` does one round
with `load` driving the generator (C, in load/) and `machine` reading the kernel's figures, `report` tells. `curves`
asks for more and more of the same, over stores that `seeds` filled, and `picture` draws it. Nothing outside the
standard library is needed here; the peers live in peers/ with their own locked dependencies.
"""
