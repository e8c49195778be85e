"""Handlers of the classic workers and servers. The last part of the event's name selects one.

A handler gets the name and data of the event. It returns the frames of its reply after the
delimiter, or None for no reply.
"""

import base64
import hashlib
import os
import time

from peer import write


def echo(name, data):
    return write(name, data)


def whoami(name, _data):
    return write(name, {"pid": os.getpid()})


def sleep(name, data):
    """Blocks, as a classic handler does: nothing else is served in the meantime."""
    time.sleep(data["ms"] / 1000)
    return write(name, data)


def mute(_name, _data):
    return None


def die(_name, _data):
    os._exit(1)


def broken_json(name, _data):
    return [name.encode(), b'{"broken": ']


def nan(name, _data):
    """Returns what Python's json module writes for NaN, which is not valid JSON."""
    return [name.encode(), b'{"ratio": NaN}']


def frames(_name, data):
    """Returns the given frames, as text, instead of name and data."""
    return [frame.encode("utf-8", "surrogateescape") for frame in data["frames"]]


def extra(name, data):
    """Returns a reply with an extra frame at its end."""
    return write(name, data) + [b"\xff extra"]


def digest(name, data):
    """Decodes all files and binary values, and returns their size and hash."""
    found = {}
    for field, value in data.items():
        content = value["content"] if isinstance(value, dict) else value
        if field not in ("file", "body"):
            continue
        raw = base64.b64decode(content, validate=True)
        found[field] = {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    return write(name, {"found": found, "data": {k: v for k, v in data.items() if k not in found}})


def picture(name, data):
    """Returns bytes as base64."""
    return write(name, base64.b64encode(bytes(range(data["size"]))).decode())


HANDLERS = {
    "digest": digest,
    "picture": picture,
    "whoami": whoami,
    "sleep": sleep,
    "mute": mute,
    "die": die,
    "broken-json": broken_json,
    "nan": nan,
    "frames": frames,
    "extra": extra,
}


def handle(name, data):
    return HANDLERS.get(name.rsplit(".", 1)[-1], echo)(name, data)
