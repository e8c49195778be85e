"""Write workers for zeromq-gateway in Python. One file; it needs pyzmq and nothing else.

    from dataclasses import dataclass
    from zeromq_gateway import Worker

    worker = Worker("math")

    @dataclass
    class Numbers:
        a: float
        b: float

    @worker.event("math.add", method="POST", path="/sums")
    def add(numbers: Numbers) -> float:
        "Add two numbers"
        return numbers.a + numbers.b

    if __name__ == "__main__":
        worker.main()

    python math_worker.py --router tcp://127.0.0.1:5556

The worker announces its events and an OpenAPI document to the router. Gateways serve the routes and
show them in Swagger UI. Requires Python 3.9 and pyzmq 24. All durations are seconds.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import difflib
import enum
import inspect
import json
import logging
import math
import os
import queue
import re
import secrets
import signal
import socket
import sys
import threading
import time
import types
import typing
import uuid
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union

import zmq
import zmq.auth
from zmq.utils.monitor import recv_monitor_message

__all__ = ["Cancelled", "Context", "Reply", "ReplyError", "Worker", "schema_of"]

log = logging.getLogger("zeromq_gateway")

Schema = Mapping[str, Any]

MAX_REPLY_BYTES = 16 * 1024 * 1024  # the default limit of a message at routers and gateways
MAX_METADATA_BYTES = 65_535
MAX_EVENT_NAME_BYTES = 1024
GOODBYE_WAIT = 1.0  # how long a router may take to answer `$bye`
ASK_AGAIN = (1.0, 30.0)  # first and longest wait after `$refused`


# -- What handlers use ------------------------------------------------------------------------------


class ReplyError(Exception):
    """An error for the caller, raised by a handler.

    status: HTTP status, 400 to 599.
    code: name of the error for programs, such as "NOT_FOUND": printable ASCII, at most 255 characters.
    message: text for people.
    details: any JSON value, for programs. Default: none.
    headers: HTTP headers of the reply. Default: none.

    Raises ValueError if the status or the code is not allowed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Any = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(message)
        if not 400 <= status <= 599:
            raise ValueError(f"the status of a ReplyError must be 400 to 599, got {status}")
        if not re.fullmatch(r"[\x20-\x7e]{1,255}", code):
            raise ValueError(f"the code of a ReplyError must be 1 to 255 printable ASCII characters, got {code!r}")
        self.status, self.code, self.details, self.headers = status, code, details, headers


@dataclasses.dataclass(frozen=True)
class Reply:
    """A reply with a status, headers or a media type, returned by a handler.

    data: any JSON value; with `content_type`, also bytes or text, which are sent unchanged.
    status: HTTP status, 200 to 599. Default: 200.
    headers: HTTP headers. Default: none.
    content_type: media type of the body. Default: JSON.
    """

    data: Any = None
    status: int = 200
    headers: Optional[Mapping[str, str]] = None
    content_type: str = ""


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a form: a field with this type makes the body `multipart/form-data`.

    `Annotated[File, {"maxLength": 1_000_000}]` limits its bytes, `list[File]` takes several.

    content: its bytes.
    content_type: media type without parameters, in lower case.
    filename: its name, without folders; None if the client sent none.
    """

    content: bytes
    content_type: str
    filename: Optional[str] = None


class Cancelled(Exception):
    """Raised by `Context.check` when the reply is no longer needed."""


class Context:
    """One request, as its handler sees it. The second argument of a handler that takes two."""

    def __init__(self, event_name: str, metadata: Mapping[str, Any]) -> None:
        extras = metadata.get("ext")
        extras = extras if isinstance(extras, dict) else {}
        ttl = metadata.get("ttl")
        #: Name of the event.
        self.event_name = event_name
        #: Id of the request for logs; empty if the caller set none.
        self.request_id = str(metadata.get("id", ""))
        #: The caller that the gateway authenticated, or None.
        self.caller: Optional[Mapping[str, Any]] = extras.get("caller")
        #: W3C trace context of the caller, or None.
        self.traceparent: Optional[str] = extras.get("traceparent")
        known = isinstance(ttl, (int, float)) and not isinstance(ttl, bool) and ttl > 0
        self._deadline = time.monotonic() + ttl / 1000 if known else math.inf
        self._reason: Optional[str] = None
        self._event = threading.Event()

    @property
    def reason(self) -> Optional[str]:
        """Why the reply is no longer needed, or None while it is.

        "cancelled": the caller cancelled or disconnected. "expired": the deadline passed. "lost": the
        connection to the router was lost. "stopped": a node stops.
        """
        if self._reason is None and self.time_left() == 0:
            return "expired"
        return self._reason

    @property
    def cancelled(self) -> bool:
        """Whether the reply is no longer needed. Long handlers should look regularly, and return."""
        return self.reason is not None

    def time_left(self) -> float:
        """Returns the seconds until the deadline; `math.inf` if the caller set none."""
        return max(0.0, self._deadline - time.monotonic())

    def wait(self, seconds: float) -> bool:
        """Sleeps, and returns early with True when the reply is no longer needed."""
        self._event.wait(min(seconds, self.time_left(), threading.TIMEOUT_MAX))
        return self.cancelled

    def check(self) -> None:
        """Raises Cancelled if the reply is no longer needed."""
        if self.cancelled:
            raise Cancelled(self.reason)

    def _cancel(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._event.set()


# -- JSON Schema: from type hints, and the checks that do not rely on the gateway ---------------------


class Invalid(ValueError):
    """Data that does not have the form that a handler expects."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'the event data'} {message}")
        self.pointer, self.message = path, message


