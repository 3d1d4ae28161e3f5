"""Puts the parts of ``rotate`` together: what signs, where the state lies, whom to ask."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.options import NAMESERVER
from netcup_mailauth.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from netcup_mailauth.actions.rotator import Rotator
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.lookup import Server
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.policy import DomainPolicy, Wish
    from netcup_mailauth.rotation.books import Books
    from netcup_mailauth.rotation.signer import Signer, SignerKey
    from netcup_mailauth.rotation.state import Rotation
    from netcup_mailauth.rotation.waits import Waits

QUICK_RETRY = 15.0
"""Seconds until name servers are asked again while somebody sits and waits."""


class Workshop:
    """What one run of ``rotate`` works with.

    Args:
        run: the run.
        options: the command's options.
        tell: told of each thing done.
    """

    def __init__(self, run: Run, options: dict[str, Any], tell: Callable[[str], None]) -> None:
        self._run = run
        self._options = options
        self._tell = tell
        self._mailcow: Mailcow | None = None
        self._told_of_servers: set[str] = set()
        self._check_servers()
        self._session = run.session(lock_timeout=options["lock_timeout"])
        self.waits = waits_of(run, options)

    def zone_of(self, domain: str) -> str:
        """The zone a domain lies in."""
        from netcup_mailauth.policy import Wish

        return self._session.zone_of(Wish(domain, self.policy(domain)))

    def check_that_netcup_may_serve(self, domain: str) -> None:
        """Ask DNS, before netcup counts a miss.

        Raises:
            ZoneError: the zone is elsewhere or nowhere, or DNS does not say of it alone.
        """
        from netcup_mailauth.actions.planning import check_that_netcup_may_serve

        check_that_netcup_may_serve(self.zone_of(domain), self._session.lookup())

    def policy(self, domain: str) -> DomainPolicy:
        """What the config says about a domain."""
        from netcup_mailauth.policy import DomainPolicy, layered

        config = self._run.config.config
        own = config.domains.get(domain)
        if own is None and config.domains_from is None:
            return DomainPolicy()
        return layered(config.defaults, own or DomainPolicy())

    def managed(self) -> list[Wish]:
        """Every domain of the config whose key is managed; the helper has none of its own.

        Raises:
            UsageError: there is none.
        """
        from netcup_mailauth.policy import DomainPolicy
        from netcup_mailauth.records import Kind
        from netcup_mailauth.settings.wishes import wishes

        config = self._run.config.config
        found = wishes(
            (), DomainPolicy(), [Kind.DKIM], config, served=lambda: self._run.mailcow.domains()
        )
        return [wish for wish in found if wish.domain != self._helper]

    def lock(self) -> Any:
        """Keeps other runs of this user from writing; never held while somebody is asked."""
        return self._session.lock()

    def known(self) -> Iterator[tuple[Books, str]]:
        """The domains that the accounts in use have a book of, each with the books it is in."""
        for api in self._run.backend.apis:
            books = self._books(api)
            for domain in books.domains():
                yield books, domain

    def beginning(self, domain: str, together: Iterable[str] = ()) -> Rotator:
        """What can begin a rotation of a domain; ``together`` are those this run may begin.

        Raises:
            RefusedError: its key cannot be changed alone.
            MailauthError: the state folder is none that lasts; or as for any command.
        """
        from netcup_mailauth.rotation.books import check_lasting

        self._check_grace(domain)
        self._check_that_it_signs_alone(domain, together)
        if not (self._command() or self._helper or self._options["import_key"]):
            raise UsageError(
                "No helper domain is named, in which mailcow could make the new key.",
                "Name a domain of this mailcow from which nobody sends: [mailcow] helper_domain in "
                "the config, or --helper-domain. Or use --import-key, or --signer-command.",
            )
        zone = self._run.backend.zone(self.zone_of(domain))
        api = self._run.backend.serving(zone.backend)
        books = self._books(api)
        if not _is_on_loopback(api):  # a sandbox does not outlive the machine either
            check_lasting(books.account)
        return self._rotator(books, next(self._signers(books)), domain)

    def continuing(self, books: Books, rotation: Rotation) -> Rotator:
        """What can go on with a rotation: with the very signer that it was begun with.

        Raises:
            RefusedError: there is no such signer, or the key cannot be changed alone any more.
        """
        if rotation.since is None and not self._options["abort"]:
            self._check_that_it_signs_alone(rotation.domain)
        found = []
        for signer in self._signers(books):
            found.append(signer)
            if signer.name == rotation.signer:
                return self._rotator(books, signer, rotation.domain)
        named = " or ".join(signer.name for signer in found)
        raise RefusedError(
            f"The rotation of {rotation.domain} was begun with {rotation.signer}, not with "
            f"{named}.",
            "Go on with the same options as it was begun with.",
        )

    def _rotator(self, books: Books, signer: Signer, domain: str) -> Rotator:
        from netcup_mailauth.actions.rotator import Rotator
        from netcup_mailauth.findings import CODES
        from netcup_mailauth.rotation.clocks import uptime

        allowed = self._allowed(domain)
        return Rotator(
            self._session,
            signer,
            books,
            self._servers_of,
            self.waits,
            tuple(code for code in CODES if code in allowed),
            self.policy(domain).ttl,
            uptime=uptime,
            ahead=self._ahead,
            tell=self._tell,
        )

    def _ahead(self) -> dict[str, float]:
        """How far the clocks of netcup and of mailcow are ahead of this machine's, as they say."""
        told = self._run.backend.ahead
        mailcow = self._mailcow.ahead if self._mailcow else None
        return told if mailcow is None else {**told, "mailcow": mailcow}

    def _servers_of(self, zone: str) -> tuple[Server, ...]:
        """The zone's servers; those that this machine has no route to are named, once."""
        from netcup_mailauth.dnsio.servers import not_asked

        servers = self._run.servers_of(zone)
        told = not_asked(servers)
        if told and told not in self._told_of_servers:
            self._told_of_servers.add(told)
            self._tell(told)
        return servers

    def _books(self, api: Backend) -> Books:
        from netcup_mailauth import state
        from netcup_mailauth.rotation.books import Books

        root = state.root(os.environ)
        return Books(state.account_folder(root, api.endpoint, api.account))

    def _signers(self, books: Books) -> Iterator[Signer]:
        """What may sign, the one that the options or the config mean first."""
        command = self._command()
        if command:
            from netcup_mailauth.signers.command import CommandSigner

            yield CommandSigner(command, books.key_file, self._current)
            return
        from netcup_mailauth.signers.mailcow_import import MailcowImportSigner

        self._mailcow = self._run.mailcow
        if self._helper and not self._options["import_key"]:
            from netcup_mailauth.signers.mailcow import MailcowSigner

            yield MailcowSigner(self._mailcow, self._helper)
        yield MailcowImportSigner(self._mailcow, books.key_file)

    @property
    def _helper(self) -> str | None:
        from netcup_mailauth.records import normalise

        named: str | None = self._options["helper_domain"]
        return normalise(named) if named else self._run.config.config.mailcow.helper_domain

    def _allowed(self, domain: str) -> frozenset[str]:
        """The codes that the config or ``--allow CODE[:DOMAIN]`` accepts for a domain."""
        from netcup_mailauth.records import normalise

        entries = (entry.partition(":") for entry in self._options["allow"])
        given = (code for code, _, only in entries if not only or normalise(only) == domain)
        return frozenset((*given, *(self.policy(domain).allow or ())))

    def _check_servers(self) -> None:
        """Raise :class:`UsageError` for servers that are to speak for a zone, but in a sandbox."""
        named = self._run.servers_named or os.environ.get(NAMESERVER.variable)
        if named and not all(map(_is_on_loopback, self._run.backend.apis)):
            raise UsageError(
                f"rotate asks every name server of a zone itself; --nameserver and "
                f"{NAMESERVER.variable} count only with a netcup on this machine.",
                "Leave them out: one server that was not asked may be one that lags.",
            )

    def _check_grace(self, domain: str) -> None:
        """Raise :class:`RefusedError` for a grace so short that mail would fail, unless allowed."""
        from netcup_mailauth.findings import SHORT_GRACE
        from netcup_mailauth.policy import words
        from netcup_mailauth.rotation.waits import SHORTEST_GRACE

        if self.waits.grace < SHORTEST_GRACE and SHORT_GRACE not in self._allowed(domain):
            raise RefusedError(
                f"A grace of {words(self.waits.grace)} is too short: mail servers try for up to 5 "
                f"days to deliver what was signed with the old key ({SHORT_GRACE}).",
                "Leave it at 7d, or name this code with --allow.",
            )

    def _check_that_it_signs_alone(self, domain: str, together: Iterable[str] = ()) -> None:
        """Raise :class:`RefusedError` if a signer command would change another domain's key."""
        from netcup_mailauth.signers.sharing import check_command, check_file, with_files

        command = self._command()
        if command is None:
            return
        config = self._run.config.config
        check_file(domain, self.policy(domain), config)
        of_config = self._options["signer_command"] is None
        check_command(domain, command, [*(with_files(config) if of_config else ()), *together])

    def _command(self) -> list[str] | None:
        """The signer command, if one is meant.

        Raises:
            UsageError: it is no command, or only a config that may not has it.
        """
        text = self._options["signer_command"]
        if text is not None:
            return split_command(text)
        config = self._run.config
        given = config.config.rotation.signer_command
        if given is None or self._options["import_key"]:
            return None
        if not config.trusted:
            raise UsageError(
                f"{config.path} was merely found in the current folder, and may not name a command "
                "to run.",
                f"If it is yours: -c {config.path}, or give it with --signer-command.",
            )
        return given

    def _current(self, domain: str) -> SignerKey | None:
        """What a domain is signed with, where the config says that its key is.

        Raises:
            UsageError: it does not say.
        """
        from netcup_mailauth.rotation.signer import SignerKey

        dkim = self.policy(domain).dkim
        if not dkim or not dkim.source:
            raise UsageError(
                f"The config does not say where the key of {domain} is, so nobody knows what "
                "signs.",
                f'Write [domains."{domain}"] dkim = {{ source = "file:..." }}',
            )
        found = self._session.keys.key(dkim.source, domain)
        if found is None or found.key is None:
            return None
        selector = found.selector or dkim.selector or "dkim"
        return SignerKey(selector, found.record, found.key)


