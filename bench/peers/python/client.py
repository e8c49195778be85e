"""Classic clients: a window of REQ sockets, one request in flight on each. Prints its round trips as JSON.

Usage: client.py FRONTEND WINDOW SECONDS
"""

import json
import sys
import time

import zmq

frontend, window, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
context = zmq.Context()
poller = zmq.Poller()
sent_at = {}
body = json.dumps({"message": "hello"}).encode()


def ask(socket):
    sent_at[socket] = time.perf_counter()
    socket.send_multipart([b"echo.get", body])


for _ in range(window):
    socket = context.socket(zmq.REQ)
    socket.linger = 0
    socket.connect(frontend)
    poller.register(socket, zmq.POLLIN)
    ask(socket)

latencies = []
begun = time.perf_counter()
end = begun + seconds
now = begun
while now < end:
    for socket, _ in poller.poll(1000):
        socket.recv_multipart()
        latencies.append(time.perf_counter() - sent_at[socket])
        ask(socket)
    now = time.perf_counter()

latencies.sort()
count = len(latencies)
percentile = lambda p: latencies[min(count - 1, int(count * p))] * 1000 if count else 0
print(json.dumps({"requests": count, "seconds": now - begun, "errors": 0, "p50": percentile(0.5), "p99": percentile(0.99)}))
