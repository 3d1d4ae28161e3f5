"""Every command as the help and a shell know it; what it does is loaded when it runs.

So a mistake in the command line, ``--help`` and a press of Tab are answered at once, and a
command's module imports what it needs at its top, as any other.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netcup_mailauth.cli import options as opt
from netcup_mailauth.cli.output import say, settings
from netcup_mailauth.cli.usage import CONTEXT, Grouped, row_of, write_sections
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Command(NamedTuple):
    """A command; the module of its name has the function ``command`` that runs it.

    Attributes:
        summary: what it does, in a few words.
        help: its whole help, but for the options.
        options: those it takes beside the common ones.
    """

    summary: str
    help: str
    options: tuple[opt.Option, ...] = ()
    arguments: tuple[click.Argument, ...] = ()

    def made(self, name: str) -> click.Command:
        """The command as click has it."""
        options = (*self.options, *opt.COMMON)
        return Grouped(
            name,
            groups={option.parameter: option.group for option in options},
            params=[*self.arguments, *(option.made() for option in options)],
            callback=partial(_run, name),
            help=self.help,
            context_settings=CONTEXT,
        )


def _run(name: str, **options: Any) -> Any:
    now = settings()
    now.command, now.options = name, options
    if now.record is not None:
        from netcup_mailauth.cli import recording

        recording.check_alone(now.record, [now.config, *options.values()])
    metrics_file = options.pop(opt.METRICS_FILE.parameter, None)
    if metrics_file is not None:
        from netcup_mailauth.cli import metrics

        metrics.begin(metrics_file)
    result = import_module(f"netcup_mailauth.cli.{name}").command(**options)
    if now.record is not None and not now.recording:
        say(f"--record: {name} says nothing to netcup, so {now.record} is not written.")
    return result


MAYBE_A_DOMAIN = click.Argument(["domain"], required=False, shell_complete=opt.offered)
DOMAINS = click.Argument(["domains"], nargs=-1, metavar="[DOMAIN]...", shell_complete=opt.offered)
NEW_DOMAINS = click.Argument(["domains"], nargs=-1, metavar="[DOMAIN]...")
"""Those of which the config need not know, so that none of its own are offered."""
SUBJECT = click.Argument(["subject"], nargs=-1, metavar="[SUBJECT]", shell_complete=opt.offered)

COMMANDS = {
    "setup": Command(
        "From nothing to three verified records, by questions.",
        """Put a domain's three records right, by questions; then keep the config for a timer.

        It asks for what it cannot find out, proposes SPF, DKIM and DMARC with a reason each, shows
        the plan, and writes once you say yes. Until then nothing is kept.

        \b
        netcup-mailauth setup example.com
        netcup-mailauth setup example.com --mailcow https://mail.example.com
        """,
        (
            opt.MAILCOW.but(help="The mailcow that signs its mail."),
            opt.RESOLVER.but(help="The recursive DNS resolver to ask."),
        ),
        (click.Argument(["domain"], required=False),),
    ),
    "auth": Command(
        "Enter credentials once, try each, and keep them.",
        """Enter credentials once: each is tried at its API, then kept for you alone.

        Keys and passwords are not shown as you type, and an empty answer keeps what is there. They
        are kept in credentials.toml in your config folder (mode 0600), mailcow's key beside its
        address; environment variables, their _FILE forms and systemd's credentials come before it.

        \b
        netcup-mailauth auth
        netcup-mailauth auth --check      (exits with 0 if all is well, else with 4)
        """,
        (
            opt.AUTH_CHECK,
            opt.MAILCOW.but(help="The mailcow to try the key at."),
        ),
    ),
    "init": Command(
        "Write a starter config from what is live.",
        """Write a commented netcup-mailauth.toml from the live zones, and mailcow if it is given.

        Its first plan is empty, or exactly the repairs it explains. Without DOMAIN it is every
        domain that mailcow serves. If the file is there, the tables it lacks are printed, and
        nothing is overwritten.

        \b
        netcup-mailauth init example.com
        netcup-mailauth init --mailcow https://mail.example.com
        """,
        (
            opt.MAILCOW.but(help="The mailcow that signs their mail."),
            opt.RESOLVER.but(help="The recursive DNS resolver to ask."),
        ),
        (NEW_DOMAINS,),
    ),
    "records": Command(
        "List a zone.",
        """List the records of a zone, or of each zone of the config.

        \b
        netcup-mailauth records example.com
        netcup-mailauth records example.com --mail --format json
        netcup-mailauth records --format json > zones.json      (for plan --zone-file)
        """,
        (opt.MAIL, opt.FORMAT),
        (DOMAINS,),
    ),
    "plan": Command(
        "Show what would change; write nothing.",
        """Show what would change in each domain's zone. Writes nothing there.

        \b
        netcup-mailauth plan example.com --mailcow https://mail.example.com \\
            --spf 'v=spf1 mx a -all' --dmarc 'v=DMARC1;p=quarantine'
        netcup-mailauth plan              (every domain of the config)
        netcup-mailauth plan --out plan.json --format markdown    (to be reviewed)
        """,
        (
            *opt.WANTED,
            *opt.JUDGING,
            opt.FORMAT,
            opt.FULL,
            opt.EXIT_CODE,
            opt.OUT,
            opt.ZONE_FILE,
            *opt.MANY,
            opt.METRICS_FILE,
        ),
        (DOMAINS,),
    ),
    "apply": Command(
        "Plan, show, ask, write once per zone, verify.",
        """Plan, show, ask, write each zone in one call, and verify the answer.

        \b
        netcup-mailauth apply example.com --mailcow https://mail.example.com \\
            --spf 'v=spf1 mx a -all' --dmarc 'v=DMARC1;p=quarantine'
        netcup-mailauth apply --yes               (every domain of the config)
        netcup-mailauth apply --plan plan.json    (as it was reviewed, or not at all)
        """,
        (
            *opt.WANTED,
            *opt.JUDGING,
            *opt.WATCHING,
            opt.LOCK_TIMEOUT,
            opt.FORMAT,
            opt.FULL,
            opt.YES,
            opt.DRY_RUN.but(help="Write nothing, whatever else is said: as plan."),
            opt.PLAN_FILE,
            *opt.MANY,
            opt.METRICS_FILE,
        ),
        (DOMAINS,),
    ),
    "check": Command(
        "What receivers see, at every name server.",
        """Ask every authoritative name server, and say what receivers make of it.

        Needs no credentials and no config; with them it tells what is only on its way (pending)
        from what is wrong. Exits with 0 if all is right, 8 if something is wrong, 9 if nothing is
        wrong but it is not everywhere yet.

        \b
        netcup-mailauth check example.com
        netcup-mailauth check example.com --dkim mailcow --wait
        """,
        (
            *opt.EXPECTED,
            *opt.JUDGING,
            *opt.WATCHING,
            opt.FORMAT,
            opt.FULL.but(help="Show values in full."),
            opt.JOBS.but(help="Ask netcup for so many domains at a time."),
            opt.SHARD,
            opt.CHANGED.but(help="Show no domain at which all is right."),
            opt.METRICS_FILE,
        ),
        (DOMAINS,),
    ),
    "show": Command(
        "Show a saved plan.",
        """Show the plan in a file that plan --out has written. Asks nobody.

        Exits with 7 if the file was damaged, with 6 if apply would refuse what is in it.

        \b
        netcup-mailauth show plan.json
        netcup-mailauth show plan.json --format markdown
        """,
        (opt.FORMAT, opt.FULL),
        (click.Argument(["file"], type=opt.FILE),),
    ),
    "undo": Command(
        "Put back what the last apply changed.",
        """Put back what the last apply to DOMAIN changed, and nothing else.

        \b
        netcup-mailauth undo example.com    (again: one apply further back)
        netcup-mailauth undo --list         (every run that wrote, with its ids)
        netcup-mailauth undo --run ID       (what one run wrote, in all domains)
        """,
        (
            *opt.UNDO,
            *opt.JUDGING,
            opt.MAILCOW.but(help="Asked which key it signs with (MAILCOW_API_KEY)."),
            opt.LOCK_TIMEOUT,
            opt.FORMAT,
            opt.FULL,
            opt.YES,
        ),
        (MAYBE_A_DOMAIN,),
    ),
    "rotate": Command(
        "Replace a DKIM key without a gap.",
        """Replace the DKIM key of DOMAIN without a gap; run again, it does what is due by then.

        \b
        netcup-mailauth rotate example.com    (shows each write with its date; asks)
        netcup-mailauth rotate --continue     (from a timer: what is due, no more)
        netcup-mailauth rotate --older-than 180d --yes    (as well, and begins them)
        netcup-mailauth rotate --status
        netcup-mailauth rotate example.com --abort
        """,
        (
            *opt.ROTATE,
            *opt.JUDGING,
            opt.NAMESERVER.but(help="Ask it; only with a netcup on this machine."),
            opt.WAIT.but(help="Stay, as long as the next step is due in time."),
            opt.TIMEOUT.but(help="How long --wait stays; default: 1800."),
            opt.LOCK_TIMEOUT,
            opt.TEXT_OR_JSON,
            opt.YES,
            opt.METRICS_FILE,
        ),
        (NEW_DOMAINS,),
    ),
    "help": Command(
        "A page of the guide, or what a finding means.",
        """Show a page of the guide, what a finding or an exit code means, or a command's options.

        Without SUBJECT it lists the pages.

        \b
        netcup-mailauth help
        netcup-mailauth help credentials
        netcup-mailauth help spf-drops-sender
        netcup-mailauth help 8
        """,
        (),
        (SUBJECT,),
    ),
    "sandbox": Command(
        "Run a netcup on this machine, to practise.",
        """Run a netcup (and a mailcow) on loopback until it is interrupted.

        \b
        netcup-mailauth sandbox --domain example.com
        """,
        opt.SANDBOX,
    ),
    "demo": Command(
        "Watch the whole story on a private sandbox.",
        """Watch a plan, an apply, a key change and a second apply on a sandbox of its own.

        Needs no account and reaches nothing outside this machine.
        """,
    ),
    "completion": Command(
        "Print a script that completes for your shell.",
        """Print a script that has SHELL complete commands, options and the domains of the config.

        \b
        bash, in ~/.bashrc:  eval "$(netcup-mailauth completion bash)"
        zsh, in ~/.zshrc:    eval "$(netcup-mailauth completion zsh)"
        fish:  netcup-mailauth completion fish \\
                   > ~/.config/fish/completions/netcup-mailauth.fish
        """,
        (),
        (click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"])),),
    ),
}
"""The commands, in the order one meets them."""


class Group(click.Group):
    """The command group: makes a command when it is named, and tells the nearest of a mistyped."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands, in the order one meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, by its name."""
        return COMMANDS[cmd_name].made(cmd_name) if cmd_name in COMMANDS else None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click: the commands, and the options that each of them has."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        write_sections(
            formatter,
            {
                "Commands": [(name, known.summary) for name, known in COMMANDS.items()],
                opt.EVERYWHERE: [row_of(option, ctx) for option in options],
            },
        )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin like this."""
        from click.shell_completion import CompletionItem

        named = [name for name in COMMANDS if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=COMMANDS[name].summary) for name in named]
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
            raise UsageError(f"There is no command {args[0]!r}.", _nearest(args[0])) from None


_OTHER_NAMES = {
    **dict.fromkeys(("list", "ls", "zone"), "records"),
    **dict.fromkeys(("login", "credentials"), "auth"),
    **dict.fromkeys(("dry-run", "diff"), "plan"),
    **dict.fromkeys(("update", "set", "write"), "apply"),
    **dict.fromkeys(("verify", "test", "status"), "check"),
    **dict.fromkeys(("revert", "rollback", "restore"), "undo"),
}
"""What other programs call a command of ours."""


def _nearest(name: str) -> str:
    import shlex
    from difflib import get_close_matches

    if name == "version":
        return "It is an option: netcup-mailauth --version"
    if "." in name:  # a domain, and no command has a dot in it
        return f"Say what to do with it, as in: netcup-mailauth check {shlex.quote(name)}"
    near = [_OTHER_NAMES.get(name.lower(), "")]
    if near == [""]:
        near = get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
    return f"Is {near[0]} meant?" if near else f"The commands are: {', '.join(COMMANDS)}"
