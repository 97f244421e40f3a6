"""The command line as a process: what is a command, exit statuses, streams, start-up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tcptrace.errors import CaptureError
from tcptrace.faces import cli as command_line
from tcptrace.faces.cli import COMMANDS, cli, status_of
from tcptrace.faces.request import Request
from tests.faces.made import MadeTrace

ROOT = Path(__file__).resolve().parents[2]
CAPTURE = ROOT / "captures" / "fin_wait_2_stalled" / "capture.pcapng"
PCAP_HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
HEAVY = ("pandas", "numpy", "rich", "scapy", "dpkt", "pyarrow", "dask", "distributed")
OVER_MADE_TRACE = """
import sys
from tests.faces.made import CONNECTIONS, MadeTrace, table
from tcptrace.faces import cli
from tcptrace.faces.request import Request
rows = [row | {"conn": n} for n, row in enumerate(CONNECTIONS * int(sys.argv[1]))]
Request.trace = lambda self: MadeTrace(connections=table("connections", *rows))
sys.argv = ["tcptrace", *sys.argv[2:]]
cli.main()
"""


def python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["connections", "--help"]])
def test_start_up_loads_nothing_heavy(args: list[str]) -> None:
    """Help and version answer at once: neither pandas nor rich nor scapy is imported."""
    code = (
        "import sys\nfrom tcptrace.faces.cli import status_of\n"
        f"status = status_of({args!r})\n"
        f"print(status, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    run = python("-c", code)
    assert "0 []" == run.stderr.strip()
    assert "tcptrace" in run.stdout


def test_help_names_every_command_and_has_examples() -> None:
    """The first page leads to all others."""
    text = CliRunner().invoke(cli, ["--help"]).stdout
    assert [] == [name for name in COMMANDS if f"  {name} " not in text]
    assert "Examples:" in text and "./connections" in text and "-Y, --where" in text
    for name in COMMANDS:
        assert "Examples:" in CliRunner().invoke(cli, [name, "-h"]).stdout


def test_nothing_asked_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The help, on stderr."""
    assert 2 == status_of([])
    out, err = capsys.readouterr()
    assert "" == out and err.startswith("Usage: tcptrace")


@pytest.mark.parametrize(
    ("args", "name", "files"),
    [
        (["office.pcap"], "report", ("office.pcap",)),
        (["-q", "office.pcap"], "report", ("office.pcap",)),
        (["-r", "office.pcap"], "report", ("office.pcap",)),
        (["report"], "report", ("report",)),
        (["./connections"], "report", ("./connections",)),
        (["-"], "report", ("-",)),
        (["connections", "office.pcap"], "connections", ("office.pcap",)),
        (["connections", "-r", "a", "b"], "connections", ("a", "b")),
        (["timeline", "connections"], "timeline", ("connections",)),
    ],
)
def test_what_is_a_command_and_what_a_file(
    monkeypatch: pytest.MonkeyPatch, args: list[str], name: str, files: tuple[str, ...]
) -> None:
    """Only the first word may be a command; `./` makes it a file."""
    seen = []

    def trace(self: Request) -> MadeTrace:
        seen.append((click.get_current_context().info_name, self.files))
        return MadeTrace()

    monkeypatch.setattr(Request, "trace", trace)
    monkeypatch.setattr("tcptrace.faces.report.check_words", lambda files: None)
    assert 0 == CliRunner().invoke(cli, args).exit_code
    assert [(name, files)] == seen


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["connections", "x.pcap", "-T", "xml"], "'xml' is not one of 'text', 'csv'"),
        (["x.pcap", "--colour"], "--colour"),
        (["x.pcap", "-c", "0"], "-c"),
        (["x.pcap", "-c", "many"], "-c"),
        (["connections"], "no capture given"),
        (["x.pcap", "--conn", "first"], "--conn"),
        (["x.pcap", "--host", "localhost"], "never looked up"),
        (["x.pcap", "--port", "99999"], "65535"),
        (["x.pcap", "--profile", "plan9"], "plan9"),
        (["x.pcap", "--set", "tcp_fin_timeout"], "NAME=VALUE"),
        (["socket", "x.pcap"], "no command is called so"),
        (["fsm", "x.pcap"], "x.pcap"),
    ],
)
def test_bad_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    """Status 2 and a line on stderr that names what is wrong."""
    assert 2 == status_of(args)
    out, err = capsys.readouterr()
    assert "" == out and words in err
    assert err.startswith("tcptrace: ") and 1 == err.count("\n")


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (CaptureError("x.pcap", "expected a capture\nfile", 24), 2, "x.pcap at byte 24: expected"),
        (OSError(28, "No space left on device"), 2, "output: No space left on device"),
        (PermissionError(13, "Permission denied", "x.pcap"), 2, "x.pcap: Permission denied"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_what_goes_wrong_has_a_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: BaseException,
    status: int,
    words: str,
) -> None:
    """No traceback: a line at most."""

    def trace(self: Request) -> MadeTrace:
        raise failure

    monkeypatch.setattr(Request, "trace", trace)
    assert status == status_of(["x.pcap"])
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == bool(words)


