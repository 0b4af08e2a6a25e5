"""The changes: for a node of the syntax tree, what could stand in its place."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
REMOVED = (ast.AugAssign, ast.Raise, ast.Delete, ast.Break, ast.Continue)


class Change(NamedTuple):
    """What a kind of change puts in the place of a node, or of one inside it."""

    operator: str
    node: ast.AST
    at: ast.AST | None = None


def changes(node: ast.AST) -> Iterator[Change]:
    """All changes of one node, but not of what is inside it."""
    make = CHANGES.get(type(node))
    if make is not None:
        yield from make(node)
    if _is_removable(node):
        yield Change("statement removed", ast.Pass())


def _is_removable(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom))
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    return isinstance(node, REMOVED)


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _compare(node: ast.Compare) -> Iterator[Change]:
    for place, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield Change("comparison", _with(node, ops=ops))


def _bool(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield Change("and, or", _with(node, op=other))
    for place in range(len(node.values)):
        rest = node.values[:place] + node.values[place + 1 :]
        yield Change("operand left out", rest[0] if len(rest) == 1 else _with(node, values=rest))


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    yield Change("not, minus", node.operand)


def _binary(node: ast.BinOp) -> Iterator[Change]:
    if other := ARITHMETIC.get(type(node.op)):
        yield Change("arithmetic", _with(node, op=other()))


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield Change("constant", ast.Constant(not value))
    elif isinstance(value, (int, float)):
        yield Change("constant", ast.Constant(value + 1))
        yield Change("constant", ast.Constant(value - 1))
    elif isinstance(value, str):
        yield Change("text", ast.Constant(f"XX{value}"))


def _f_string(node: ast.JoinedStr) -> Iterator[Change]:
    yield Change("text", _with(node, values=[ast.Constant("XX"), *node.values]))


def _return(node: ast.Return) -> Iterator[Change]:
    if node.value is not None and not _is_none(node.value):
        yield Change("return", ast.Return(ast.Constant(None)))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _condition(node: ast.IfExp) -> Iterator[Change]:
    yield Change("branches", _with(node, body=node.orelse, orelse=node.body))
    yield from _test(node)


def _test(node: Any) -> Iterator[Change]:
    if not isinstance(node.test, ast.Compare | ast.UnaryOp):  # these have changes of their own
        yield Change("condition", ast.UnaryOp(ast.Not(), node.test), node.test)


def _comprehension(node: Any) -> Iterator[Change]:
    for condition in (test for generator in node.generators for test in generator.ifs):
        yield Change("filter left out", ast.Constant(True), condition)


def _call(node: ast.Call) -> Iterator[Change]:
    if isinstance(node.func, ast.Name) and (other := FUNCTIONS.get(node.func.id)):
        yield Change("function", _with(node, func=ast.Name(other)))
    for place, keyword in enumerate(node.keywords):
        if keyword.arg is not None and not is_zip(node):
            rest = node.keywords[:place] + node.keywords[place + 1 :]
            yield Change("argument left out", _with(node, keywords=rest))


def is_zip(node: ast.AST) -> bool:
    """Whether it calls `zip`, whose `strict=False` says what holds anyhow, and True asserts."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def _elements(node: Any) -> Iterator[Change]:
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and len(node.elts) > 1:
        for rest in (node.elts[1:], node.elts[:-1]):
            yield Change("element left out", _with(node, elts=rest))


def _mapping(node: ast.Dict) -> Iterator[Change]:
    for part in (slice(1, None), slice(None, -1)) if len(node.keys) > 1 else ():
        rest = _with(node, keys=node.keys[part], values=node.values[part])
        yield Change("element left out", rest)


def _slice(node: ast.Slice) -> Iterator[Change]:
    for bound in ("lower", "upper"):
        if getattr(node, bound) is not None:
            yield Change("bound left out", _with(node, **{bound: None}))


CHANGES: dict[type, Callable[[Any], Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _bool,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Constant: _constant,
    ast.JoinedStr: _f_string,
    ast.Return: _return,
    ast.IfExp: _condition,
    ast.If: _test,
    ast.While: _test,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Call: _call,
    ast.Tuple: _elements,
    ast.List: _elements,
    ast.Set: _elements,
    ast.Dict: _mapping,
    ast.Slice: _slice,
}
