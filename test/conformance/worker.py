"""The worker of the conformance suite, on workers/python/zeromq_gateway.py. worker.ts is the same in TypeScript."""

import math
import os
import sys
from dataclasses import dataclass
from typing import Annotated

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../workers/python"))

from zeromq_gateway import Context, Reply, ReplyError, Worker

worker = Worker("conformance", concurrency=2)


@dataclass
class Numbers:
    a: Annotated[float, {"minimum": 0}]
    b: float


@dataclass
class Sum:
    sum: float


@worker.event("math.add", method="POST", path="/sums")
def add(numbers: Numbers) -> Sum:
    """Add two numbers"""
    return Sum(numbers.a + numbers.b)


@dataclass
class ItemId:
    id: int


@worker.event("item.get", method="GET", path="/items/{id}", errors={404: "There is no such item."})
def get_item(item: ItemId):
    """Read an item"""
    if item.id == 0:
        raise ReplyError(404, "ITEM_NOT_FOUND", "there is no item 0", {"id": 0}, {"X-Item": "0"})
    return Reply({"id": item.id}, 201, {"location": f"/items/{item.id}"})


@worker.event("wait.until", idempotent=False)
def wait(seconds: float, context: Context) -> float:
    # One write: print writes the end of the line separately, and threads print at the same time.
    sys.stdout.write("started\n")
    sys.stdout.flush()
    if context.wait(seconds):
        when = "at the deadline" if context.time_left() < 1 else "cancelled"
        print(f"given up: {when}", flush=True)
        context.check()
    return seconds


@worker.event("request.describe")
def describe(data, context: Context):
    left = context.time_left()
    return {"data": data, "id": context.request_id, "limited": left < math.inf}


@worker.event("fail.now")
def fail():
    raise RuntimeError("a secret of the handler")


@worker.event("fail.reply")
def fail_reply():
    return {"value": math.nan, "set": {1}}


if __name__ == "__main__":
    worker.main()
