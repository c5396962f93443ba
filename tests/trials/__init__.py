"""Long trials of what the server promises: `python -m tests.trials.NAME`, with --quick for a short one.

    kill           kill -9 under twenty senders: no acked message lost, none twice
    restarts       twenty restarts, half of them kill -9, under clients of every framing: no event missed, none twice
    uploads        random uploads, messages and deletions under kill -9: no file lost, nothing left behind
    follower       kill -9 under the search follower: the index has every message once, as it is today
    catch_up       ten thousand missed events, while others chat; the cost of the event log
    model          random plans of actions of users, clients and the server (tests/scenes/model.py)
    stop           SIGTERM under a thousand clients, one of which never reads
    repeated_stops twenty times SIGTERM under clients of every wire that ignore the close
    mixed          clients on every wire, while server and network fail: missed, doubled, out of order, acked and lost
    mutate         a hundred thousand connections of spoilt bytes
    slow           fifty clients that never read, and a megabyte a second into their room
    sync           strace: an fdatasync before every ack
    files          file descriptors run out, and are free again
    full           the disk is full, and has room again
    large          very many unread messages: read, counted for all who connect, and deleted
    broadcast      a notification for 100,000 users while fifty of them chat
    attacks        clients without an account attack while fifty others chat

Each trial starts its own server on loopback, ends in a bounded time, and prints its figures. The exit code is 1 when a
promise is broken. tests/outside runs the quick ones with the other tests.
"""
