"""P1, P3, P5 and P9 on mixed wires: clients of every kind in one group while the server and the network fail.

    python -m tests.trials.mixed --rounds 20 --clients 60 --seed 1

Listeners are chatd's own client, plain JSON-RPC sockets, the stock client of Socket.IO in Node (by WebSocket, by
polling, and moving from one to the other; with recovery), Server-Sent Events and long polls, in all five dialects.
Senders use JSON-RPC and REST. Other clients ignore everything. Each round has one fault: kill -9, SIGTERM, a cut of all
connections, a stalled network, clients that stop reading, or members that are removed and added again. Each message has
its own id, and each client receives what the database holds: once, in order.

| figure | meaning |
|---|---|
| `due` | what a listener must receive |
| `gaps` | resumes that the server rejected |
| `unasked` | received by a user after the removal |
| `lost` | acked, and not in the database |
| `silent` | committed before a SIGTERM ended the server, and never answered |

The exit code is 1 when one of the last four is not 0, when a client does not reconnect, or when a SIGTERM takes ten
seconds or gives another exit code than 0.
"""
