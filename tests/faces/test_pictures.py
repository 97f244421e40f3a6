"""What forms pictures have, and where they go."""

from __future__ import annotations

import io

import pytest

from tcptrace.errors import UsageError
from tcptrace.faces.pictures import PICTURES, picture_form, write_picture
from tcptrace.views.picture import Picture


@pytest.mark.parametrize(
    ("asked", "path", "form"),
    [
        ("png", "x.svg", "png"),
        (None, "x.SVG", "svg"),
        (None, "x.pdf", "pdf"),
        (None, "x.csv", None),
        ("csv", "x.svg", None),
        (None, None, None),
    ],
)
def test_form_is_what_is_asked_else_what_the_name_says(
    asked: str | None, path: str | None, form: str | None
) -> None:
    """None where a table is meant."""
    assert form == picture_form(asked, path)


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_picture_goes_to_no_terminal() -> None:
    """The line says what to add."""
    with pytest.raises(UsageError, match=r"-o FILE\.svg or a pipe"):
        write_picture(Picture(2, 1), "svg", Terminal(io.BytesIO()))


@pytest.mark.parametrize("form", PICTURES)
def test_picture_goes_to_a_pipe_as_bytes(form: str) -> None:
    """Each form begins as it should."""
    held = io.BytesIO()
    stream = io.TextIOWrapper(held)  # it would close what it wraps
    write_picture(Picture(2, 1), form, stream)
    magic = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[form]
    assert held.getvalue().startswith(magic)