# How OpenAPI 3.1 (4.8.14) describes a file of a form. Its value in event data is an object.
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}

_BASIC = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", dict: "object", list: "array"}


def schema_of(hint: Any) -> dict[str, Any]:
    """Returns the JSON Schema of a type hint.

    Supported: str, int, float, bool, None, Any, list[T], dict[str, T], Optional, Union, Literal, Enum
    classes, dataclasses, File, and `Annotated[T, {...}]`, whose dict adds keywords such as `minimum`,
    `maxLength`, `pattern` or `description`. A dataclass allows no other members than its fields.

    Raises TypeError for any other hint; give the event a JSON Schema instead (`data=`, `reply=`).
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is inspect.Parameter.empty:
        return {}
    if isinstance(hint, type) and hint in _BASIC:
        return {"type": _BASIC[hint]}
    if hint is File:
        return dict(_FILE)
    if origin is typing.Annotated:
        keywords = {key: value for extra in arguments[1:] if isinstance(extra, dict) for key, value in extra.items()}
        return {**schema_of(arguments[0]), **keywords}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if _is_union(origin):
        return {"anyOf": [schema_of(one) for one in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if dataclasses.is_dataclass(hint):
        return _schema_of_dataclass(hint)
    raise TypeError(f"the type {hint!r} has no JSON Schema; give the event a schema (data=, reply=)")


def _schema_of_dataclass(hint: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(hint, include_extras=True)
    properties, required = {}, []
    for field in dataclasses.fields(hint):
        try:
            properties[field.name] = schema_of(hints[field.name])
        except RecursionError:
            raise TypeError(f"{hint.__name__} contains itself; give the event a schema (data=, reply=)") from None
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
        elif isinstance(field.default, (str, int, float, bool)) and not isinstance(field.default, enum.Enum):
            properties[field.name]["default"] = field.default
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _is_union(origin: Any) -> bool:
    return origin is Union or origin is getattr(types, "UnionType", Union)


def check(schema: Any, value: Any, path: str = "") -> None:
    """Raises Invalid if a value breaks a schema.

    It covers the keywords below and ignores others, such as `$ref` and `format`. The gateway checks
    all keywords; this check is for callers that reach the worker without a gateway.
    """
    if not isinstance(schema, Mapping):
        return
    if isinstance(value, Mapping) and _is_file(schema):
        return _check_file(schema, value, path)
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if allowed and not any(_has_type(name, value) for name in allowed):
        raise Invalid(path, f"must be {' or '.join(allowed)}, got {_name_of(value)}")
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        raise Invalid(path, f"must be one of {json.dumps(schema['enum'], default=str)}")
    if "const" in schema and not _same(value, schema["const"]):
        raise Invalid(path, f"must be {json.dumps(schema['const'], default=str)}")
    for part in schema.get("allOf", []):
        check(part, value, path)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            _check_any(schema[keyword], value, path)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(schema, value, path)
    elif isinstance(value, str):
        _check_size(schema, len(value), path, "Length", "characters")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            raise Invalid(path, f"must match {schema['pattern']}")
    elif isinstance(value, list):
        _check_size(schema, len(value), path, "Items", "items")
        for index, item in enumerate(value):
            check(schema.get("items"), item, f"{path}/{index}")
    elif isinstance(value, dict):
        _check_object(schema, value, path)


def _is_file(schema: Any) -> bool:
    """Whether a schema is that of a file, or of a list of files."""
    if not isinstance(schema, Mapping):
        return False
    if _is_file(schema.get("items")):
        return True
    return any(map(_is_file, schema.get("anyOf", []))) or all(schema.get(key) == _FILE[key] for key in _FILE)


def _check_file(schema: Schema, value: Mapping[str, Any], path: str) -> None:
    content = value.get("content")
    if not isinstance(content, str) or not isinstance(value.get("contentType"), str):
        raise Invalid(path, "must be a file: an object with contentType, and content in base64")
    try:
        size = len(base64.b64decode(content, validate=True))
    except ValueError:
        raise Invalid(_join(path, "content"), "must be base64") from None
    _check_size(schema, size, path, "Length", "bytes")


def _check_object(schema: Schema, value: Mapping[str, Any], path: str) -> None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", []):
        if name not in value:
            raise Invalid(_join(path, name), "is missing")
    for name, member in value.items():
        if name in properties:
            check(properties[name], member, _join(path, name))
        elif others is False:
            raise Invalid(_join(path, name), "is not allowed")
        else:
            check(others, member, _join(path, name))


def _check_any(schemas: Iterable[Any], value: Any, path: str) -> None:
    faults = []
    for one in schemas:
        try:
            return check(one, value, path)
        except Invalid as fault:
            faults.append(fault)
    raise max(faults, key=lambda fault: len(fault.pointer))


def _check_number(schema: Schema, value: float, path: str) -> None:
    for keyword, breaks, text in (
        ("minimum", lambda limit: value < limit, "at least"),
        ("maximum", lambda limit: value > limit, "at most"),
        ("exclusiveMinimum", lambda limit: value <= limit, "more than"),
        ("exclusiveMaximum", lambda limit: value >= limit, "less than"),
    ):
        if keyword in schema and breaks(schema[keyword]):
            raise Invalid(path, f"must be {text} {schema[keyword]}")


def _check_size(schema: Schema, size: int, path: str, what: str, unit: str) -> None:
    if size < schema.get(f"min{what}", 0):
        raise Invalid(path, f"must have at least {schema[f'min{what}']} {unit}")
    if size > schema.get(f"max{what}", math.inf):
        raise Invalid(path, f"must have at most {schema[f'max{what}']} {unit}")


def _has_type(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if name == "number":
        return isinstance(value, (int, float))
    return _name_of(value) == name


def _name_of(value: Any) -> str:
    return _BASIC.get(type(value), type(value).__name__)


def _same(value: Any, other: Any) -> bool:
    """Whether two JSON values are equal; in Python, 1 equals True."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _join(path: str, name: str) -> str:
    """The JSON Pointer (RFC 6901) of a member."""
    return path + "/" + name.replace("~", "~0").replace("/", "~1")


