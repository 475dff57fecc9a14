"""Conditions in a small part of Python, on the result of a Python job.

    result["quantity"] < 10 and "discontinued" not in result["flags"]

What is not named in `_Compiler` does not exist: there are no attributes, no calls but of FUNCTIONS, no
names but `result`, nothing that repeats, and arithmetic on numbers only, so that no value grows.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from gridsched.errors import InvalidCondition
from gridsched.policy.condition_judge import Judge, Unsuitable

RESULT: Final = "result"

FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "len": len,
    "max": max,
    "min": min,
    "sum": sum,
}

_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}

Evaluate = Callable[[Any], Any]
"""The value of a part of the expression, where `result` is what is given."""


def compile_expression(text: str) -> Judge:
    """InvalidCondition where it is not Python, or more of Python than a condition may be."""
    indent = len(text) - len(text.lstrip())
    line = text.strip().replace("\n", " ").replace("\r", " ")
    try:
        tree = ast.parse(line, mode="eval")
    except SyntaxError as error:
        column = indent + max(0, (error.offset or 1) - 1)
        raise InvalidCondition(text, error.msg, position=min(column, len(text))) from None
    except ValueError as error:
        raise InvalidCondition(text, str(error)) from None
    evaluate = _Compiler(text).expression(tree.body)

    def judge(value: Any) -> bool:
        try:
            return bool(evaluate(value))
        except KeyError as error:
            raise Unsuitable(f"the result has no {error}") from None

    return judge


class _Compiler:
    """Makes closures of the nodes of a syntax tree that a condition may have."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._forms: dict[type[ast.expr], Callable[[Any], Evaluate]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.List: self._list,
            ast.Tuple: self._list,
            ast.BoolOp: self._boolean,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._comparison,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
        }

    def expression(self, node: ast.expr) -> Evaluate:
        form = self._forms.get(type(node))
        if form is None:
            raise self._refused(node)
        return form(node)

    def _all(self, nodes: Sequence[ast.expr]) -> list[Evaluate]:
        return [self.expression(node) for node in nodes]

    def _constant(self, node: ast.Constant) -> Evaluate:
        value = node.value
        if not (value is None or isinstance(value, int | float | str)):
            raise self._refused(node)
        return lambda result: value

    def _name(self, node: ast.Name) -> Evaluate:
        if node.id != RESULT:
            raise self._refused(node)
        return lambda result: result

    def _list(self, node: ast.List | ast.Tuple) -> Evaluate:
        items = self._all(node.elts)
        return lambda result: [item(result) for item in items]

    def _boolean(self, node: ast.BoolOp) -> Evaluate:
        values = self._all(node.values)
        if isinstance(node.op, ast.And):
            return lambda result: all(value(result) for value in values)
        return lambda result: any(value(result) for value in values)

    def _unary(self, node: ast.UnaryOp) -> Evaluate:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda result: not operand(result)
        if isinstance(node.op, ast.USub):
            return lambda result: -_number(operand(result))
        raise self._refused(node)

    def _arithmetic(self, node: ast.BinOp) -> Evaluate:
        function = _ARITHMETIC.get(type(node.op))
        if function is None:
            raise self._refused(node)
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda result: function(_number(left(result)), _number(right(result)))

    def _comparison(self, node: ast.Compare) -> Evaluate:
        operands = self._all([node.left, *node.comparators])
        functions = [_COMPARISONS[type(op)] for op in node.ops]
        links = list(zip(functions, operands[:-1], operands[1:], strict=True))
        return lambda result: all(
            function(left(result), right(result)) for function, left, right in links
        )

    def _subscript(self, node: ast.Subscript) -> Evaluate:
        value, index = self.expression(node.value), self.expression(node.slice)
        return lambda result: value(result)[index(result)]

    def _call(self, node: ast.Call) -> Evaluate:
        function = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if function is None or node.keywords:
            raise self._refused(node)
        arguments = self._all(node.args)
        return lambda result: function(*(argument(result) for argument in arguments))

    def _refused(self, node: ast.expr) -> InvalidCondition:
        """Columns of a syntax tree count bytes of UTF-8, from the first character that is not blank."""
        before = self._text.lstrip().encode()[: node.col_offset]
        indent = len(self._text) - len(self._text.lstrip())
        return InvalidCondition(
            self._text,
            f"{ast.unparse(node)[:40]!r} is not part of a condition: there is `{RESULT}` with "
            "subscripts, literals, comparisons, `in`, `and`, `or`, `not`, + - * / // %, "
            f"and {', '.join(FUNCTIONS)}",
            position=indent + len(before.decode(errors="ignore")),
        )


def _number(value: Any) -> Any:
    """Arithmetic is for numbers: of text and lists it makes ever larger ones."""
    if isinstance(value, int | float):
        return value
    raise TypeError(f"{type(value).__name__} is not a number")
