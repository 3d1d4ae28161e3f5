"""What is wanted of each domain, as the options of a command and the config say it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from netcup_mailauth import records
from netcup_mailauth.cli.options import config_words, typed
from netcup_mailauth.cli.output import settings
from netcup_mailauth.errors import UsageError
from netcup_mailauth.records import Kind
from netcup_mailauth.settings import wishes as wishing
from netcup_mailauth.settings.credentials import MAILCOW_URL
from netcup_mailauth.settings.wishes import NothingWantedError, at_selector, policy_of

if TYPE_CHECKING:
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.judge.report import Basis
    from netcup_mailauth.netcup.zonefile import ZoneFiles
    from netcup_mailauth.policy import Wish


def wishes(
    current: Run,
    domains: tuple[str, ...],
    options: dict[str, Any],
    exported: ZoneFiles | None = None,
) -> list[Wish]:
    """What is wanted for each domain of this shard.

    Where zones are ``exported``, they are the domains that mailcow serves: it need not be asked.
    """
    try:
        wished = wishing.wishes(
            domains,
            policy_of(options),
            [Kind(kind) for kind in options["kind"]],
            current.config.config,
            served=lambda: current.mailcow.domains() if exported is None else exported.names,
            path=current.config.path,
        )
    except NothingWantedError as error:
        if not domains:
            raise
        near = f"{error.advice}\n" if error.nearest else ""
        raise UsageError(error.what, near + _ways_on(current, domains, options)) from None
    return current.many.mine(wishing.with_allowed(wished, options["allow"]))


def wishes_to_check(
    current: Run, domains: tuple[str, ...], options: dict[str, Any]
) -> tuple[list[Wish], Basis]:
    """The domains to check, and what they are compared with.

    Where no key is named, ``--selector`` only says where to look for one.
    """
    from netcup_mailauth.judge.report import Basis

    chosen = options["selector"]
    only_looked = chosen is not None and domains and not (options["dkim"] or options["mailcow"])
    selector = records.selector(chosen) if only_looked else None
    policy = policy_of({**options, "selector": None if selector else chosen})
    wished = wishing.wishes_to_check(
        domains,
        policy,
        [Kind(kind) for kind in options["kind"]],
        current.config.config,
        served=lambda: current.mailcow.domains(),
        path=current.config.path,
    )
    allowed = current.many.mine(wishing.with_allowed(wished, options["allow"]))
    basis = Basis.OPTIONS if policy.manages else Basis.CONFIG
    return [at_selector(wish, selector) if selector else wish for wish in allowed], basis


HOW_TO = {
    Kind.SPF: ("--spf", "v=spf1 mx a -all"),
    Kind.DMARC: ("--dmarc", "v=DMARC1;p=quarantine"),
}
"""The records that the usual how-to of a mail server has; the third is its DKIM key."""

PLACEHOLDER = "https://mail.example.com"


def _ways_on(current: Run, domains: tuple[str, ...], options: dict[str, Any]) -> str:
    """How to say what is wanted: by questions, or by a command with the records of the how-to."""
    chosen = [Kind(kind) for kind in options["kind"]] or [Kind.SPF, Kind.DKIM, Kind.DMARC]
    words = ["netcup-mailauth", settings().command, *domains, *config_words()]
    words += typed(options, ("server", "resolver", "kind"))
    key: tuple[str, ...] = ("--mailcow", os.environ.get(MAILCOW_URL) or PLACEHOLDER)
    if MAILCOW_URL not in os.environ and current.mailcow_named():
        key = ("--dkim", "mailcow")  # its address is where it is trusted as far as it may be
    for kind in chosen:
        words += key if kind is Kind.DKIM else HOW_TO[kind]
    guided = shlex.join(["netcup-mailauth", "setup", domains[0]])
    lines = ["To be asked what it should have, and have a config written:", f"  {guided}"]
    lines += ["Or all of it in a line, as the usual how-to has it:", f"  {shlex.join(words)}"]
    if Kind.DKIM in chosen and PLACEHOLDER in key:
        lines.append(f"({PLACEHOLDER} is a placeholder for the address of your mailcow.)")
    return "\n".join(lines)
