"""What classic workers and servers of the tests do with an event: the last part of its name says it.

A handler gets the event's name and data and returns the frames of its reply after the delimiter, or None for none.
"""

import os
import time

from peer import write


def echo(name, data):
    return write(name, data)


def whoami(name, _data):
    return write(name, {"pid": os.getpid()})


def sleep(name, data):
    """Blocks, as a classic handler does: nothing else is served meanwhile."""
    time.sleep(data["ms"] / 1000)
    return write(name, data)


def mute(_name, _data):
    return None


def die(_name, _data):
    os._exit(1)


def broken_json(name, _data):
    return [name.encode(), b'{"broken": ']


def nan(name, _data):
    """Python writes this by itself: its json knows NaN, JSON does not."""
    return [name.encode(), b'{"ratio": NaN}']


def frames(_name, data):
    """Any frames at all, as text, in place of name and data."""
    return [frame.encode("utf-8", "surrogateescape") for frame in data["frames"]]


def extra(name, data):
    """A reply with a frame that nobody asked for at its end."""
    return write(name, data) + [b"\xff extra"]


HANDLERS = {
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
