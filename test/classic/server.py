"""A classic server: a REP socket that serves clients directly, one request at a time.

Lines: {"ready", "beats", "identity", "pid"}, {"got", "frames"}, {"heartbeat": {...}}, and
{"bricked": why} after a message without a reply: REP then receives nothing further.
"""

import argparse
import os
import threading

import zmq
from handlers import handle
from peer import bind, end_with_stdin, identity, read, receive_heartbeats, say, socket_of

parser = argparse.ArgumentParser()
parser.add_argument("endpoint")
parser.add_argument("--heartbeat")
parser.add_argument("--config")
options = parser.parse_args()

name = "_".join(identity("server", options.config))
socket = socket_of(zmq.REP, name)
where = bind(socket, options.endpoint)
heartbeat = receive_heartbeats(options.heartbeat) if options.heartbeat else None
end_with_stdin()
say(ready=where, beats=heartbeat, identity=name, pid=os.getpid())

unanswered = None
while True:
    try:
        frames = socket.recv_multipart()
    except zmq.ZMQError as error:
        say(bricked=unanswered, why=str(error))
        break
    try:
        event_name, event_data = read(frames)
        say(got=event_name, frames=len(frames))
        reply = handle(event_name, event_data)
    except Exception as error:  # The original sends no reply here, after which its socket is unusable.
        unanswered = str(error)
        continue
    if reply is None:
        unanswered = "no reply"
    else:
        socket.send_multipart(reply)

threading.Event().wait()
