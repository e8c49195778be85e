"""Classic clients, any number in one process. Each is a REQ socket in its own thread.

Commands: {"id", "client": 0, "event", "data", "timeout"?} sends a request, and {"id", "client": 0,
"rebuild": true} replaces the client's socket. Lines: {"ready", "identities", "pid"}, then for each
command {"id", "event", "data", "frames"}, {"id", "error": "timeout" | "unusable" | "malformed"} or
{"id", "rebuilt": true}.
"""

import argparse
import os
import queue
import secrets
import threading

import zmq
from peer import Malformed, commands, identity, read, say, send_heartbeats, socket_of, write

parser = argparse.ArgumentParser()
parser.add_argument("endpoint")
parser.add_argument("--clients", type=int, default=1)
parser.add_argument("--timeout", type=int, default=5000)
parser.add_argument("--heartbeat")
parser.add_argument("--interval", type=int, default=10_000)
parser.add_argument("--config")
options = parser.parse_args()


def connected(name):
    socket = socket_of(zmq.REQ, name)
    socket.connect(options.endpoint)
    return socket


def request(socket, order):
    socket.setsockopt(zmq.RCVTIMEO, order.get("timeout", options.timeout))
    try:
        socket.send_multipart(write(order["event"], order["data"]))
        frames = socket.recv_multipart()
        event, data = read(frames)
        return {"event": event, "data": data, "frames": len(frames)}
    except zmq.Again:
        return {"error": "timeout"}
    except zmq.ZMQError as error:  # REQ still waits for the previous reply
        return {"error": "unusable", "why": str(error)}
    except Malformed as error:
        return {"error": "malformed", "why": str(error)}


def run(name, orders):
    socket = connected(name)
    while True:
        order = orders.get()
        if order.get("rebuild"):
            # A new session: a router may not have noticed the loss of the previous one yet.
            socket.close()
            socket = connected(f"{name.split('_')[0]}_{secrets.token_hex(8)}")
            say(id=order["id"], rebuilt=True)
        else:
            say(id=order["id"], **request(socket, order))


clients, identities = [], []
for _ in range(options.clients):
    node_id, session_id = identity("client", options.config)
    orders = queue.SimpleQueue()
    identities.append(f"{node_id}_{session_id}")
    threading.Thread(target=run, args=(identities[-1], orders), daemon=True).start()
    clients.append(orders)
    if options.heartbeat:
        send_heartbeats(options.heartbeat, "client", node_id, session_id, options.interval)
say(ready=options.endpoint, identities=identities, pid=os.getpid())

for command in commands():
    clients[command.get("client", 0)].put(command)