def waits_of(run: Run, options: dict[str, Any]) -> Waits:
    """The waits of this run: by option, else by config."""
    from netcup_mailauth.policy import seconds
    from netcup_mailauth.rotation.waits import Waits

    config = run.config.config.rotation
    spans = {
        "round_seconds": config.between_rounds,
        "negative_ttl": config.negative_ttl,
        "grace": options["grace"] or config.grace,
        "retry": config.retry,
    }
    given: dict[str, Any] = {name: seconds(text) for name, text in spans.items() if text}
    if config.rounds is not None:
        given["rounds"] = config.rounds
    waits = Waits(**given)
    return replace(waits, retry=min(waits.retry, QUICK_RETRY)) if options["wait"] else waits


def split_command(text: str) -> list[str]:
    """The words of a command line; no shell ever sees it.

    Raises:
        UsageError: a quotation mark is left open, or there is nothing.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        raise UsageError(
            f"{text!r} is no command.", "As in: --signer-command '/usr/local/bin/new-key {domain}'"
        )
    return words


def known_anywhere() -> list[tuple[Books, str]]:
    """As :meth:`Workshop.known`, of every account at the endpoints in use; needs no credentials."""
    from netcup_mailauth.cli.run import state_folders
    from netcup_mailauth.rotation.books import FOLDER, Books

    accounts: list[Path] = [
        path.parent for folder in state_folders() for path in sorted(folder.glob(f"*/{FOLDER}"))
    ]
    found = [(books, domain) for books in map(Books, accounts) for domain in books.domains()]
    return sorted(found, key=lambda pair: pair[1])


def _is_on_loopback(api: Backend) -> bool:
    from urllib.parse import urlsplit

    from netcup_mailauth.netcup.http import is_loopback

    return is_loopback(urlsplit(api.endpoint).hostname or "")
