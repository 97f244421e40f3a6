"""The language of `-Y`: comparisons over a table's columns, joined by and, or, not.

    state == fin-wait-2 and duration > 10s
    orig_ip == 10.0.0.0/8 && (closer == responder or severity >= warning)
    resp_port in (80, 443) and not anomalies contains missing-final-ack

A recursive descent over tokens; nothing is evaluated, so no name can reach beyond the table.
What a comparison means for each kind of column: `comparison`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from tcptrace.errors import UsageError
from tcptrace.faces.selection import unknown_column

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.faces.comparison import Mask

    Node = Callable[[pd.DataFrame], Mask]

DEEPEST = 50
TOKENS = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')
        |(?P<operator>==|!=|<=|>=|&&|\|\||[<>=!&|])
        |(?P<bracket>[()\[\]{},])
        |(?P<word>[^\s()\[\]{},=!<>&|"']+))""",
    re.VERBOSE,
)
AND = {"and", "&&", "&"}
OR = {"or", "||", "|"}
NOT = {"not", "!"}
COMPARE = {
    "==": "==", "=": "==", "eq": "==", "!=": "!=", "ne": "!=", "<": "<", "lt": "<",
    "<=": "<=", "le": "<=", ">": ">", "gt": ">", ">=": ">=", "ge": ">=", "contains": "contains",
}  # fmt: skip
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    """A piece of the expression and where it stands, from 1; kind `end` after the last."""

    kind: str
    text: str
    position: int


def matching(frame: pd.DataFrame, text: str) -> pd.DataFrame:
    """The rows of a table for which the expression holds; UsageError with the position if bad."""
    mask = _Parser(text).parse()(frame)
    return frame[mask]


class _Parser:
    """One pass over the tokens; each method reads one rule of the grammar and returns a test."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.place = 0
        self.depth = 0

    def parse(self) -> Node:
        test = self._either()
        if self._next.kind != "end":
            self._fail(self._next, "expected 'and', 'or' or the end")
        return test

    def _either(self) -> Node:
        test = self._both()
        while self._accept(OR):
            test = _union(test, self._both())
        return test

    def _both(self) -> Node:
        test = self._negated()
        while self._accept(AND):
            test = _overlap(test, self._negated())
        return test

    def _negated(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail(self._next, f"nested deeper than {DEEPEST}")
        test = self._unnested()
        self.depth -= 1
        return test

    def _unnested(self) -> Node:
        if self._accept(NOT):
            test = self._negated()
            return lambda frame: ~test(frame)
        if self._accept({"("}):
            test = self._either()
            self._expect(")")
            return test
        return self._comparison()

    def _comparison(self) -> Node:
        column = self._take("word", "a column")
        wanted = not self._accept({"not"})
        if self._accept({"in"}):
            values = self._values()
            return self._test(column, "==" if wanted else "!=", values)
        token = self._next
        operator = COMPARE.get(token.text.lower())
        if token.kind == "quoted" or operator is None or not wanted:
            self._fail(token, "expected ==, !=, <, <=, >, >=, in or contains")
        self.place += 1
        return self._test(column, operator, [self._value()])

    def _test(self, column: Token, operator: str, values: list[Token]) -> Node:
        def test(frame: pd.DataFrame) -> Mask:
            from tcptrace.faces import comparison

            names = comparison.columns_called(frame, column.text)
            if not names:
                self._fail(column, unknown_column(column.text, list(frame.columns)))
            wanted = [(value.text, value.kind == "quoted") for value in values]
            try:
                return comparison.mask(frame, names, operator, wanted)
            except UsageError as error:
                self._fail(values[0], str(error))

        return test

    def _values(self) -> list[Token]:
        opening = self._next
        if opening.kind != "bracket" or opening.text not in CLOSING:
            return [self._value()]
        self.place += 1
        values = [self._value()]
        while self._accept({","}):
            values.append(self._value())
        self._expect(CLOSING[opening.text])
        return values

    def _value(self) -> Token:
        if self._next.kind == "quoted":
            self.place += 1
            token = self.tokens[self.place - 1]
            return Token("quoted", token.text[1:-1], token.position)
        return self._take("word", "a value")

    @property
    def _next(self) -> Token:
        return self.tokens[self.place]

    def _accept(self, texts: set[str]) -> bool:
        found = self._next.kind not in ("quoted", "end") and self._next.text.lower() in texts
        self.place += found
        return found

    def _expect(self, text: str) -> None:
        if not self._accept({text}):
            self._fail(self._next, f"expected {text!r}")

    def _take(self, kind: str, what: str) -> Token:
        token = self._next
        if token.kind != kind:
            self._fail(token, f"expected {what}")
        self.place += 1
        return token

    def _tokens(self) -> list[Token]:
        tokens, place = [], 0
        end = len(self.text.rstrip())
        while place < end:
            match = TOKENS.match(self.text, place)
            if match is None or match.lastgroup is None:
                bad = len(self.text) - len(self.text[place:].lstrip())
                self._fail(Token("end", "", bad + 1), "a quote that is not closed")
            kind = match.lastgroup
            tokens.append(Token(kind, match[kind], match.start(kind) + 1))
            place = match.end()
        return [*tokens, Token("end", "", end + 1)]

    def _fail(self, token: Token, problem: str) -> NoReturn:
        found = f", found {token.text!r}" if problem.startswith("expected") and token.text else ""
        where = f"-Y, position {token.position} of {self.text!r}"
        raise UsageError(f"{where}: {problem}{found}")


def _union(left: Node, right: Node) -> Node:
    return lambda frame: left(frame) | right(frame)


def _overlap(left: Node, right: Node) -> Node:
    return lambda frame: left(frame) & right(frame)
