"""A classic router: ROUTER in front, DEALER behind, libzmq's proxy between them. Blind round robin."""

import zmq

context = zmq.Context()
frontend = context.socket(zmq.ROUTER)
backend = context.socket(zmq.DEALER)
frontend.bind("tcp://127.0.0.1:*")
backend.bind("tcp://127.0.0.1:*")
endpoints = [s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (frontend, backend)]
print('ready {"frontend":"%s","backend":"%s"}' % tuple(endpoints), flush=True)
zmq.proxy(frontend, backend)
