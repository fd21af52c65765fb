"""Literals, the current node, pipes, and lists and objects that are put together."""

from typing import Any

from mappings.compiled.node import Build, Evaluate, Node
from mappings.compiled.paths import chain


def literal(node: Node, _: Build) -> Evaluate:
    """`'text'` and `` `json` ``"""
    constant = node["value"]
    return lambda _: constant


def current(_: Node, __: Build) -> Evaluate:
    """`@`, and the place where nothing stands."""
    return lambda value: value


def pipe(node: Node, build: Build) -> Evaluate:
    """`a | b`"""
    return chain([build(child) for child in node["children"]])


def multi_select_list(node: Node, build: Build) -> Evaluate:
    """`[a, b]`"""
    parts = [build(child) for child in node["children"]]
    if len(parts) == 3:
        first, second, third = parts
        return lambda value: None if value is None else [first(value), second(value), third(value)]
    return lambda value: None if value is None else [part(value) for part in parts]


def multi_select_dict(node: Node, build: Build) -> Evaluate:
    """`{a: b, c: d}`"""
    parts = [(child["value"], build(child["children"][0])) for child in node["children"]]

    def evaluate(value: Any) -> Any:
        return None if value is None else {name: part(value) for name, part in parts}

    return evaluate
