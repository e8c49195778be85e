#!/usr/bin/env python3
"""Stock levels: a worker in Python with zeromq_gateway.py. It announces its REST routes itself.

    pip install -r requirements.txt
    python inventory.py --router tcp://127.0.0.1:5556 --heartbeat tcp://127.0.0.1:5557

Stock levels are stored in inventory.sqlite, in the folder given by ZMQ_GATEWAY_DATA (default: data).
inventory_classic.py does the same without zeromq_gateway.py, for routers of either kind.
"""

import os
import sqlite3
import sys
from dataclasses import dataclass
from typing import Annotated, List, Optional

from zeromq_gateway import File, Reply, ReplyError, Worker

worker = Worker("inventory", description="Stock levels, kept by a worker in Python.")

Sku = Annotated[str, {"minLength": 1, "maxLength": 64, "description": "Stock keeping unit."}]


@dataclass
class Filter:
    below: Annotated[Optional[int], {"minimum": 0, "description": "Only items with less than this in stock."}] = None


@dataclass
class ItemId:
    sku: Sku


@dataclass
class Adjustment:
    sku: Sku
    by: Annotated[
        int, {"minimum": -1_000_000, "maximum": 1_000_000, "description": "What to add; negative to take away."}
    ]


@dataclass
class Item:
    sku: str
    quantity: int


@dataclass
class Items:
    items: List[Item]


@dataclass
class NewPhoto:
    sku: Sku
    photo: Annotated[File, {"maxLength": 500_000, "description": "A picture of at most 500,000 bytes."}]


@dataclass
class Photo:
    filename: Optional[str]
    contentType: str
    bytes: int


NOT_FOUND = {404: "There is no such item."}


@worker.event("inventory.list", method="GET", path="/inventory", tags=["inventory"])
def list_items(only: Filter) -> Items:
    """List items"""
    limit = 2**53 if only.below is None else only.below
    rows = stock.execute("SELECT sku, quantity FROM stock WHERE quantity < ? ORDER BY sku", (limit,))
    return Items([Item(*row) for row in rows])


@worker.event("inventory.get", method="GET", path="/inventory/{sku}", tags=["inventory"], errors=NOT_FOUND)
def get_item(item: ItemId) -> Item:
    """Read one item"""
    row = stock.execute("SELECT sku, quantity FROM stock WHERE sku = ?", (item.sku,)).fetchone()
    if row is None:
        raise ReplyError(404, "ITEM_NOT_FOUND", f"no item {item.sku}")
    return Item(*row)


@worker.event(
    "inventory.adjust",
    method="POST",
    path="/inventory/{sku}/adjustments",
    tags=["inventory"],
    errors={**NOT_FOUND, 409: "There is not enough in stock."},
)
def adjust_item(adjustment: Adjustment) -> Item:
    """Add to the stock of an item, or take from it

    Stock never falls below zero, even if several workers share it.
    """
    changed = stock.execute(
        "UPDATE stock SET quantity = quantity + :by WHERE sku = :sku AND quantity + :by >= 0",
        {"sku": adjustment.sku, "by": adjustment.by},
    )
    item = get_item(ItemId(adjustment.sku))
    if changed.rowcount == 0:
        raise ReplyError(409, "OUT_OF_STOCK", f"only {item.quantity} of {item.sku} in stock")
    return item


@worker.event(
    "inventory.photo.put",
    method="PUT",
    path="/inventory/{sku}/photo",
    tags=["inventory"],
    errors={**NOT_FOUND, 415: "The file is not a picture."},
)
def put_photo(new: NewPhoto) -> Photo:
    """Upload a photo of an item"""
    get_item(ItemId(new.sku))
    photo = new.photo
    if not photo.content_type.startswith("image/"):
        raise ReplyError(415, "NOT_A_PICTURE", f"a photo is an image, got {photo.content_type}")
    stock.execute("REPLACE INTO photo VALUES (?, ?, ?)", (new.sku, photo.content_type, photo.content))
    return Photo(photo.filename, photo.content_type, len(photo.content))


@worker.event(
    "inventory.photo.get",
    method="GET",
    path="/inventory/{sku}/photo",
    tags=["inventory"],
    errors=NOT_FOUND,
    produces="image/*",
)
def get_photo(item: ItemId) -> Reply:
    """Download the photo of an item"""
    row = stock.execute("SELECT type, content FROM photo WHERE sku = ?", (item.sku,)).fetchone()
    if row is None:
        raise ReplyError(404, "PHOTO_NOT_FOUND", f"{item.sku} has no photo")
    return Reply(row[1], content_type=row[0])


def open_stock() -> sqlite3.Connection:
    folder = os.environ.get("ZMQ_GATEWAY_DATA", "data")
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"[Errno 13] Permission denied: {folder!r}")
    except OSError as error:
        sys.exit(f"cannot store data: {error}; set ZMQ_GATEWAY_DATA to a folder that can be written")
    # The handler runs in a thread of its own; the worker runs one request at a time.
    database = sqlite3.connect(
        os.path.join(folder, "inventory.sqlite"), isolation_level=None, check_same_thread=False
    )
    database.execute("CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL)")
    database.execute("CREATE TABLE IF NOT EXISTS photo (sku TEXT PRIMARY KEY, type TEXT NOT NULL, content BLOB NOT NULL)")
    items = [("bolt-m6", 1200), ("nut-m6", 950), ("washer-6", 40)]
    database.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", items)
    return database


if __name__ == "__main__":
    stock = open_stock()
    worker.main()