def convert(hint: Any, value: Any, path: str = "") -> Any:
    """Returns a checked JSON value as the type that a hint names: dataclasses, Enum members, int, float."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return convert(arguments[0], value, path)
    if hint is File:
        if not isinstance(value, Mapping):
            raise Invalid(path, "must be a file: an object with contentType, and content in base64")
        return File(base64.b64decode(value["content"]), value["contentType"], value.get("filename"))
    if hint in (int, float):
        try:
            return hint(value)
        except OverflowError as error:
            raise Invalid(path, "is too large") from error
    if origin is list:
        return [convert(arguments[0], one, f"{path}/{index}") for index, one in enumerate(value)]
    if origin is dict:
        return {name: convert(arguments[1], one, _join(path, name)) for name, one in value.items()}
    if _is_union(origin):
        return _convert_union(arguments, value, path)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        members = {name: convert(hints[name], one, _join(path, name)) for name, one in value.items()}
        try:
            return hint(**members)
        except (TypeError, ValueError) as error:  # raised by __post_init__
            raise Invalid(path, f"is not valid: {error}") from error
    return value


def _convert_union(hints: Sequence[Any], value: Any, path: str) -> Any:
    for hint in hints:
        try:
            check(schema_of(hint), value, path)
        except Invalid:
            continue
        return convert(hint, value, path)
    return value


# -- Events and their OpenAPI document ----------------------------------------------------------------


class _Event:
    """An event: its handler, the checks of its data, and its operation in the document."""

    def __init__(self, handler: Callable[..., Any], name: str, data: Optional[Schema], reply: Optional[Schema]) -> None:
        if inspect.iscoroutinefunction(handler):
            raise TypeError(f"the handler of {name} is async; handlers are plain functions, which run in threads")
        hints = typing.get_type_hints(handler, include_extras=True)
        parameters = list(inspect.signature(handler).parameters.values())
        self.handler, self.arguments = handler, min(len(parameters), 2)
        self.hint = hints.get(parameters[0].name, Any) if parameters else Any
        self.schema = dict(data) if data is not None else schema_of(self.hint)
        self.checks = [self.schema]
        if data is not None:
            try:
                self.checks.append(schema_of(self.hint))  # the schema may allow what the type does not
            except TypeError:
                self.hint = Any
        returned = hints.get("return", Any)
        self.reply = dict(reply) if reply is not None else schema_of(Any if returned is Reply else returned)

    def run(self, data: Any, context: Context) -> Any:
        try:
            for schema in self.checks:
                check(schema, data)
            data = convert(self.hint, data)
        except Invalid as invalid:
            details = {"errors": [{"pointer": invalid.pointer, "message": invalid.message}]}
            raise ReplyError(400, "INVALID_REQUEST", f"the event data breaks the contract: {invalid}", details) from invalid
        except RecursionError as error:
            raise ReplyError(400, "INVALID_REQUEST", "the event data is nested too deeply") from error
        return self.handler(*(data, context)[: self.arguments])


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Parameters as other frameworks write them; in OpenAPI they are text, and no request would match.
_FOREIGN = [
    re.compile(pattern)
    for pattern in (
        r":([\w-]+)(?:\(.*\))?[?*+]?",
        r"<(?:[^<>:]*:)?([\w-]+)>",
        r"\[{1,2}(?:\.{3})?([\w-]+)\]{1,2}",
        r"\$?\{+ *([\w-]+)(?:(?::.*|[?*+])\}| *\}{2,}|)",
        r"\$\{([\w-]+)\}",
        r"([\w-]+)\}",
    )
]


def _check_route(name: str, method: str, path: str) -> None:
    """Raises ValueError for a route that routers refuse, with what was probably meant."""
    if method not in _METHODS:
        close = difflib.get_close_matches(method, _METHODS, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"{name}: the method must be one of {', '.join(_METHODS)}, got {method}{hint}")
    if not path.startswith("/"):
        raise ValueError(f"{name}: a path must start with a slash (did you mean /{path}?)")
    for segment in path[1:].split("/"):
        meant = [match.group(1) for match in (pattern.fullmatch(segment) for pattern in _FOREIGN) if match]
        if meant:
            raise ValueError(f"{name}: {segment} is not a parameter (did you mean {{{meant[0]}}}?)")
        if re.fullmatch(r"\*{1,2}[\w-]*", segment):
            raise ValueError(f"{name}: a path has no wildcards, got {segment}; name a parameter, such as {{name}}")
    if re.search(r"[?#\s]", path):
        raise ValueError(f"{name}: a path must not contain a query, a fragment or white space, got {path}")
    names = re.findall(r"{([^{}]+)}", path)
    if len(set(names)) < len(names):
        raise ValueError(f"{name}: the path {path} has a parameter twice; give each one a name of its own")


def _operation(
    event: _Event, name: str, method: str, path: str, status: int, errors: Mapping[int, str], produces: str
) -> dict[str, Any]:
    """The OpenAPI operation of an event: path parameters, and query or body for the other fields."""
    in_path = re.findall(r"{([^{}]+)}", path)
    fields = dict(event.schema.get("properties", {}))
    required = set(event.schema.get("required", []))
    if event.schema and event.schema.get("type") != "object":
        raise TypeError(f"{name}: the data of an event with a path must be an object, such as a dataclass")
    for field in in_path:
        if event.schema and field not in fields:
            close = difflib.get_close_matches(field, fields, 1)
            hint = f" (did you mean {{{close[0]}}}?)" if close else ""
            raise TypeError(f"{name}: the data has no field {field}, which the path {path} names{hint}")
    in_query = [field for field in fields if field not in in_path] if method in ("GET", "HEAD", "DELETE", "OPTIONS") else []
    parameters = [_parameter(field, "path", fields.get(field, {"type": "string"}), True) for field in in_path]
    parameters += [_parameter(field, "query", fields[field], field in required) for field in in_query]
    operation: dict[str, Any] = {"x-event-name": name}
    if parameters:
        operation["parameters"] = parameters
    elsewhere = {*in_path, *in_query}
    if event.schema and method not in ("GET", "HEAD", "DELETE", "OPTIONS") and not (fields and elsewhere >= set(fields)):
        body = {**event.schema, "properties": {field: fields[field] for field in fields if field not in elsewhere}}
        body["required"] = sorted(required - elsewhere)
        if not body["required"]:
            del body["required"]
        media_type = "multipart/form-data" if any(map(_is_file, body["properties"].values())) else "application/json"
        operation["requestBody"] = {"required": "required" in body, "content": {media_type: {"schema": body}}}
    success: dict[str, Any] = {"description": "Success"}
    if status not in (204, 205):
        success["content"] = {produces: {"schema": event.reply} if produces == "application/json" else {}}
    problem = {"application/problem+json": {"schema": {"type": "object"}}}
    failures = {str(one): {"description": text, "content": problem} for one, text in errors.items()}
    return {**operation, "responses": {str(status): success, **failures}}


def _parameter(name: str, place: str, schema: Schema, required: bool) -> dict[str, Any]:
    """A parameter. Text cannot be null, so an optional field is one that may be absent."""
    others = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(others) == 1:
        schema = {**others[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
    return {"name": name, "in": place, "required": required, "schema": dict(schema)}


# -- The worker ----------------------------------------------------------------------------------------


class _Request:
    def __init__(self, link: _Link, envelope: list[bytes], name: bytes, body: bytes, metadata: Optional[Mapping[str, Any]]):
        self.link, self.envelope, self.name, self.body = link, envelope, name, body
        self.native = metadata is not None
        self.context = Context(name.decode(), metadata or {})


class Worker:
    """A worker: announces its events to routers, and runs a handler for each request.

    name: name of the contract. Workers with the same name must announce the same contract.
    version: version of the contract. Workers of several versions can serve side by side if their
        contracts are compatible. Default: none; the document says "1.0.0".
    weight: share of the requests that workers of this version receive, in percent, from 0 to 100.
        Default: none; requests are split only if another version has a weight. Requires `version`.
    version_header: request header with which HTTP callers choose a version, such as "X-Version".
        Default: none; callers cannot choose.
    description: text for the document. Default: none.
    concurrency: how many requests run at a time, each in a thread of its own. Default: 1. With more,
        handlers must be thread-safe. With several routers, each may send this many; the others wait.
    node_id: name of this worker in logs and `zeromq-gateway ps`. Default: random. Must be unique.
    """

    def __init__(
        self,
        name: str,
        *,
        version: Optional[str] = None,
        weight: Optional[float] = None,
        version_header: Optional[str] = None,
        description: str = "",
        concurrency: int = 1,
        node_id: Optional[str] = None,
    ) -> None:
        if not 1 <= concurrency <= 1_000_000:
            raise ValueError(f"concurrency must be 1 to 1,000,000, got {concurrency}")
        if version is not None and not re.fullmatch(r"[\w.+-]{1,64}", version, re.ASCII):
            raise ValueError(f"version must be 1 to 64 letters, digits, dots, plus signs, hyphens or underscores, got {version!r}")
        if weight is not None and version is None:
            raise ValueError("weight requires version")
        if weight is not None and not 0 <= weight <= 100:
            raise ValueError(f"weight must be 0 to 100, got {weight}")
        self.name, self.concurrency = name, concurrency
        self._version_header = version_header
        self._release = {key: value for key, value in (("version", version), ("weight", weight)) if value is not None}
        info = {"title": name, "version": version or "1.0.0"}
        self._document: dict[str, Any] = {"openapi": "3.1.0", "info": info, "paths": {}}
        if description:
            info["description"] = description
        self._events: dict[str, _Event] = {}
        self._node_id, self._session_id = node_id or uuid.uuid4().hex, secrets.token_hex(8)
        self._identity = f"{self._node_id}_{self._session_id}"
        self._jobs: queue.SimpleQueue[Optional[_Request]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[_Request, list[bytes]]] = queue.SimpleQueue()
        self._wake_end, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._wake_end.setblocking(False)
        self._stopping = False
        self._links: list[_Link] = []

    @property
    def document(self) -> Mapping[str, Any]:
        """The OpenAPI document that the worker announces."""
        return self._document

    def event(
        self,
        name: str,
        *,
        method: Optional[str] = None,
        path: Optional[str] = None,
        data: Optional[Schema] = None,
        reply: Optional[Schema] = None,
        status: int = 200,
        errors: Optional[Mapping[int, str]] = None,
        produces: str = "application/json",
        idempotent: Optional[bool] = None,
        timeout: Optional[float] = None,
        tags: Sequence[str] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Makes the decorated function the handler of an event.

        The function takes the data, or the data and a `Context`, or nothing. Its type hints define the
        data and the reply. Its docstring is the summary and the description of the route.

        name: event name, 1 to 1,024 bytes; it must not begin with `$`.
        method, path: the HTTP route, such as "POST", "/sums/{id}". Fields named in the path come from
            there, the others from the query (GET, HEAD, DELETE) or the body. Default: no route; only
            event clients can call the event.
        data, reply: JSON Schemas. Default: from the type hints. With `data`, the handler gets the JSON
            value, unless its parameter has a type hint as well.
        status: HTTP status of success in the document. Return `Reply` to send another one than 200.
        errors: HTTP statuses of ReplyErrors with a description, for the document.
        produces: media type of the reply, or a range such as "image/*", for the document. With another
            one than JSON, return `Reply(data, content_type=...)`.
        idempotent: whether a request may run twice. If so, it is redispatched when a worker is lost.
            Default: for GET, HEAD, PUT, DELETE and OPTIONS.
        timeout: how long gateways wait for a reply, in seconds. Default: the gateway's.
        tags: groups in Swagger UI.

        Raises ValueError for a name or route that is taken or not allowed, TypeError for type hints
        without a JSON Schema and for data that does not fit the path.
        """
        if not 1 <= len(name.encode()) <= MAX_EVENT_NAME_BYTES or name.startswith("$"):
            raise ValueError(f"an event name has 1 to {MAX_EVENT_NAME_BYTES} bytes and does not begin with $, got {name!r}")
        if name in self._events:
            raise ValueError(f"the event {name} already has a handler")
        if (method is None) != (path is None):
            raise ValueError(f"{name}: method and path go together")
        if method is not None and path is not None:
            _check_route(name, method.upper(), path)

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            event = _Event(handler, name, data, reply)
            if method is not None and path is not None:
                verb = method.upper()
                operation = _operation(event, name, verb, path, status, errors or {}, produces)
                summary, _, rest = (inspect.getdoc(handler) or "").partition("\n")
                more = {
                    "summary": summary,
                    "description": rest.strip(),
                    "tags": list(tags),
                    "x-idempotent": idempotent,
                    "x-version-header": self._version_header,
                    "x-timeout-ms": None if timeout is None else math.ceil(timeout * 1000),
                }
                operation.update({key: value for key, value in more.items() if value not in ("", None, [])})
                item = self._document["paths"].setdefault(path, {})
                if verb.lower() in item:
                    raise ValueError(f"another event has the route {verb} {path}")
                item[verb.lower()] = operation
            self._events[name] = event
            return handler

        return register

    def run(
        self,
        router: Union[str, Sequence[str]],
        heartbeat: Union[str, Sequence[str], None] = None,
        *,
        curve_server_key: Optional[str] = None,
        curve_key: Optional[str] = None,
        heartbeat_interval: float = 10.0,
        drain_timeout: float = 10.0,
        signals: bool = True,
    ) -> bool:
        """Connects to routers and serves until SIGTERM, SIGINT or `stop()`; reconnects by itself.

        router: address of a router's backend, such as "tcp://127.0.0.1:5556", or a list of them.
        heartbeat: heartbeat address of the router, or a list. Default: no heartbeats.
        curve_server_key, curve_key: encrypt with CURVE. The public key of the router (40 characters, or
            a file), and the key file of this worker (`zeromq-gateway keygen`), which others must not be
            able to read. Default: no encryption.
        heartbeat_interval: seconds between heartbeats.
        drain_timeout: seconds that running requests have to finish once the worker stops.
        signals: whether SIGTERM and SIGINT stop the worker: at first it drains, a second signal ends
            the process. Only possible in the main thread.

        Returns True if all requests were answered, False if the drain timeout cut some off. A worker
        runs once. Raises ValueError or OSError for unusable keys, `zmq.ZMQError` for a bad address.
        """
        keys = _curve_keys(curve_server_key, curve_key)
        restore = self._catch_signals() if signals and threading.current_thread() is threading.main_thread() else {}
        context = zmq.Context()
        try:
            self._links = [_Link(self, context, endpoint, keys) for endpoint in _list_of(router)]
            beats = [_dealer(context, endpoint, keys, None) for endpoint in _list_of(heartbeat)]
            for number in range(self.concurrency):
                threading.Thread(target=self._serve, name=f"handler-{number}", daemon=True).start()
            return self._loop(beats, heartbeat_interval, drain_timeout)
        finally:
            for _ in range(self.concurrency):
                self._jobs.put(None)
            for link in self._links:
                link.socket.disable_monitor()
            context.destroy(linger=1000)  # milliseconds
            for number, handler in restore.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Makes `run` drain and return. Can be called from any thread, and more than once."""
        self._stopping = True
        self._wake_up()

    def main(self, arguments: Optional[Sequence[str]] = None) -> None:
        """Runs the worker with options from the command line and the environment, and exits.

        `--help` lists them. The exit code is 0 after a complete drain, otherwise 1.
        """
        parser = argparse.ArgumentParser(description=f"Serves {', '.join(self._events)}.")
        add, env = parser.add_argument, os.environ.get
        add("--router", action="append", help="backend of a router, once for each (default tcp://127.0.0.1:5556)")
        add("--heartbeat", action="append", help="heartbeat address of a router, such as tcp://127.0.0.1:5557")
        add("--concurrency", type=int, default=self.concurrency, help="requests at a time (default %(default)s)")
        add("--drain-timeout", type=float, default=10.0, help="seconds to finish requests on SIGTERM (default %(default)s)")
        add("--curve-server-key", default=env("ZMQ_GATEWAY_CURVE_SERVER_KEY"), help="public key of the router, or its file")
        add("--curve-key", default=env("ZMQ_GATEWAY_CURVE_KEY"), help="file with the keys of this worker")
        options = parser.parse_args(arguments)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
        self.concurrency = options.concurrency
        routers = options.router or ["tcp://127.0.0.1:5556"]
        try:
            _curve_keys(options.curve_server_key, options.curve_key)
            print(f"worker {self.name} is ready: router {', '.join(routers)}", flush=True)
            drained = self.run(
                routers,
                options.heartbeat,
                curve_server_key=options.curve_server_key,
                curve_key=options.curve_key,
                drain_timeout=options.drain_timeout,
            )
        except (OSError, ValueError, zmq.ZMQError) as error:
            raise SystemExit(f"error: {error}") from error
        raise SystemExit(0 if drained else 1)

    # -- The loop: the only thread that uses the sockets --

    def _loop(self, beats: Sequence[zmq.Socket[bytes]], interval: float, drain_timeout: float) -> bool:
        poller = zmq.Poller()
        poller.register(self._wake_end, zmq.POLLIN)
        for link in self._links:
            poller.register(link.socket, zmq.POLLIN)
            poller.register(link.monitor, zmq.POLLIN)
        next_beat, deadline = time.monotonic(), math.inf
        while True:
            now = time.monotonic()
            if self._stopping and deadline == math.inf:
                deadline = now + drain_timeout
                for link in self._links:
                    link.say_goodbye(now)
            if beats and now >= next_beat:
                next_beat = now + interval
                self._beat(beats, interval)
            held = any(link.held for link in self._links)
            if self._stopping and not held and all(link.excused(now) for link in self._links):
                return True
            if now >= deadline:
                for link in self._links:
                    link.cut_off()
                return not held
            for link in self._links:
                link.ask_again(now)
            due = min([deadline, next_beat if beats else math.inf, now + 0.5])
            ready = dict(poller.poll(max(0, math.ceil((due - now) * 1000))))
            self._drain_wake_ups()
            for link in self._links:
                if link.socket in ready:
                    link.receive()
                if link.monitor in ready:
                    link.watch()
            while not self._done.empty():
                request, frames = self._done.get()
                request.link.reply(request, frames)

    def _beat(self, beats: Iterable[zmq.Socket[bytes]], interval: float) -> None:
        beat = {"node_id": self._node_id, "session_id": self._session_id, "node_type": "worker", "missed_count": 0}
        beat.update(last_heartbeat=int(time.time() * 1000), interval=math.ceil(interval * 1000))
        for one in beats:
            try:
                one.send_multipart([b"", b"heartbeat", _json(beat)], zmq.NOBLOCK)
            except zmq.Again:
                pass  # the router cannot be reached; the next heartbeat says the same

    def _serve(self) -> None:
        """Runs requests in a thread of its own."""
        for request in iter(self._jobs.get, None):
            self._done.put((request, self._answer(request)))
            self._wake_up()

    def _answer(self, request: _Request) -> list[bytes]:
        context = request.context
        try:
            context.check()
            event = self._events.get(context.event_name)
            if event is None:
                raise ReplyError(501, "NO_HANDLER", f"this worker does not know the event {context.event_name}")
            return _success(request, event.run(_parse(request.body), context))
        except ReplyError as error:
            return _failure(request, error)
        except BaseException as error:  # also SystemExit: the thread must go on
            if context.cancelled:
                code = ("TIMEOUT", 504) if context.reason == "expired" else ("CANCELLED", 499)
                return _failure(request, ReplyError(code[1], code[0], "the handler gave up: its reply is not needed"))
            log.exception("a handler failed: event %s, request %s", context.event_name, context.request_id)
            return _failure(request, ReplyError(500, "HANDLER_ERROR", "the handler of the event failed"))

    def _hello(self, link: _Link) -> dict[str, Any]:
        hello: dict[str, Any] = {
            "v": 1,
            "pack": 0,
            "concurrency": self.concurrency,
            "events": list(self._events),
            "node": self._identity,
            "connection": link.connection,
        }
        if self._document["paths"]:
            hello["contract"] = {"name": self.name, "fragment": self._document, **self._release}
        if any(one.refused for one in self._links) and not any(one.accepted for one in self._links):
            hello["refused"] = True
        return hello

    def _catch_signals(self) -> dict[int, Any]:
        def stop(number: int, _frame: Any) -> None:
            if self._stopping:
                os._exit(128 + number)
            self.stop()

        return {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def _wake_up(self) -> None:
        try:
            self._wake.send(b"\0")
        except BlockingIOError:
            pass  # enough wake-ups wait to be read

    def _drain_wake_ups(self) -> None:
        try:
            self._wake_end.recv(4096)
        except BlockingIOError:
            pass


class _Link:
    """The connection to one router. Control messages: docs/protocol/control-messages.md."""

    def __init__(self, worker: Worker, context: zmq.Context[Any], endpoint: str, keys: Optional[tuple[bytes, ...]]) -> None:
        self.worker, self.endpoint = worker, endpoint
        self.held: list[_Request] = []
        self.connection = 0  # number of the connection; the router drops what an earlier one held
        self.accepted = self.refused = False
        self._wait, self._again = ASK_AGAIN[0], math.inf
        self._goodbye_until: Optional[float] = None
        # A routing id with this prefix tells the router to wait for the hello.
        self.socket = _dealer(context, None, keys, f"$hello.{worker._identity}")
        failures = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | failures)
        self.socket.connect(endpoint)

    def watch(self) -> None:
        """Says hello on each connection, and gives up the requests of a lost one."""
        event = recv_monitor_message(self.monitor)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.connection += 1
            self.say_hello()
        elif event == zmq.EVENT_DISCONNECTED:
            if self.accepted:
                log.warning("lost the router %s", self.endpoint)
            self.accepted = False
            self.give_up("lost")
        else:
            log.warning("the router %s rejected the keys of this worker", self.endpoint)

    def say_hello(self) -> None:
        self._again = math.inf
        if self._goodbye_until is None:
            self.control(b"$hello", self.worker._hello(self))

    def ask_again(self, now: float) -> None:
        if now >= self._again:
            self.say_hello()

    def say_goodbye(self, now: float) -> None:
        self._goodbye_until = now + GOODBYE_WAIT if self.accepted else now
        if self.accepted:
            self.control(b"$bye", {})

    def excused(self, now: float) -> bool:
        """Whether the router sends no more requests, or had its time to say so."""
        return self._goodbye_until is not None and now >= self._goodbye_until

    def cut_off(self) -> None:
        """The drain timeout passed: the requests that still run will not be answered."""
        if self.held:
            log.error("%d requests did not finish in time", len(self.held))
            self.give_up("stopped")
            self.control(b"$gone", {})

    def give_up(self, reason: str) -> None:
        for request in self.held:
            request.context._cancel(reason)
        self.held.clear()

    def receive(self) -> None:
        frames = self.socket.recv_multipart()
        if frames[:2] == [b"$", b""]:
            return self.receive_control(frames)
        end = frames.index(b"") if b"" in frames else 0
        if end == 0 or len(frames) < end + 3:
            return log.warning("dropped a message that is not a request")
        envelope, name, body = frames[:end], frames[end + 1], frames[end + 2]
        metadata = _metadata(frames[end + 3]) if len(frames) > end + 3 else None
        try:
            request = _Request(self, envelope, name, body, metadata)
            if not 1 <= len(name) <= MAX_EVENT_NAME_BYTES:
                raise ValueError
        except ValueError:
            request = _Request(self, envelope, b"response", body, metadata)
            text = f"the event name must be 1 to {MAX_EVENT_NAME_BYTES} bytes of UTF-8"
            return self.send(_failure(request, ReplyError(400, "MALFORMED_MESSAGE", text)))
        if self._goodbye_until is not None and not self.accepted:  # a classic router, which knows no goodbye
            return self.send(_failure(request, ReplyError(503, "SHUTTING_DOWN", "the worker is shutting down")))
        self.held.append(request)
        self.worker._jobs.put(request)

    def receive_control(self, frames: Sequence[bytes]) -> None:
        name = frames[2] if len(frames) > 2 else b""
        data = (_metadata(frames[3]) if len(frames) > 3 else None) or {}
        if name == b"$welcome":
            self.accepted, self.refused, self._wait = True, False, ASK_AGAIN[0]
            log.info("the router %s accepted the worker", self.endpoint)
        elif name == b"$refused":
            self.accepted, self.refused = False, True
            log.warning("the router %s rejected the worker: %s", self.endpoint, data.get("reason"))
            self._again, self._wait = time.monotonic() + self._wait, min(self._wait * 2, ASK_AGAIN[1])
        elif name == b"$who":
            self.say_hello()
        elif name == b"$bye" and self._goodbye_until is not None:
            self._goodbye_until = 0
        elif name == b"$cancel":
            for request in self.held:
                if request.envelope[0].hex() == data.get("token"):
                    request.context._cancel(str(data.get("reason")))

    def reply(self, request: _Request, frames: list[bytes]) -> None:
        """Sends a reply, unless its connection was lost: the router has settled the request."""
        if request in self.held:
            self.held.remove(request)
            self.send(frames)

    def control(self, name: bytes, data: Mapping[str, Any]) -> None:
        self.send([b"$", b"", name, _json(data)])

    def send(self, frames: list[bytes]) -> None:
        self.socket.send_multipart(frames)  # without a limit on waiting messages it never blocks


# -- Frames and sockets --------------------------------------------------------------------------------


def _parse(body: bytes) -> Any:
    def reject(text: str) -> None:
        raise ValueError(f"{text} is not JSON")

    try:
        return json.loads(body.decode(), parse_constant=reject)
    except (ValueError, RecursionError) as error:
        raise ReplyError(400, "MALFORMED_MESSAGE", f"the event data is not JSON: {error}") from error


def _metadata(frame: bytes) -> Optional[Mapping[str, Any]]:
    """The JSON object in a frame; None if there is none."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _success(request: _Request, result: Any) -> list[bytes]:
    reply = result if isinstance(result, Reply) else Reply(result)
    try:
        if reply.content_type and isinstance(reply.data, (bytes, str)):
            body = reply.data if isinstance(reply.data, bytes) else reply.data.encode()
        else:
            body = _json(reply.data)
    except (TypeError, ValueError, RecursionError) as error:
        log.error("the reply of %s cannot be sent: %s", request.context.event_name, error)
        return _failure(request, ReplyError(502, "BAD_REPLY", f"the reply cannot be sent: {error}"))
    metadata: dict[str, Any] = {"status": reply.status}
    if reply.content_type:
        metadata["type"] = reply.content_type
    return _frames(request, body, metadata, reply.headers, request.native or reply != Reply(reply.data))


