"""Laying down the rights of root: what is left of them in any thread of a process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tcptrace.errors import UsageError
from tcptrace.sources import privileges

BECOME = """
import sys, threading, time
from pathlib import Path
from tcptrace.sources import privileges

go_on = threading.Event()
threads = [threading.Thread(target=go_on.wait) for _ in range(3)]
for thread in threads:
    thread.start()
privileges.become(sys.argv[1])
for task in Path("/proc/self/task").iterdir():
    lines = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
    names = ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")
    print(*(",".join(lines[name].split()) for name in names), sep=";")
try:
    open("/etc/shadow").close()
except PermissionError:
    print("no secrets")
go_on.set()
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@needs_root
def test_no_thread_keeps_root_or_a_capability() -> None:
    """Threads that were there before become the same user, of its groups alone, without rights."""
    words = [sys.executable, "-c", BECOME, "nobody"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    *threads, secrets = run.stdout.splitlines()
    nobody, nothing = "65534,65534,65534,65534", "0000000000000000"
    assert 4 == len(threads)
    for line in threads:
        user, group, groups, *capabilities, no_new = line.split(";")
        assert (nobody, nobody, "65534") == (user, group, groups)
        assert [nothing] * 3 == capabilities
        assert no_new == ("1" if line == threads[0] else no_new)
    assert "no secrets" == secrets


@pytest.mark.parametrize("name", ["no-such-user", "root"])
def test_whom_nobody_can_become(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that is not there, and root itself, are mistakes, and nothing changes."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    before = os.getresuid()
    with pytest.raises(UsageError, match=name):
        privileges.become(name)
    assert before == os.getresuid()


def test_who_ran_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """SUDO_USER, unless root ran it."""
    for value, expected in (("ann", "ann"), ("root", None), ("", None)):
        monkeypatch.setenv("SUDO_USER", value)
        assert expected == privileges.invoking_user()
    monkeypatch.delenv("SUDO_USER")
    assert privileges.invoking_user() is None


@needs_root
def test_holders_are_the_threads_with_a_capability() -> None:
    """Of a process of root, all of them."""
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    tasks = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    assert sorted(tasks) == sorted(privileges.holders())
    go_on.set()
    thread.join()
