"""A worker that counts the words and letters of a text. It needs only pyzmq.

    python3 worker.py tcp://127.0.0.1:5556

Start any number of workers. The router sends each worker one request at a time.
"""

import json
import os
import sys

import zmq

socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1])
print("ready", flush=True)
while True:
    address, empty, event, data, *_ = socket.recv_multipart()
    text = json.loads(data)["text"]
    reply = {"words": len(text.split()), "letters": len(text), "worker": os.getpid()}
    socket.send_multipart([address, empty, event, json.dumps(reply).encode()])
