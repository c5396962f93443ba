"""Long trials of what the server promises: `python -m tests.trials.NAME`, with --quick for a short one.

    kill      kill -9 under twenty senders: no acked message lost, none twice
    restarts  twenty restarts, half of them kill -9, under clients of every framing: nothing missed, nothing twice
    catch_up  ten thousand missed events, while others chat; what the event log costs
    model     random plans of everything that users, clients and the server may do (tests/scenes/model.py)
    stop      SIGTERM under a thousand clients, one of whom never reads
    goodbyes  twenty times SIGTERM under clients of every wire that ignore the goodbye
    mixed     clients on every wire, while server and network fail: missed, doubled, out of order, acked and lost
    mutate    a hundred thousand connections of spoilt bytes
    slow      fifty clients that never read, and a megabyte a second into their room
    sync      strace: an fdatasync before every ack
    files     file descriptors run out, and come back
    full      the disk is full, and has room again
    large     very many unread messages: read, by all who connect, and deleted
    broadcast a notification for 100,000 users while fifty of them chat
    attacks   clients without an account do their worst while fifty others chat

Each starts a server of its own, speaks to it over loopback only, is bounded in time, prints its figures, and ends with
1 when a promise was broken. tests/outside runs the quick ones with the other tests.
"""
