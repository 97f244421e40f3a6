"""`become`: go on as another user, with no right that root or a capability gives, in all threads.

credentials(7), capabilities(7): leaving user 0 for good clears every capability of a thread, and
the C library sees to it that all threads do. What a process without root has been given is a
thread's own, so there only the thread that asks can lay it down: `become` looks at all of them.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path

from tcptrace.errors import UsageError

_TASKS = Path("/proc/self/task")
_HELD = ("CapPrm", "CapEff", "CapAmb")  # what is only inheritable gives nothing by itself
_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 bits
_SET_NO_NEW_PRIVS = 38  # prctl(2)
_AMBIENT, _AMBIENT_CLEAR_ALL = 47, 4


def invoking_user() -> str | None:
    """Who ran sudo; None if nobody did, or root itself."""
    name = os.environ.get("SUDO_USER")
    return name if name and name != "root" else None


def become(name: str | None) -> None:
    """Be that user from now on; with None stay who it is. Either way without any capability.

    UsageError for a user that does not exist or is root, and where rights could not be laid down.
    """
    if name is not None and os.geteuid() != 0:
        raise UsageError(f"cannot become {name}: only root can become somebody else")
    if name is not None:
        entry = _entry(name)
        try:
            os.setgroups(os.getgrouplist(name, entry.pw_gid))
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
        except OSError as error:
            raise UsageError(f"cannot become {name}: {error.strerror}") from None
    _lay_down()
    left = holders()
    if left:
        raise UsageError(f"{len(left)} threads still hold rights of root: start no threads before")


def holders() -> list[int]:
    """The threads of this process that hold a capability."""
    return [int(task.name) for task in _TASKS.iterdir() if _holds(task)]


def _entry(name: str) -> pwd.struct_passwd:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise UsageError(f"there is no user {name}") from None
    if entry.pw_uid == 0:
        raise UsageError(f"{name} is root: name a user without its rights")
    return entry


def _lay_down() -> None:
    """Clear this thread's capabilities, and let no program that it runs have more than it has."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    libc.capset(header, nothing)


def _holds(task: Path) -> bool:
    try:
        status = (task / "status").read_text()
    except OSError:  # it has ended
        return False
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return any(int(lines.get(name, "0"), 16) for name in _HELD)
