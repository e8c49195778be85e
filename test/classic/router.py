"""A classic router: a proxy between a ROUTER for clients and a DEALER for workers.

It only prints the heartbeats that it receives.

Lines: {"ready": frontend, "backend", "beats", "pid"}, then {"heartbeat": {...}, "frames"} for each heartbeat.
"""

import argparse
import os

import zmq
from peer import bind, end_with_stdin, identity, receive_heartbeats, say, socket_of

parser = argparse.ArgumentParser()
parser.add_argument("frontend")
parser.add_argument("backend")
parser.add_argument("--heartbeat")
parser.add_argument("--config")
options = parser.parse_args()

name = "_".join(identity("router", options.config))
frontend = socket_of(zmq.ROUTER, name)
backend = socket_of(zmq.DEALER, name)
where = {"ready": bind(frontend, options.frontend), "backend": bind(backend, options.backend)}
where["beats"] = receive_heartbeats(options.heartbeat) if options.heartbeat else None
end_with_stdin()
say(**where, pid=os.getpid())
zmq.proxy(frontend, backend)
