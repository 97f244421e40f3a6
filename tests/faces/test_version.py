"""Pins what `tcptrace --version` says."""

from __future__ import annotations

import pytest

from tcptrace.faces.version import version_text


def test_version_says_which_kernels_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow installation says so."""
    monkeypatch.setattr("tcptrace.faces.version.interpreted_kernels", list)
    assert "compiled" in version_text()
    assert "interpreted" not in version_text()
    monkeypatch.setattr("tcptrace.faces.version.interpreted_kernels", lambda: ["tcptrace.x.y"])
    assert "1 of" in version_text()
    assert "interpreted (slow): tcptrace.x.y" in version_text()
