"""The table of routes beside Werkzeug's map, which served the same routes before."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from chatd.rest.route_table import RouteTable
from protocol.dialects import dialect, names
from protocol.dialects.accounts import ROUTES

EVERY_ROUTE = [route for name in names() for route in dialect(name).routes] + list(ROUTES)
METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
SEGMENTS = sorted({segment for route in EVERY_ROUTE for segment in route.path.split("/")[1:]})


def make_table() -> RouteTable[str]:
    table: RouteTable[str] = RouteTable()
    for route in EVERY_ROUTE:
        table.add(route.method, route.path, f"{route.method} {route.path}")
    return table


TABLE = make_table()
MAP = Map(
    [
        Rule(
            route.path.replace("{", "<").replace("}", ">"),
            endpoint=f"{route.method} {route.path}",
            methods=[route.method],
        )
        for route in EVERY_ROUTE
    ],
    strict_slashes=False,
    merge_slashes=False,
).bind("localhost")


def werkzeug_finds(method: str, path: str) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    try:
        endpoint, parameters = MAP.match(path, method)
    except NotFound:
        return None, {}, ()
    except MethodNotAllowed as refused:
        return None, {}, tuple(sorted(refused.valid_methods or ()))
    return endpoint, dict(parameters), ()


@pytest.mark.parametrize("route", EVERY_ROUTE, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_found(route: object) -> None:
    method, path = route.method, route.path  # type: ignore[attr-defined]
    found = TABLE.find(method, path.replace("{", "").replace("}", "1"))
    assert found.handler == f"{method} {path}"
    assert all(value == f"{name}1" for name, value in found.parameters.items())


@given(st.sampled_from(METHODS), st.lists(st.sampled_from([*SEGMENTS, "", "7", "a b", "me", "%2F", "ü"]), max_size=7))
def test_it_finds_what_werkzeug_finds(method: str, segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    assume(not path.startswith("//"))  # Werkzeug drops all but one of them, whatever `merge_slashes` says
    assert tuple(TABLE.find(method, path)) == werkzeug_finds(method, path)


def test_a_path_begins_with_one_slash() -> None:
    assert TABLE.find("GET", "//notifications").handler is None


def test_a_named_segment_comes_before_a_parameter() -> None:
    assert TABLE.find("GET", "/users/me").handler == "GET /users/me"
    assert TABLE.find("GET", "/users/7").parameters == {"userId": "7"}
    assert TABLE.find("DELETE", "/users/me").methods == ("GET", "HEAD", "PATCH")


def test_a_route_stands_there_once() -> None:
    with pytest.raises(ValueError, match="already"):
        make_table().add("GET", "/users/me", "again")
