"""A classic worker: a DEALER that connects to the backend of a router and serves one request at a time.

Lines: {"ready", "identity", "pid"}, {"got", "frames"} for each request, {"dropped", "why"} for each
message that is not a request.
"""

import argparse
import os

import zmq
from handlers import handle
from peer import Malformed, end_with_stdin, identity, read, say, send_heartbeats, socket_of

parser = argparse.ArgumentParser()
parser.add_argument("backend")
parser.add_argument("--heartbeat")
parser.add_argument("--interval", type=int, default=10_000)
parser.add_argument("--config")
options = parser.parse_args()

node_id, session_id = identity("worker", options.config)
name = f"{node_id}_{session_id}"
socket = socket_of(zmq.DEALER, name)
socket.connect(options.backend)
if options.heartbeat:
    send_heartbeats(options.heartbeat, "worker", node_id, session_id, options.interval)
end_with_stdin()
say(ready=options.backend, identity=name, pid=os.getpid())

while True:
    frames = socket.recv_multipart()
    if len(frames) < 4:
        say(dropped=len(frames), why="fewer than 4 frames")
        continue
    try:
        event_name, event_data = read(frames[2:])
    except Malformed as error:
        say(dropped=len(frames), why=str(error))
        continue
    say(got=event_name, frames=len(frames))
    try:
        reply = handle(event_name, event_data)
    except Exception as error:  # As in the original, the caller gets no reply.
        say(failed=event_name, why=str(error))
        continue
    if reply is not None:
        # The first frame is the address of the reply. Frames between it and the delimiter are lost.
        socket.send_multipart([frames[0], b""] + reply)
