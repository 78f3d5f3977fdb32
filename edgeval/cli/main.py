"""The command ``edgeval``: a lazy click group, so that --help imports no verb."""

from __future__ import annotations

import errno
import importlib
import io
import logging
import os
import sys
from typing import ClassVar

import click

from edgeval import __version__
from edgeval.cli.plain import plain
from edgeval.errors import EdgevalError, MemoryLimitError, UnknownName


class LazyGroup(click.Group):
    """A group whose commands live in ``edgeval.cli.<verb>`` and are imported when called."""

    VERBS: ClassVar[dict[str, str]] = {
        "run": "Run a benchmark on a model and score every answer.",
        "list": "List benchmarks, families, engines and models.",
        "show": "Show every step of one sample of a run.",
        "errors": "Sample wrong answers onto a sheet, or count a filled one.",
        "maps": "Ask a model where the objects of a room stand, and judge it.",
        "frames": "Write the frames a rule picks from a video.",
        "score": "Score answers, or a finished run again, without a model.",
        "compare": "Compare two runs on the same questions.",
        "capsule": "Pack a finished run into one file that anyone can check.",
        "verify": "Check a capsule: sealed, scored again, replayed.",
        "data": "Check a dataset folder.",
        "export": "Export a checkpoint to ONNX graphs.",
        "build": "Build TensorRT engines before a run needs them.",
        "doctor": "Say what on this machine is wrong for evaluating.",
        "selftest": "Prove an engine right or wrong on this machine, in seconds.",
        "plan": "Say what a run will take of memory, disk and time.",
        "soak": "Ask for many minutes: how fast it stays, and what slows it.",
        "bench": "Measure this installation against itself.",
    }

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an empty text: a path of none would mean the folder one happens to stand in."""
        for before, text in zip(["", *args], args, strict=False):
            bare = text.startswith("--") and text.endswith("=")
            if not text or bare:
                option = text[:-1] if bare else before if before.startswith("-") else "an argument"
                raise click.UsageError(f"got an empty text for {option}; name it or leave it out")
        return super().parse_args(ctx, args)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Verbs in the order they are told."""
        return list(self.VERBS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which verb was meant, as with every other name."""
        if args[0] not in self.VERBS and not args[0].startswith("-"):
            raise UnknownName("verb", args[0], self.VERBS)
        return super().resolve_command(ctx, args)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module; None for an unknown one."""
        if cmd_name not in self.VERBS:
            return None
        module = importlib.import_module(f"edgeval.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.VERBS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edgeval")
def cli() -> None:
    """What a small video language model is worth on the device it runs on."""


class Telling(logging.Handler):
    """What takes long and says so: the lines of the package's loggers, on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it as everything else is said."""
        click.echo(f"edgeval: {record.getMessage()}", err=True)


def main() -> None:
    """Run the command line; turn errors into one sentence and their exit code."""
    # Whatever imports onnxruntime: from 1.31 on it reports to its makers unless told not to.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    logger = logging.getLogger("edgeval")
    logger.setLevel(logging.INFO)
    logger.handlers[:] = [Telling()]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no sign for a name is told its number; the work is not lost over it.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(standalone_mode=False, auto_envvar_prefix="EDGEVAL")
    except EdgevalError as error:
        click.echo(plain(f"edgeval: {error}"), err=True)
        sys.exit(error.exit_code)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "edgeval"
        said = error.format_message().rstrip(".")
        if said.startswith("Usage:"):  # A group without a verb: all of its help.
            click.echo(said, err=True)
            sys.exit(error.exit_code)
        click.echo(f"edgeval: {said}; see '{path} --help'", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"edgeval: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except MemoryError as error:
        click.echo(f"edgeval: got no memory for this ({error or 'the system gave none'})", err=True)
        sys.exit(MemoryLimitError.exit_code)
    except OSError as error:
        # What has no sentence of its own, above all standard output onto a full disk.
        nameless = "the current folder" if error.errno == errno.ENOENT else "standard output"
        where = error.filename if error.filename is not None else nameless
        said = f"edgeval: {where}: cannot be read or written ({error.strerror})"
        click.echo(plain(said), err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("edgeval: interrupted", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
