"""Type hints and their JSON Schema in workers/python/zeromq_gateway.py. Exits with an error if a check fails."""

import enum
import os
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, Dict, List, Literal, Optional

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../workers/python"))

import zeromq_gateway as helper


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Part:
    x: int
    colour: Colour = Colour.RED
    tags: List[str] = field(default_factory=list)
    size: Optional[float] = None


@dataclass
class Loop:
    next: "Optional[Loop]" = None


def expect(error, function, *arguments, text=""):
    try:
        function(*arguments)
    except error as raised:
        assert text in str(raised), (text, str(raised))
        return raised
    raise AssertionError(f"{arguments} did not raise {error.__name__}")


SCHEMA = helper.schema_of(Part)
assert SCHEMA == {
    "type": "object",
    "properties": {
        "x": {"type": "integer"},
        "colour": {"enum": ["red", "blue"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "additionalProperties": False,
    "required": ["x"],
}, SCHEMA
assert helper.schema_of(Dict[str, Annotated[int, {"minimum": 1}]]) == {
    "type": "object",
    "additionalProperties": {"type": "integer", "minimum": 1},
}
assert helper.schema_of(Literal["a", 1]) == {"enum": ["a", 1]}
assert helper.schema_of(Any) == {}
expect(TypeError, helper.schema_of, bytes, text="no JSON Schema")
expect(TypeError, helper.schema_of, Loop, text="contains itself")

part = helper.convert(Part, {"x": 1.0, "colour": "blue", "size": 2})
assert part == Part(1, Colour.BLUE, [], 2.0) and type(part.x) is int and type(part.size) is float, part
for value, pointer in [
    ([], ""),
    ({}, "/x"),
    ({"x": True}, "/x"),
    ({"x": 1.5}, "/x"),
    ({"x": 1, "colour": "green"}, "/colour"),
    ({"x": 1, "tags": ["a", 1]}, "/tags/1"),
    ({"x": 1, "size": "1"}, "/size"),
    ({"x": 1, "q/~": 1}, "/q~1~0"),
]:
    assert expect(helper.Invalid, helper.check, SCHEMA, value).pointer == pointer, value
for schema, value in [
    ({"minimum": 2}, 1),
    ({"exclusiveMaximum": 2}, 2),
    ({"minLength": 2}, "a"),
    ({"pattern": "^a$"}, "b"),
    ({"maxItems": 1}, [1, 2]),
    ({"const": 1}, True),
    ({"allOf": [{}, {"type": "null"}]}, 0),
]:
    expect(helper.Invalid, helper.check, schema, value)

worker = helper.Worker("types")


@worker.event("part.loose", data={"type": "object"})
def loose(data: Part):
    return data.x


context = helper.Context("part.loose", {})
assert worker._events["part.loose"].run({"x": 3}, context) == 3
for value in [{"y": 1}, {"x": "1"}]:
    error = expect(helper.ReplyError, worker._events["part.loose"].run, value, context)
    assert (error.status, error.code) == (400, "INVALID_REQUEST")
expect(ValueError, worker.event, "$reserved", text="$")
expect(ValueError, worker.event, "part.loose", text="already")


def by_id(data: Part):
    return None


async def later():
    return None


expect(TypeError, worker.event("a", method="GET", path="/a/{id}"), by_id, text="no field id")
expect(TypeError, worker.event("b"), later, text="async")
expect(ValueError, helper.ReplyError, 200, "X", "text")
assert helper.Context("e", {"ttl": 0}).time_left() == helper.math.inf
assert helper.Context("e", {"ttl": 1000}).time_left() <= 1
# Routes that no request could match are rejected where they are written, as in TypeScript.
worker = helper.Worker("things")
for path, text in {
    "/things/:id": ":id is not a parameter (did you mean {id}?)",
    "/things/<int:id>": "<int:id> is not a parameter (did you mean {id}?)",
    "/things/[id]": "[id] is not a parameter (did you mean {id}?)",
    "/things/${id}": "${id} is not a parameter (did you mean {id}?)",
    "/things/{{id}}": "{{id}} is not a parameter (did you mean {id}?)",
    "/things/{id": "{id is not a parameter (did you mean {id}?)",
    "/things/{id:int}": "{id:int} is not a parameter (did you mean {id}?)",
    "/things/*": "a path has no wildcards, got *",
    "/things?full=1": "a path must not contain a query",
    "things": "a path must start with a slash (did you mean /things?)",
    "/things/{id}/{id}": "has a parameter twice",
}.items():
    expect(ValueError, lambda path: worker.event("things.get", method="GET", path=path), path, text=text)
expect(
    ValueError,
    lambda: worker.event("things.get", method="GTE", path="/things"),
    text="the method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, got GTE (did you mean GET?)",
)


def move(data: Part) -> None:
    """Moves a part."""


expect(
    TypeError,
    lambda: worker.event("parts.move", method="PUT", path="/parts/{colur}")(move),
    text="the data has no field colur, which the path /parts/{colur} names (did you mean {colour}?)",
)
worker.event("parts.move", method="PUT", path="/parts/{x}:move")(move)

picture = {"contentType": "image/png", "size": 2, "content": "AP8=", "filename": "a.png"}
Limited = Annotated[helper.File, {"maxLength": 2}]
helper.check(helper.schema_of(Limited), picture)
assert helper.convert(Limited, picture) == helper.File(b"\x00\xff", "image/png", "a.png")
assert helper.convert(List[helper.File], [picture, picture])[1].content == b"\x00\xff"
for value, text in [
    ({**picture, "content": "AP8AAA=="}, "must have at most 2 bytes"),
    ({**picture, "content": "?"}, "content must be base64"),
    ({"content": "AP8="}, "must be a file: an object with contentType, and content in base64"),
]:
    expect(helper.Invalid, lambda value: helper.check(helper.schema_of(Limited), value), value, text=text)
expect(helper.Invalid, lambda: helper.convert(helper.File, "AP8="), text="must be a file")

for options, text in [
    ({"version": "two point one"}, "version must be 1 to 64 letters, digits"),
    ({"weight": 5}, "weight requires version"),
    ({"version": "2.0.0", "weight": 101}, "weight must be 0 to 100, got 101"),
]:
    expect(ValueError, lambda options: helper.Worker("parts", **options), options, text=text)

print("passed")
