#!/usr/bin/env python3
"""Stock levels: a classic worker in plain Python. openapi/inventory.yaml defines its REST routes.

It needs pyzmq and no code of zeromq-gateway: a few lines implement the protocol. The same worker
runs behind a router of zeromq-gateway and behind one of ZeroMQFramework. inventory.py does the same with
zeromq_gateway.py, which announces events and routes.

    pip install -r requirements.txt
    python inventory_classic.py --router tcp://127.0.0.1:5556 --heartbeat tcp://127.0.0.1:5557

If the router uses CURVE, give its public key and a key file for this worker, created with
`zeromq-gateway keygen`:

    python inventory_classic.py --router tcp://10.0.0.1:5556 --curve-server-key router.key.pub \\
        --curve-key inventory.key

Stock levels are stored in inventory.sqlite, in the folder given by ZMQ_GATEWAY_DATA (default: data).
"""

import argparse
import json
import os
import secrets
import signal
import sqlite3
import sys
import time
import uuid

import zmq
import zmq.auth

HEARTBEAT_INTERVAL = 10  # seconds


class Refusal(Exception):
    """Makes the reply an error: an HTTP status, a code for programs and a message for people."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


# -- Handlers: one function per event. It receives the event data and returns the data of the reply. --


def open_stock():
    folder = os.environ.get("ZMQ_GATEWAY_DATA", "data")
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"[Errno 13] Permission denied: {folder!r}")
    except OSError as error:
        sys.exit(f"cannot store data: {error}; set ZMQ_GATEWAY_DATA to a folder that can be written")
    database = sqlite3.connect(os.path.join(folder, "inventory.sqlite"), isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL)")
    items = [("bolt-m6", 1200), ("nut-m6", 950), ("washer-6", 40)]
    database.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", items)
    return database


def list_items(data):
    """Returns all items, or those with less than `below` in stock if it is given."""
    rows = stock.execute(
        "SELECT sku, quantity FROM stock WHERE quantity < ? ORDER BY sku",
        (data.get("below", 2**53),),
    )
    return {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in rows]}


def get_item(data):
    row = stock.execute("SELECT quantity FROM stock WHERE sku = ?", (data["sku"],)).fetchone()
    if row is None:
        raise Refusal(404, "ITEM_NOT_FOUND", f"no item {data['sku']}")
    return {"sku": data["sku"], "quantity": row[0]}


def adjust_item(data):
    """Adds `by`, which may be negative. Stock never falls below zero, even if several workers share it."""
    changed = stock.execute(
        "UPDATE stock SET quantity = quantity + :by WHERE sku = :sku AND quantity + :by >= 0",
        {"sku": data["sku"], "by": data["by"]},
    )
    item = get_item(data)
    if changed.rowcount == 0:
        raise Refusal(409, "OUT_OF_STOCK", f"only {item['quantity']} of {data['sku']} in stock")
    return item


EVENTS = {"inventory.list": list_items, "inventory.get": get_item, "inventory.adjust": adjust_item}


# -- Protocol: requests and replies have the frames [address, "", event name, JSON]. ------------------


def reply_to(frames):
    """Returns the frames of the reply, or None if the frames are not a request."""
    if len(frames) < 4:
        return None
    address, _, name = frames[:3]  # frames after the JSON are ignored
    try:
        handler = EVENTS.get(name.decode())
        if handler is None:
            raise Refusal(501, "NO_HANDLER", f"this worker does not know the event {name.decode()}")
        return [address, b"", name, to_json(handler(json.loads(frames[3])))]
    except Refusal as refusal:
        return failure(address, name, refusal)
    except Exception as error:  # a failed request must not end the worker
        print(f"{name!r} failed: {error!r}", flush=True)
        return failure(address, name, Refusal(500, "HANDLER_ERROR", "the handler of the event failed"))


def failure(address, name, refusal):
    """Returns the frames of an error: event data, and one more frame with the HTTP status for gateways.

    Peers that do not support this frame ignore it.
    """
    error = {"code": refusal.code, "message": str(refusal)}
    return [address, b"", name, to_json({"error": error}), to_json({"status": refusal.status, "code": refusal.code})]


def to_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def curve_keys(server_key, key_file):
    """Returns the router's public key and this worker's key pair, or None without encryption."""
    if not server_key and not key_file:
        return None
    if not server_key or not key_file:
        raise SystemExit("error: --curve-server-key and --curve-key go together")
    try:
        if os.path.exists(server_key):
            server_key = zmq.auth.load_certificate(server_key)[0].decode()
        if os.stat(key_file).st_mode & 0o077:
            raise SystemExit(f"error: {key_file} can be read by others; chmod 600 it")
        public, secret = zmq.auth.load_certificate(key_file)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}")
    if len(server_key) != 40:
        raise SystemExit("error: --curve-server-key is neither a file nor a public key, 40 characters of Z85")
    if secret is None:
        raise SystemExit(f"error: {key_file} holds no secret key")
    return server_key.encode(), public, secret


def dealer(context, keys):
    socket = context.socket(zmq.DEALER)
    if keys:
        socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = keys
    return socket


def serve(router, heartbeat, keys):
    node_id, session_id = uuid.uuid4().hex, secrets.token_hex(8)
    context = zmq.Context()
    requests = dealer(context, keys)
    requests.setsockopt(zmq.IDENTITY, f"{node_id}_{session_id}".encode())
    requests.connect(router)
    beats = dealer(context, keys)
    if heartbeat:
        beats.connect(heartbeat)
    print(f"inventory worker ready, router {router}", flush=True)

    next_beat = time.monotonic()
    while running:
        if heartbeat and time.monotonic() >= next_beat:
            next_beat += HEARTBEAT_INTERVAL
            beat = {"node_id": node_id, "session_id": session_id, "node_type": "worker", "missed_count": 0}
            beat["last_heartbeat"] = int(time.time() * 1000)
            beats.send_multipart([b"", b"heartbeat", to_json(beat)])
        if requests.poll(500):  # milliseconds; returns regularly to send heartbeats and to check whether to stop
            reply = reply_to(requests.recv_multipart())
            if reply is not None:
                requests.send_multipart(reply)
    context.destroy(linger=1000)


def stop(_signal, _frame):
    global running
    running = False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serves inventory.list, inventory.get and inventory.adjust.")
    parser.add_argument("--router", default="tcp://127.0.0.1:5556", help="backend of the router (default %(default)s)")
    parser.add_argument("--heartbeat", help="heartbeat address of the router, such as tcp://127.0.0.1:5557")
    parser.add_argument(
        "--curve-server-key",
        default=os.environ.get("ZMQ_GATEWAY_CURVE_SERVER_KEY"),
        help="public key of the router (a key may begin with -: --curve-server-key=KEY), or a file that holds it: encrypt",
    )
    parser.add_argument(
        "--curve-key",
        default=os.environ.get("ZMQ_GATEWAY_CURVE_KEY"),
        help="file with the keys of this worker; other users must not be able to read it",
    )
    options = parser.parse_args()
    keys = curve_keys(options.curve_server_key, options.curve_key)
    running = True
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    stock = open_stock()
    serve(options.router, options.heartbeat, keys)
