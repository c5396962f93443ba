"""The network layer: from sockets to messages and requests, and back. It knows nothing of chat.

acceptor.py    listeners and accept loops       listeners.py, proxies.py, connection_counts.py, process.py
http.py        requests to their handlers       http_connection.py, request.py, asgi.py, origins.py
socket.py      one WebSocket                    handshake.py, framer.py
outbox.py      the bytes that wait for one client
timer_wheel.py what must be looked at when its moment comes
stream.py      the bytes of one peer            tls.py, epoll_reader.py, memory.py (for tests)
"""
