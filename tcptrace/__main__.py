"""`main`: what the command `tcptrace` and `python -m tcptrace` run.

The version is told without the command line's imports, which take longer than Python's own start.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the process's own command line."""
    if sys.argv[1:] == ["--version"] and _tells_version():
        return
    from tcptrace.faces.cli import main as run

    run()


def _tells_version() -> bool:
    """Whether it could be told; if not, the command line says why."""
    from tcptrace.faces.version import version_text

    try:
        print(version_text(), flush=True)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
