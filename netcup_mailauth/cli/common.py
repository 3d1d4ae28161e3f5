"""Options that several commands share, and how messages reach the user."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netcup_mailauth.cli.output import check_seen
from netcup_mailauth.errors import UsageError
from netcup_mailauth.records import laid_out, visible

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from netcup_mailauth.plan import ChangeSet, Failure, Plan

COMPLETE = "_NETCUP_MAILAUTH_COMPLETE"
"""The variable in which a shell asks what could come next."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(click.Group):
    """The command group: loads a command when it is needed.

    A mistyped command gets the nearest one named.

    Args:
        known: what each command does, in a few words.
    """

    def __init__(self, *args: Any, known: dict[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._known = known

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands, in the order one meets them."""
        return list(self._known)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command; its module has the same name."""
        from importlib import import_module

        if cmd_name not in self._known:
            return None
        command: click.Command = import_module(f"netcup_mailauth.cli.{cmd_name}").command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, without loading one of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._known.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin like this, without loading a command."""
        from click.shell_completion import CompletionItem

        named = (item for item in self._known.items() if item[0].startswith(incomplete))
        commands = [CompletionItem(name, help=words) for name, words in named]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click; only the error differs."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if args[0].startswith("-"):
                raise
            raise UsageError(
                f"There is no command {args[0]!r}.", self._nearest(ctx, args[0])
            ) from None

    def _nearest(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        known = self.list_commands(ctx)
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        return f"Is {near[0]} meant?" if near else f"The commands are: {', '.join(known)}"


class Settings:
    """The common options, given before or after the command; the later one wins."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.verbose = False
        self.quiet = False
        self.color = "auto"
        self.unanswered: set[str] = set()


_running: list[click.Context] = []
"""The context of the command that is running, for threads, to which click does not give one."""


def settings() -> Settings:
    """The common options of the command that is running."""
    return _context().ensure_object(Settings)


def _context() -> click.Context:
    context = click.get_current_context(silent=True)
    if context is None:
        return _running[-1]
    _running[:] = [context]
    return context


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        # Left at its default after the command, an option must not undo the one before it.
        if ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE:
            setattr(ctx.ensure_object(Settings), name, value)

    return callback


def common_options(command: Command) -> Command:
    """The options every command takes, before or after its name."""
    options = (
        click.option(
            "-c",
            "--config",
            "config_file",
            metavar="FILE",
            type=click.Path(path_type=Path),
            expose_value=False,
            callback=_remember("config"),
            help="The config file; default: netcup-mailauth.toml here, else in your config folder.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_remember("verbose"),
            help="Show each call to netcup.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_remember("quiet"),
            help="Say nothing when nothing changed.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            expose_value=False,
            callback=_remember("color"),
            help="Colour the output.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


FORMAT = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)


LOCK_TIMEOUT = click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for another run of yours that is writing; default: 60.",
)


def agreed(plan: Plan, question: str) -> bool:
    """Ask before anything is written; with nothing to write there is nothing to ask.

    ``{zones}`` in the question stands for what would be written to.
    """
    from netcup_mailauth.judge import holding
    from netcup_mailauth.render.words import held_back, kinds_of

    ready = [
        c for c in plan.zones if (c.changes and not holding.stopping(c)) or holding.is_in_part(c)
    ]
    if not ready:
        return True
    zones = ready[0].place.domain if len(ready) == 1 else f"{len(ready)} domains"
    if len(plan.zones) == 1 and holding.is_in_part(ready[0]):
        words = f"Write {kinds_of(ready[0].without_held)} to {zones}? {held_back(ready[0])}."
        return confirmed(words)
    held = " What is held back is not written." if any(c.held for c in plan.zones) else ""
    return confirmed(question.format(zones=zones) + held)


def confirmed(question: str) -> bool:
    """Ask a question, below what was shown.

    Raises:
        StdoutClosedError: nobody can see it, or what it is about.
    """
    say("")
    check_seen()
    return click.confirm(visible(question), err=True)


on_the_line: list[Callable[[], None]] = []
"""Wipes away what a progress bar has drawn on the terminal's last line, while there is one."""


def say(message: str) -> None:
    """Tell the user something that is not the result: stderr, one line, whatever is in it."""
    for wipe in on_the_line:
        wipe()
    click.echo(visible(message), err=True)


def show(text: str, *, err: bool = False) -> None:
    """Print what is laid out already, in as many lines as it has: the result, on stdout."""
    for wipe in on_the_line:
        wipe()
    colour = use_colour(sys.stderr if err else sys.stdout)
    click.echo(laid_out(text, coloured=use_colour()), err=err, nl=False, color=colour)


def attended() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def asker() -> Callable[[str], str] | None:
    """Asks for a secret that is nowhere to be found; ``None`` where nobody is to be asked."""
    told_not_to = settings().quiet or _context().params.get("yes")
    return _ask_once if attended() and not told_not_to else None


def _ask_once(name: str) -> str:
    """Ask, unless the answer was none before: a run needs a key once for each domain."""
    unanswered = settings().unanswered
    answer = "" if name in unanswered else ask_secret(name)
    if not answer:
        unanswered.add(name)
    return answer


def ask_secret(what: str) -> str:
    """Ask for a secret at the terminal, which does not show it; empty if there was no answer."""
    answer = click.prompt(what, default="", hide_input=True, show_default=False, err=True)
    return str(answer)


def warn(message: str) -> None:
    """Tell the user of something odd that does not stop the run."""
    say(f"netcup-mailauth: warning: {message}")


def note_needless(change_set: ChangeSet) -> None:
    """Name what is allowed without need: a consent that stays around may hide the next fault."""
    from netcup_mailauth.judge import holding

    if change_set.error is None and not settings().quiet:
        for code in holding.needless(change_set):
            say(
                f"note: {change_set.place.domain}: {code} is allowed, and there is no such finding."
            )


def complain(domain: str, failure: Failure, output_format: str) -> None:
    """Say on stderr why a domain failed, unless the same screen just said it."""
    seen = output_format == "text" and sys.stdout.isatty() and sys.stderr.isatty()
    if not seen:
        named = failure.message.startswith(domain)
        say(f"netcup-mailauth: {'' if named else f'{domain}: '}{failure.message}")
        for line in failure.advice.splitlines():
            say(f"  {line}")


def use_colour(stream: Any = None) -> bool:
    """Whether to colour, by option, NO_COLOR, FORCE_COLOR, or what the stream is."""
    choice = settings().color
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool((stream or sys.stdout).isatty()) and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns to lay text out for."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
