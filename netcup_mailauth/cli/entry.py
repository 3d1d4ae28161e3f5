"""The entry point: the command group, and what an error looks like to the user."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import click

from netcup_mailauth.cli.commands import COMMANDS, Group
from netcup_mailauth.cli.options import COMMON
from netcup_mailauth.cli.output import (
    COMPLETE,
    StdoutClosedError,
    Unanswered,
    advise,
    begin,
    check_printed,
    outlets,
    say,
    settings,
)
from netcup_mailauth.cli.usage import CONTEXT, HELP
from netcup_mailauth.errors import ConfigError, ExitCode, MailauthError
from netcup_mailauth.shown import visible
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from types import FrameType

EPILOG = """\b
Be guided to three verified records:  netcup-mailauth setup example.com
Watch it first, without an account:   netcup-mailauth demo
What receivers see now:               netcup-mailauth check example.com
"""


@click.group(cls=Group, context_settings=CONTEXT, epilog=EPILOG, invoke_without_command=True)
@click.version_option(
    __version__, "-V", "--version", prog_name="netcup-mailauth", help="Show the version and exit."
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Put a mail domain's SPF, DKIM and DMARC records right at netcup."""
    _leave_no_core()
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


cli.params += [option.but(hidden=False).made() for option in COMMON]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    begin()
    # Hardly anything here refers to itself, and looking for it costs more than it brings.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)  # nor is it looked for when all memory is given back anyhow
    # What a plugin of somebody's would be shown as it is checked: credentials.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if os.environ.get(COMPLETE):
        from netcup_mailauth.cli.completion import answer

        return answer(cli)
    with outlets():
        code = _run(arguments)
        try:
            check_printed()
        except StdoutClosedError as error:
            told = _ended(error)
            # What the run itself came to says more.
            return code or told
        return code


def _run(arguments: list[str] | None) -> int:
    """Run a command, and write down how it ended if that is wished for."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup the shell has SIGHUP ignored, and so it stays.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        _look_for_slips(sys.argv[1:] if arguments is None else arguments)
        result = cli.main(arguments, prog_name="netcup-mailauth", standalone_mode=False)
        code = int(result) if isinstance(result, int) else ExitCode.OK
    except BaseException as error:  # noqa: BLE001 - the last resort: a traceback may show a secret
        code = _ended(error)
    if settings().metrics_file is None:
        return code
    try:
        from netcup_mailauth.cli import metrics

        metrics.write(code)
    except BaseException as error:  # noqa: BLE001 - as above
        return _ended(error)
    return code


def _look_for_slips(words: list[str]) -> None:
    if HELP.isdisjoint(words):  # a help is never refused, and comes at once
        from netcup_mailauth.cli import slips

        slips.check(words)


def _ended(error: BaseException) -> int:
    """Say what a run ended with, in words and as a number."""
    match error:
        case ConfigError():  # one mistake a line
            return _report(error.exit_code, error.what, error.advice)
        case MailauthError():
            return _report(error.exit_code, visible(error.what), error.advice)
        case click.NoSuchOption() if having := _having(error.option_name):
            return _report(ExitCode.USAGE, f"There is no option {error.option_name} here.", having)
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "netcup-mailauth"
            what = " ".join(error.format_message().split())  # it breaks lines, and has tabs
            return _report(ExitCode.USAGE, what, f"See: {command} --help")
        case click.ClickException():
            return _report(ExitCode.USAGE, error.format_message(), "")
        case Unanswered():
            return _report(ExitCode.INTERRUPTED, "Interrupted; nothing was written.", "")
        case KeyboardInterrupt() | click.Abort():
            return _report(ExitCode.INTERRUPTED, "Interrupted.", "")
        case Exception():
            return _unexpected(error)
    raise error


def _having(option: str) -> str:
    """Which commands have an option that this one does not; empty if none has."""
    known = ((name, {n for one in c.options for n in one.names}) for name, c in COMMANDS.items())
    having = [name for name, names in known if option in names]
    return f"{' and '.join(having)} {'has' if len(having) == 1 else 'have'} it." if having else ""


def _leave_no_core() -> None:
    """Have no crash write the secrets in memory to a disk, and no debugger of this user read them.

    A core that is piped to a program (systemd-coredump) does not mind the limit, so that Linux is
    also told that this process is not to be dumped. What is run from here, such as a signer's
    command, may dump again, and raise its limit to what it was.
    """
    with suppress(ImportError, OSError, ValueError, AttributeError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


_PR_SET_DUMPABLE = 4
"""As in ``linux/prctl.h``."""


def _report(code: ExitCode, what: str, advice: str) -> int:
    first, *further = what.split("\n")
    say(f"netcup-mailauth: {first}")
    for line in further:
        words = line.lstrip(" ")
        say(words, line[: len(line) - len(words)])
    advise(advice)
    return code


def _unexpected(error: Exception) -> int:
    import traceback

    *_, place = traceback.extract_tb(error.__traceback__)
    return _report(
        ExitCode.ERROR,
        f"Unexpected {type(error).__name__} in {place.name}, line {place.lineno}.",
        f"This is a mistake in netcup-mailauth {__version__}; please report this line.",
    )


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
