"""`tcptrace fsm`: the reference machine in four forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tcptrace.faces.fsm import KINDS
from tcptrace.tcp.states import State

Run = Callable[..., Result]


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_names_every_state(run: Run, kind: str) -> None:
    """Whatever the form, the whole machine is in it."""
    result = run("fsm", "-T", kind)
    assert 0 == result.exit_code
    spelt = result.stdout.replace("-", "_")
    assert [] == [name for name in State.__members__ if name not in spelt]


def test_text_is_what_one_gets_unasked(run: Run) -> None:
    """For eyes."""
    assert run("fsm", "-T", "text").stdout == run("fsm").stdout


def test_json_is_json(run: Run) -> None:
    """Parsed, not looked at."""
    assert json.loads(run("fsm", "-T", "json").stdout)


@pytest.mark.parametrize(
    ("name", "kind"), [("m.svg", "svg"), ("m.json", "json"), ("m.mmd", "mermaid")]
)
def test_the_file_name_may_say_the_form(run: Run, tmp_path: Path, name: str, kind: str) -> None:
    """As with tables."""
    assert 0 == run("fsm", "-o", str(tmp_path / name)).exit_code
    assert run("fsm", "-T", kind).stdout == (tmp_path / name).read_text()
