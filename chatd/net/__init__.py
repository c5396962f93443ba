"""The network floor: from sockets to messages and requests, and back. It knows no chat.

front.py       listeners, accept loops, a guard around each connection      listeners.py, proxies.py
http.py        requests to their places                                     channel.py, request.py, asgi.py, origins.py
socket.py      one WebSocket: messages in, framed bytes out                 handshake.py, framer.py
outbox.py      what waits for one client
stream.py      bytes of one peer: plain, tls.py, or memory.py for tests
"""