def _failure(request: _Request, error: ReplyError) -> list[bytes]:
    ran = error.code not in ("NO_HANDLER", "MALFORMED_MESSAGE", "INVALID_REQUEST", "SHUTTING_DOWN")
    data = {"code": error.code, "message": str(error), "dispatched": ran, "details": error.details}
    metadata = {"status": error.status, "code": error.code, "dispatched": ran}
    try:
        body = _json({"error": {key: value for key, value in data.items() if value is not None}})
    except (TypeError, ValueError, RecursionError) as fault:
        return _failure(request, ReplyError(502, "BAD_REPLY", f"the details of the error cannot be sent: {fault}"))
    return _frames(request, body, metadata, error.headers, True)


def _frames(
    request: _Request, body: bytes, metadata: dict[str, Any], headers: Optional[Mapping[str, str]], extended: bool
) -> list[bytes]:
    if headers:
        metadata["ext"] = {"headers": {name.lower(): str(value) for name, value in headers.items()}}
    extra = [_json({"v": 1, **metadata})] if extended else []
    if len(body) > MAX_REPLY_BYTES or (extra and len(extra[0]) > MAX_METADATA_BYTES):
        return _failure(request, ReplyError(502, "BAD_REPLY", f"the reply has {len(body)} bytes, more than a message may have"))
    return [*request.envelope, b"", request.name, body, *extra]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    raise TypeError(f"JSON has no {type(value).__name__}")


