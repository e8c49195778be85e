"""A worker of one version of a contract. Arguments: address of a backend, version, and its weight if it has one."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../workers/python"))

from zeromq_gateway import Worker

router, version, *weight = sys.argv[1:]
worker = Worker(
    "prices",
    version=version,
    weight=float(weight[0]) if weight else None,
    version_header="X-Version",
)


@worker.event("price.get", method="GET", path="/price")
def price() -> str:
    """Read the price"""
    return version


worker.run(router)
