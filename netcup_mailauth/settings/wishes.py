"""From the command line and the config to one wish per domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Any

from netcup_mailauth import records
from netcup_mailauth.errors import UsageError
from netcup_mailauth.findings import CODES
from netcup_mailauth.keys.sources import MAILCOW, check_source
from netcup_mailauth.policy import (
    MANAGED,
    NOTHING,
    Config,
    DkimPolicy,
    DmarcPolicy,
    DomainPolicy,
    SpfPolicy,
    Wish,
    dmarc_record,
    host_or_address,
    layered,
    linked,
    report_uri,
    spf_record,
    spf_term,
)
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class NothingWantedError(UsageError):
    """A ``domain`` was named, and nothing is wanted of it; ``nearest`` is one of the config."""

    def __init__(self, what: str, advice: str, domain: str, nearest: str | None) -> None:
        super().__init__(what, advice)
        self.domain, self.nearest = domain, nearest


Served = Callable[[], "Sequence[str]"]


def wishes(
    domains: Sequence[str],
    options: DomainPolicy,
    kinds: Sequence[Kind],
    config: Config,
    served: Served = lambda: (),
    path: Path | None = None,
) -> list[Wish]:
    """What each domain should have: the options over the domain's table over the defaults.

    Without ``domains`` it is every domain of the config, and those that mailcow serves if the
    config says so (``served``, called only then). A domain that is not in the config gets no
    defaults. ``kinds`` are the only ones meant in this run; empty for all. ``path`` is where the
    config was found. Raises UsageError if there is no domain, or one of which nothing is wanted.
    """
    catalogue = _Catalogue(options, tuple(kinds), config, served, path)
    if not domains:
        return linked(catalogue.every())
    named = dict.fromkeys(records.normalise(domain) for domain in domains)
    return linked([catalogue.wish(name) for name in named])


def wishes_to_check(
    domains: Sequence[str],
    options: DomainPolicy,
    kinds: Sequence[Kind],
    config: Config,
    served: Served,
    path: Path | None,
) -> list[Wish]:
    """The same for a check: of a domain that the config does not know nothing need be wanted.

    With no options that say so, it is judged as it is published.
    """
    named = dict.fromkeys(map(records.normalise, domains))
    strangers = [name for name in named if name not in config.domains]
    if options.manages or not strangers or config.domains_from is not None:
        return wishes(domains, options, kinds, config, served, path)
    return [
        Wish(name, options) if name in strangers else wishes([name], options, kinds, config)[0]
        for name in named
    ]


def at_selector(wish: Wish, selector: str) -> Wish:
    """The wish, with the selector at which to look for a key."""
    own = wish.policy.dkim or DkimPolicy()
    dkim = own.model_copy(update={"selector": selector})
    return replace(wish, policy=wish.policy.model_copy(update={"dkim": dkim}))


def with_allowed(wished: Sequence[Wish], entries: Sequence[str]) -> list[Wish]:
    """The wishes with the findings that ``--allow CODE[:DOMAIN]`` accepts.

    Raises UsageError for an unknown code, a domain that is not part of the run, or none where there
    are several.
    """
    allowed: dict[str, list[str]] = {wish.domain: [] for wish in wished}
    for entry in entries:
        code, colon, domain = entry.partition(":")
        check_code(code)
        if not colon and len(wished) > 1:
            raise UsageError(
                f"--allow {code} does not say for which of the {len(wished)} domains.",
                f"Name it: --allow {code}:{wished[0].domain}",
            )
        name = records.normalise(domain) if colon else wished[0].domain
        if name not in allowed:
            raise UsageError(
                f"--allow {entry} names a domain that is not part of this run.",
                f"As in --allow {code}:{wished[0].domain}",
            )
        allowed[name].append(code)
    return [_allowing(wish, allowed[wish.domain]) for wish in wished]


def check_code(code: str) -> str:
    """``code``, if it is one that a finding can have.

    Raises UsageError if it is not; the nearest one is named.
    """
    if code in CODES:
        return code
    from difflib import get_close_matches

    near = get_close_matches(code, CODES, n=1)
    advice = f"Is {near[0]} meant?" if near else "They are: netcup-mailauth help findings"
    raise UsageError(f"There is no finding {code!r}.", advice)


def _allowing(wish: Wish, codes: Sequence[str]) -> Wish:
    if not codes:
        return wish
    allow = list(dict.fromkeys([*wish.allow, *codes]))
    return replace(wish, policy=wish.policy.model_copy(update={"allow": allow}))


@dataclass(frozen=True)
class _Catalogue:
    """What the command line and the config say of domains."""

    options: DomainPolicy
    kinds: tuple[Kind, ...]
    config: Config
    served: Served
    path: Path | None

    def every(self) -> list[Wish]:
        """The wishes for every domain of the config, and for those mailcow serves."""
        if self.options != NOTHING:
            raise UsageError(
                "Options that say what is wanted need a DOMAIN.",
                "Name the domain, as in: netcup-mailauth plan example.com --spf 'v=spf1 mx ~all'",
            )
        known = [*self.config.domains, *self.discovered]
        if not known:
            raise UsageError(*self._no_domain())
        wanted = [name for name in known if not self._is_left_out(name)]
        if not wanted:
            raise UsageError(
                f"Nothing is wanted for any domain of the config{self._of_kinds()}.",
                "Every domain of it says false, or has no wish of that kind.",
            )
        return [self.wish(name) for name in wanted]

    def wish(self, name: str) -> Wish:
        """The wish for one domain."""
        policy, left_out = self._policy(name), None
        if self.kinds:
            if policy.dkim and Kind.DKIM not in self.kinds:
                left_out = policy.dkim.source
            policy = policy.only(self.kinds)
        if not policy.manages:
            what = f"Nothing is wanted for {name}{self._of_kinds()}."
            from difflib import get_close_matches

            near = get_close_matches(name, self.config.domains, n=1)
            nearest = near[0] if near and name not in self.config.domains else None
            advice = "Give --spf, --dkim or --dmarc, or a table for it in the config."
            if name in self.config.domains or self._is_discovered(name):
                advice = "Say it under [defaults] in the config, or in its own table there."
            if nearest:
                advice = f"It is not in the config; is {nearest} meant?"
            raise NothingWantedError(what, advice, name, nearest)
        _check_tables(name, policy)
        return Wish(name, policy, self._is_discovered(name), dkim_left_out=left_out)

    @cached_property
    def discovered(self) -> tuple[str, ...]:
        """The domains that mailcow serves, the patterns let in, and no table is about."""
        if self.config.domains_from is None:
            return ()
        return tuple(
            name
            for name in self.served()
            if name not in self.config.domains and _fits(name, self.config)
        )

    def _is_discovered(self, name: str) -> bool:
        # Options for a domain speak for themselves; mailcow need not be asked about it.
        if name in self.config.domains or self.options != NOTHING:
            return False
        return name in self.discovered

    def _policy(self, name: str) -> DomainPolicy:
        own = self.config.domains.get(name)
        if own is None and not self._is_discovered(name):
            return self.options
        return layered(layered(self.config.defaults, own or NOTHING), self.options)

    def _is_left_out(self, name: str) -> bool:
        """Whether a domain that nobody named has no wish, by ``--kind`` or by saying ``false``.

        One that says nothing at all is not left out in silence: that is a mistake.
        """
        policy = self._policy(name)
        if self.kinds:
            return not policy.only(self.kinds).manages
        return not policy.manages and any(getattr(policy, kind.value) is False for kind in MANAGED)

    def _no_domain(self) -> tuple[str, str]:
        if self.config.domains_from is not None:
            return (
                "mailcow serves no domain that the config lets in.",
                "Look at only and exclude in the config.",
            )
        if self.path is not None:
            return (
                f"No DOMAIN is named, and the config {self.path} has none.",
                "Name a domain and what it should have, or give it a table in the config: "
                '[domains."example.com"]',
            )
        return (
            "No DOMAIN is named, and no config lists any.",
            "Name a domain, or begin with netcup-mailauth setup, which writes a config.",
        )

    def _of_kinds(self) -> str:
        return f" of kind {', '.join(self.kinds)}" if self.kinds else ""


def _fits(name: str, config: Config) -> bool:
    let_in = config.only is None or any(fnmatch(name, pattern) for pattern in config.only)
    return let_in and not any(fnmatch(name, pattern) for pattern in config.exclude or ())


def _check_tables(name: str, policy: DomainPolicy) -> None:
    """Raise :class:`UsageError` for a kind that is to be managed, without saying how."""
    for kind in policy.manages:
        part = getattr(policy, kind.value)
        if part == type(part).model_construct():
            raise UsageError(
                f"The {kind} table of {name} says nothing.", "Give a record or a source in it."
            )
    if policy.dkim and not policy.dkim.source:
        raise UsageError(
            f"A DKIM selector is given for {name}, but no key.",
            "Say where the key is: --dkim mailcow, or --dkim file:PATH.",
        )


def policy_of(options: Mapping[str, Any]) -> DomainPolicy:
    """What the options of a command say is wanted, by the names of their parameters.

    Raises:
        MailauthError: one of them is no such record, source or selector.
    """
    # Each of them is checked by itself.
    return DomainPolicy.model_construct(
        spf=_spf(options),
        dkim=_dkim(options),
        dmarc=_dmarc(options),
        server=[host_or_address(host) for host in options["server"]] or None,
    )


def _spf(options: Mapping[str, Any]) -> SpfPolicy | None:
    whole = options["spf"]
    if whole is not None and (options["spf_require"] or options["spf_all"]):
        raise UsageError(
            "--spf says the whole record, so --spf-require and --spf-all have no place beside it.",
            "Leave one of them out; --spf-drop may stand beside --spf.",
        )
    given = {
        "record": None if whole is None else spf_record(whole),
        "require": [spf_term(term) for term in options["spf_require"]] or None,
        "drop": [spf_term(term) for term in options["spf_drop"]] or None,
        "all": options["spf_all"],
    }
    return SpfPolicy.model_construct(**given) if _any(given) else None


def _dkim(options: Mapping[str, Any]) -> DkimPolicy | None:
    source = options["dkim"] or (MAILCOW if options["mailcow"] else None)
    given: dict[str, Any] = {
        "source": check_source(source) if source else None,
        "selector": records.selector(options["selector"]) if options["selector"] else None,
    }
    return DkimPolicy.model_construct(**given) if _any(given) else None


def _dmarc(options: Mapping[str, Any]) -> DmarcPolicy | None:
    whole = options["dmarc"]
    if whole is not None and (options["dmarc_policy"] or options["rua"]):
        raise UsageError(
            "--dmarc says the whole record, so --dmarc-policy and --rua have no place beside it.",
            "Leave one of them out.",
        )
    given = {
        "record": None if whole is None else dmarc_record(whole),
        "policy": options["dmarc_policy"],
        "rua": [report_uri(uri) for uri in options["rua"]] or None,
    }
    return DmarcPolicy.model_construct(**given) if _any(given) else None


def _any(given: Mapping[str, Any]) -> bool:
    return any(value is not None for value in given.values())
