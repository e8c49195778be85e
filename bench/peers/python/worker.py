"""A classic worker: one request at a time on a DEALER, the first two frames handed back untouched."""

import json
import os

import zmq

socket = zmq.Context().socket(zmq.DEALER)
socket.connect(os.environ["PEER_BACKEND"])
print("ready", flush=True)
while True:
    client, empty, name, body = socket.recv_multipart()
    data = json.loads(body)
    reply = json.dumps({"message": data["message"]}).encode()
    socket.send_multipart([client, empty, name, reply])
