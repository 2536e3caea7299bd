"""The command line: one module a command, imported when it is run.

The only code that prints and picks exit codes: 0 clean, 1 problems in specs or data, 2 wrong usage
or a file that cannot be read or written, 3 a bug of ours.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
import warnings
from typing import TYPE_CHECKING

import click

from pyfutures import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "validate": "Check contract specs and calendars.",
    "new": "Start the spec of a root: a commented file that already passes.",
    "fmt": "Lay out specs and calendars alike.",
    "code": "Say what the code of a diagnostic means.",
    "chain": "Print contract months with their dates.",
    "explain": "Say step by step why a date is what it is.",
    "diff": "Say which dates a change of specs or calendars moves.",
    "position": "Say which month is current at an instant.",
    "verify": "Compare specs with the contract details of an IB gateway.",
    "schema": "Print or write the JSON Schemas that an editor checks specs by.",
    "timeline": "Show what happens when: a list, a page, a picture, a calendar file.",
    "continuous": "Build continuous series from contract bars.",
    "download": "Fetch bars and ticks of contracts from an IB gateway.",
    "node": "Run a live node of nautilus_trader.",
    "plan": "Say which positions of a node will roll, and with which orders.",
    "gateway": "Run a simulated IB gateway; serve and read recorded sessions.",
}
#: Commands that run for long enough to leave garbage.
_LONG = frozenset({"verify", "continuous", "download", "node", "plan", "gateway"})


class LazyGroup(click.Group):
    """A group whose commands are modules: one command imports nothing of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the work, not of the alphabet."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a module of the same name, None if there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"pyfutures.cli.{cmd_name}")
        if cmd_name in _LONG and not gc.isenabled():
            gc.freeze()  # modules are no garbage
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one names the nearest."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415 - only when somebody mistyped

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" One of: {', '.join(_COMMANDS)}."
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 clean, 1 problems in specs or data, 2 usage or I/O, 3 a bug of ours.",
)
@click.version_option(__version__, prog_name="pyfutures")
@click.option(
    "--contracts",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(file_okay=False),
    help="A folder of your own specs, laid over the built-in catalogue. Repeatable; the last wins.",
)
@click.pass_context
def group(ctx: click.Context, folders: tuple[str, ...]) -> None:
    """Futures contracts as data: last-trade rules, chains and rolls."""
    # `new` makes the folder that it writes to.
    for folder in folders[:-1] if ctx.invoked_subcommand == "new" else folders:
        if not os.path.isdir(folder):  # noqa: PTH112 - pathlib is imported only where it is needed
            raise click.BadParameter(
                f"Directory {folder!r} does not exist.", param_hint="--contracts"
            )
    ctx.obj = folders


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    # A short command leaves no garbage worth the time of looking for it.
    gc.disable()
    # numpy's linear algebra, which nobody here asks for, starts a thread a core when imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file may have a name, and a terminal a code page, that UTF-8 is not.
            stream.reconfigure(errors="replace")
    warnings.formatwarning = _one_line
    code = run(args)
    gc.freeze()  # what is left goes with the process: nobody has to look through it
    sys.exit(code)


def _one_line(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001 - what python calls it with
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> str:
    """A warning for people: which line of the program gives it says nothing to them."""
    return f"pyfutures: warning: {message}\n"


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        code = group.main(args=args, prog_name="pyfutures", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        shown: click.ClickException = error
        if isinstance(error, click.NoSuchOption) and error.option_name == "--contracts":
            where = "--contracts goes before the command: pyfutures --contracts DIR COMMAND"
            shown = click.UsageError(where, ctx=error.ctx)
        shown.show()
        return shown.exit_code
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough; python would complain when it flushes.
        sys.stdout = None
        return 0
    except OSError as error:
        click.echo(f"pyfutures: {_io_text(error)}", err=True)
        return 2
    except Exception:  # noqa: BLE001 - the last line of defence: every bug leaves a report, exit 3
        from pyfutures.cli.bug import report_bug  # noqa: PLC0415 - only when it is needed

        return report_bug(args)
    return code if isinstance(code, int) else 0


def _io_text(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"
