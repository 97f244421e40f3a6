"""The command line. `COMMANDS` lists the commands; anything else on the line is a report's FILE.

`main` is what `tcptrace.__main__` calls: it turns whatever happens into
an exit status and at most one line on stderr. Modules of the commands, and through them pandas
and rich, are imported when their command runs.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from tcptrace.errors import TcptraceError
from tcptrace.faces.terminal import note, take_any_alphabet
from tcptrace.faces.version import version_text
from tcptrace.interrupt import INTERRUPTED

COMMANDS: Final[dict[str, str]] = {
    "connections": "tcptrace.faces.tables:connections",
    "timeline": "tcptrace.faces.tables:timeline",
    "anomalies": "tcptrace.faces.tables:anomalies",
    "segments": "tcptrace.faces.tables:segments",
    "show": "tcptrace.faces.show:show",
    "sockets": "tcptrace.faces.sockets:sockets",
    "population": "tcptrace.faces.population:population",
    "swimlane": "tcptrace.faces.swimlane:swimlane",
    "live": "tcptrace.faces.live:live",
    "fsm": "tcptrace.faces.fsm:fsm",
}
REPORT: Final = "report"  # runs where no command is named; not a word of the command line
REPORT_HOME: Final = "tcptrace.faces.report:report"
GENERAL: Final = ("-h", "--help", "--version")

DONE, BAD = 0, 2
PIPE_BROKEN = 141  # 128 + SIGPIPE, as a shell sees tcpdump end


class Commands(click.Group):
    """The commands of `COMMANDS`, and the report for a line that names none of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the report's name before a line that does not begin with a command."""
        if args and args[0] not in COMMANDS and args[0] not in GENERAL:
            args = [REPORT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the literal."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        home = COMMANDS.get(cmd_name, REPORT_HOME if cmd_name == REPORT else "")
        if not home:
            return None
        module, _, name = home.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The two forms of the line."""
        return ["[OPTIONS] FILE...", "|", "COMMAND [OPTIONS] ..."]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the report's options."""
        self.format_commands(ctx, formatter)
        report = self.get_command(ctx, REPORT)
        if report is not None:
            params = [*report.params, *self.get_params(ctx)]
            options = [param for param in params if isinstance(param, click.Option)]
            records = [option.get_help_record(ctx) for option in options]
            with formatter.section("Options of the report"):
                formatter.write_dl([record for record in records if record])


def _version(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(version_text())
        ctx.exit()


EXAMPLES = """\b
Examples:
  tcptrace office.pcapng.zst                    the report
  tcpdump -U -w - tcp | tcptrace -              the same of a pipe
  tcptrace connections office.pcapng -Y 'state == fin-wait-2' -T csv
  tcptrace show office.pcapng 7                 one connection
"""


@click.command(
    cls=Commands,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
              help="The version, and which kernels are compiled.")  # fmt: skip
def cli() -> None:
    """Both endpoints' TCP states, rebuilt from a packet capture.

    A line that begins with the name of a command runs it; any other line is the report of the
    files it names. A file that is called like a command is given as ./connections.
    """


def main() -> None:
    """Run the process's own command line and exit with its status.

    A command makes many objects and drops few: the collector need not look at them so often.
    No command multiplies matrices: threads for that would only be started. Arrow's own allocator
    keeps what it was given; the system's takes it back for the next tables.
    """
    gc.set_threshold(1_000_000, 50, 100)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    status = status_of(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the system takes the memory back at once, the interpreter object by object


def status_of(args: Sequence[str]) -> int:
    """Run a command line; its exit status: 0 done, 2 bad usage or input, 130 Ctrl-C, 141 pipe."""
    for stream in (sys.stdout, sys.stderr):
        take_any_alphabet(stream)
    try:
        return _run(list(args))
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_BROKEN
    except click.ClickException as error:
        return _complain(_told(error))
    except TcptraceError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.filename or 'output'}: {error.strerror or error}")


def _run(args: list[str]) -> int:
    try:
        with cli.make_context("tcptrace", args) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return BAD
    except click.exceptions.Exit as exit_:
        sys.stdout.flush()
        return exit_.exit_code
    return DONE


def _told(error: click.ClickException) -> str:
    """Click's message with the command to ask for help."""
    context = getattr(error, "ctx", None)
    path = context.command_path.removesuffix(f" {REPORT}") if context else "tcptrace"
    return f"{error.format_message().rstrip('.')} (see {path} --help)"


def _complain(message: str) -> int:
    note(f"tcptrace: {' '.join(message.splitlines())}")
    return BAD


def _silence_stdout() -> None:
    """Nobody reads: send what is still buffered nowhere, so that Python's exit is quiet too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
