"""Shared by the classic peers of the tests.

A classic peer uses the protocol of docs/protocol/index.md without the additions for native nodes.
These are short test doubles written from that page. Each prints its state to stdout, one JSON
object per line (the first has "ready"), reads commands from stdin in the same form, and ends when
its stdin closes.
"""

import configparser
import json
import os
import secrets
import sys
import threading
import time
import uuid

import zmq
import zmq.auth

_print_lock = threading.Lock()


class Malformed(Exception):
    """Frames that are not a message of the protocol."""


def say(**line):
    """Prints a line for the test: one JSON object."""
    with _print_lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def commands():
    """Yields the commands of the test, one per line. The process ends with its stdin."""
    for line in sys.stdin:
        yield json.loads(line)
    os._exit(0)


def end_with_stdin():
    """Ends the process with its stdin, for a peer without commands."""
    threading.Thread(target=lambda: [None for _ in commands()], daemon=True).start()


def identity(section, config=None):
    """Returns (node_id, session_id). The config file stores the first; the second is new at each start."""
    node_id = uuid.uuid4().hex
    if config:
        parser = configparser.ConfigParser()
        parser.read(config)
        if not parser.has_section(section):
            parser.add_section(section)
        if parser.has_option(section, "node_id"):
            node_id = parser.get(section, "node_id")
        else:
            parser.set(section, "node_id", node_id)
            with open(config, "w", encoding="utf-8") as file:
                parser.write(file)
    return node_id, secrets.token_hex(8)


def curve_from_environment(socket):
    """Sets the keys of a socket that connects, from CURVE_SERVERKEY and the key file CURVE_KEY, if given."""
    if "CURVE_SERVERKEY" in os.environ:
        public, secret = zmq.auth.load_certificate(os.environ["CURVE_KEY"])
        socket.setsockopt(zmq.CURVE_SERVERKEY, os.environ["CURVE_SERVERKEY"].encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)


def socket_of(kind, name=None):
    """Returns a socket with a linger of 0."""
    socket = zmq.Context.instance().socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    curve_from_environment(socket)
    if name:
        socket.setsockopt(zmq.IDENTITY, name.encode())
    return socket


def bind(socket, endpoint):
    """Binds and returns the endpoint, whose port may be a wildcard before (tcp://127.0.0.1:*)."""
    socket.bind(endpoint)
    return socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")


def read(frames):
    """Returns (event_name, event_data) of a message. Further frames are ignored."""
    if len(frames) < 2:
        raise Malformed(f"{len(frames)} frames")
    if frames[0] == b"":
        frames = frames[1:]
    elif len(frames) == 4 and frames[1] == b"":
        frames = frames[2:]
    if len(frames) < 2:
        raise Malformed("no event data")
    try:
        return frames[0].decode("utf-8"), json.loads(frames[1].decode("utf-8"))
    except ValueError as error:
        raise Malformed(str(error)) from error


def write(name, data):
    """Returns the frames of a message. JSON is UTF-8 and not escaped to ASCII."""
    return [name.encode("utf-8"), json.dumps(data, ensure_ascii=False).encode("utf-8")]


def send_heartbeats(endpoint, node_type, node_id, session_id, interval):
    """Sends a heartbeat immediately and then every `interval` milliseconds, from its own thread."""

    def run():
        socket = socket_of(zmq.DEALER)
        socket.connect(endpoint)
        while True:
            now = int(time.time() * 1000)
            beat = {"node_id": node_id, "session_id": session_id, "node_type": node_type}
            beat |= {"last_heartbeat": now, "missed_count": 0}
            socket.send_multipart([b""] + write("heartbeat", beat))
            time.sleep(interval / 1000)

    threading.Thread(target=run, daemon=True).start()


def receive_heartbeats(endpoint):
    """Prints each heartbeat. Returns the endpoint."""
    socket = socket_of(zmq.ROUTER)
    where = bind(socket, endpoint)

    def run():
        while True:
            frames = socket.recv_multipart()
            try:
                say(heartbeat=read(frames)[1], frames=len(frames))
            except Malformed as error:
                say(dropped=len(frames), why=str(error))

    threading.Thread(target=run, daemon=True).start()
    return where
