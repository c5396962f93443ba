"""P1, P3, P5 and P9 on mixed wires: clients of every kind in one group while the server and the network fail.

    python -m tests.trials.mixed --rounds 20 --clients 60 --seed 1

Listeners are chatd's own client, plain JSON-RPC sockets, the stock client of Socket.IO in Node (by WebSocket, by
polling, and moving from one to the other; with recovery), Server-Sent Events and long polls, in all five dialects.
Senders use JSON-RPC and REST. Beside them are clients that ignore everything. In each round one thing happens: kill -9,
SIGTERM, a cut of all connections, a stalled network, clients that stop reading, or members that are removed and added
again. Each message has an id of its own, and each client receives what the database holds: once, in order.

The figures: `due` is what a listener must receive; `gaps` are resumes that the server said it could not do; `unasked`
was received by a user who had been removed. `lost` was acked and is not in the database; `silent` was committed before
a SIGTERM had ended the server, and never answered. Ends with 1 when anything of that is not 0, when a client did not
come back, or when a SIGTERM took ten seconds or gave another exit code than 0.
"""
