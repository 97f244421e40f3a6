"""What pictures need beyond the core: asked for when a picture is, and named if it is not there."""

from __future__ import annotations

from importlib import import_module

from tcptrace.errors import UsageError


def require_matplotlib() -> None:
    """Import matplotlib; UsageError that says what to install where that fails."""
    try:
        import_module("matplotlib.figure")
    except ImportError as error:
        raise UsageError(
            f"pictures need matplotlib: pip install 'tcptrace[plot]' ({error})"
        ) from None