def _list_of(value: Union[str, Sequence[str], None]) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _dealer(
    context: zmq.Context[Any], endpoint: Optional[str], keys: Optional[tuple[bytes, ...]], routing_id: Optional[str]
) -> zmq.Socket[bytes]:
    dealer = context.socket(zmq.DEALER)
    dealer.heartbeat_ivl, dealer.heartbeat_timeout, dealer.heartbeat_ttl = 7000, 3000, 10_000
    dealer.reconnect_ivl, dealer.reconnect_ivl_max = 100, 2500
    dealer.maxmsgsize = MAX_REPLY_BYTES
    if keys:
        dealer.curve_serverkey, dealer.curve_publickey, dealer.curve_secretkey = keys
    if routing_id is None:
        dealer.sndhwm = 10
    else:
        dealer.sndhwm = 0
        dealer.setsockopt(zmq.IDENTITY, routing_id.encode())
    if endpoint is not None:
        dealer.connect(endpoint)
    return dealer


def _curve_keys(server_key: Optional[str], key_file: Optional[str]) -> Optional[tuple[bytes, ...]]:
    """The router's public key and this worker's key pair; None without encryption."""
    if not server_key and not key_file:
        return None
    if not server_key or not key_file:
        raise ValueError("--curve-server-key and --curve-key go together")
    if os.path.exists(server_key):
        server_key = zmq.auth.load_certificate(server_key)[0].decode()
    if len(server_key) != 40:
        raise ValueError("--curve-server-key is neither a file nor a public key, 40 characters of Z85")
    if os.stat(key_file).st_mode & 0o077:
        raise ValueError(f"{key_file} can be read by others; chmod 600 it")
    public, secret = zmq.auth.load_certificate(key_file)
    if secret is None:
        raise ValueError(f"{key_file} holds no secret key")
    return server_key.encode(), public, secret
