"""The table of routes: which handler serves a method at a path.

A path is matched segment by segment. A segment that a route names comes before a parameter: `/users/me` before
`/users/{userId}`. One slash at the end is ignored. A parameter is one segment, and is not empty.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

H = TypeVar("H")


class RouteMatch(NamedTuple, Generic[H]):
    """What is at a path: the handler of the method and the parameters; or the methods of the path, if it has any."""

    handler: H | None
    parameters: dict[str, str]
    methods: tuple[str, ...]


class _Route(NamedTuple, Generic[H]):
    """The handlers of one path, by method; and the names of its parameters, in their order."""

    handlers: dict[str, H]
    names: tuple[str, ...]


class _Node(Generic[H]):
    """The routes behind the first segments of a path."""

    __slots__ = ("children", "parameter", "route")

    def __init__(self) -> None:
        self.children: dict[str, _Node[H]] = {}
        self.parameter: _Node[H] | None = None
        self.route: _Route[H] | None = None


class RouteTable(Generic[H]):
    """Routes by path and method. GET also serves HEAD."""

    def __init__(self) -> None:
        self._root: _Node[H] = _Node()

    def add(self, method: str, path: str, handler: H) -> None:
        """Add a route: `/conversations/{conversationId}` has one parameter."""
        node, names = self._root, []
        for segment in path.removeprefix("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(segment, _Node())
        if node.route is None:
            node.route = _Route({}, tuple(names))
        if method in node.route.handlers or node.route.names != tuple(names):
            raise ValueError(f"{method} {path} is in the table already, or its parameters have other names")
        node.route.handlers[method] = handler
        if method == "GET":
            node.route.handlers["HEAD"] = handler

    def find(self, method: str, path: str) -> RouteMatch[H]:
        """What is at this path, for this method."""
        segments = path[1:].split("/")
        if len(segments) > 1 and not segments[-1]:
            segments.pop()
        methods: set[str] = set()
        for route, values in _routes(self._root, segments, 0, ()):
            handler = route.handlers.get(method)
            if handler is not None:
                return RouteMatch(handler, dict(zip(route.names, values, strict=True)), ())
            methods.update(route.handlers)
        return RouteMatch(None, {}, tuple(sorted(methods)))


def _routes(
    node: _Node[H], segments: list[str], index: int, values: tuple[str, ...]
) -> list[tuple[_Route[H], tuple[str, ...]]]:
    """Every route that the rest of a path matches, the ones with named segments first."""
    if index == len(segments):
        return [] if node.route is None else [(node.route, values)]
    segment, found = segments[index], []
    child = node.children.get(segment)
    if child is not None:
        found = _routes(child, segments, index + 1, values)
    if node.parameter is not None and segment:
        found += _routes(node.parameter, segments, index + 1, (*values, segment))
    return found