@pytest.mark.parametrize("form", ["text", "csv", "json", "jsonl"])
def test_a_broken_pipe_ends_quietly(form: str) -> None:
    """`tcptrace ... | head -1`: no traceback, and the status of a program that SIGPIPE ends."""
    words = [sys.executable, "-c", OVER_MADE_TRACE, "2000", "connections", "x", "-T", form, "-q"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "" == process.stderr.read()
        assert command_line.PIPE_BROKEN == process.wait()


def test_a_report_to_a_closed_pipe() -> None:
    """rich's console is no exception to that."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-c", OVER_MADE_TRACE, "1", "./x"]
    run = subprocess.run(words, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (command_line.PIPE_BROKEN, b"") == (run.returncode, run.stderr)


def test_output_in_a_small_alphabet() -> None:
    """A terminal of ASCII gets arrows spelt out, not a traceback."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-c", OVER_MADE_TRACE, "1", "show", "x", "0"]
    run = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (0, "") == (run.returncode, run.stderr)
    assert "SYN_SENT SYN seq=0 -----" in run.stdout and "-> SYN_RCVD" in run.stdout
    assert "\\u" not in run.stdout


def test_the_module_is_the_command() -> None:
    """`python -m tcptrace` has the same exit statuses."""
    assert 0 == python("-m", "tcptrace", "--version").returncode
    assert 2 == python("-m", "tcptrace", "connections").returncode


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Dear diary,\nno packets today.\n",
        bytes(range(256)) * 9,
        b"\0" * 64,
        PCAP_HEADER[:11],
        b"\x1f\x8b\x08\0garbage",
        CAPTURE.read_bytes()[:20],
    ],
    ids=["empty", "text", "garbage", "zeros", "half a header", "bad gzip", "half a block"],
)
@pytest.mark.parametrize("command", [[], ["connections"], ["segments", "-T", "csv"]])
def test_what_is_no_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], content: bytes
) -> None:
    """Status 2 and one line that names the file; nothing on stdout."""
    path = tmp_path / "office.pcap"
    path.write_bytes(content)
    assert 2 == status_of([*command, str(path)])
    out, err = capsys.readouterr()
    assert "" == out and 1 == err.count("\n")
    assert err.startswith(f"tcptrace: {path}")


def test_what_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, a folder without captures."""
    (tmp_path / "folder").mkdir()
    for name, words in (("missing.pcap", "No such file"), ("folder", "folder: expected")):
        assert 2 == status_of([str(tmp_path / name)])
        out, err = capsys.readouterr()
        assert "" == out and 1 == err.count("\n")
        assert words in err and str(tmp_path / name) in err


def test_a_file_that_may_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The system's own words, and the file."""
    assert 0 == status_of([str(CAPTURE), "-q"])  # so that all is imported before root is given up
    capsys.readouterr()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "locked.pcap")
        path.write_bytes(PCAP_HEADER)
        path.chmod(0)
        Path(folder).chmod(0o755)
        with nobody():
            assert 2 == status_of([str(path)])
    out, err = capsys.readouterr()
    assert ("", f"tcptrace: {path}: Permission denied\n") == (out, err)


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_header_without_packets_is_a_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report says so; tables are empty; status 0."""
    path = tmp_path / "office.pcap"
    path.write_bytes(PCAP_HEADER)
    assert 0 == status_of([str(path)])
    assert "none: the capture holds no packet" in capsys.readouterr().out
    assert 0 == status_of(["connections", "-T", "json", str(path)])
    assert "[]\n" == capsys.readouterr().out


def test_a_capture_cut_inside_a_packet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that came before the cut, and a row that says where it is; status 0."""
    path = tmp_path / "office.pcapng"
    path.write_bytes(CAPTURE.read_bytes()[:-70])
    assert 0 == status_of(["anomalies", "-T", "csv", "-e", "code", str(path)])
    out, err = capsys.readouterr()
    assert "capture-truncated" in out.splitlines()
    assert "cut short" in err and str(path) in err
    assert 0 == status_of(["connections", "-T", "jsonl", str(path)])
    assert capsys.readouterr().out


def test_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is a capture on a pipe: the same tables as of the file."""
    run = subprocess.run(
        [sys.executable, "-m", "tcptrace", "timeline", "-", "-T", "csv"],
        cwd=ROOT,
        input=CAPTURE.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert (0, b"") == (run.returncode, run.stderr)
    assert 0 == status_of(["timeline", str(CAPTURE), "-T", "csv"])
    assert capsys.readouterr().out == run.stdout.decode()


def test_first_packets_only(capsys: pytest.CaptureFixture[str]) -> None:
    """`-c 3` leaves the rest unread."""
    assert 0 == status_of(["segments", str(CAPTURE), "-c", "3", "-T", "jsonl"])
    assert 3 >= len(capsys.readouterr().out.splitlines()) > 0


def test_a_filter_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in tcpdump's language is the caller's mistake, in a line."""
    assert 2 == status_of(["-f", "port and (", str(CAPTURE)])
    out, err = capsys.readouterr()
    assert "" == out and 1 == err.count("\n")


def test_ctrl_c_while_reading_a_pipe() -> None:
    """Status 130 and silence: no traceback of whatever was going on."""
    words = [sys.executable, "-m", "tcptrace", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None and process.stderr is not None
        content = CAPTURE.read_bytes()
        # More than a pipe holds: when it is written, the process is reading.
        process.stdin.write(content * (1 + 300_000 // len(content)))
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert b"" == process.stderr.read()
        assert 130 == process.wait()
