"""netcup as a program holds it: plan, apply and check, as the commands of the same names."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, Self

from pydantic import SecretStr

from netcup_mailauth import records
from netcup_mailauth.actions import applying, checking, planning
from netcup_mailauth.actions.session import Session
from netcup_mailauth.dnsio.servers import Dns, serves_records
from netcup_mailauth.errors import UsageError
from netcup_mailauth.judge.report import Basis, CheckReport
from netcup_mailauth.keys.mailcow import Mailcow
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.library.given import (
    STATE_DIR,
    Environment,
    check_zone,
    credentials_of,
    domain_of,
    given_of,
    in_our_words,
    kinds_of,
    mailcow_of,
    options_of,
    path_of,
    text_of,
    texts_of,
    warn,
)
from netcup_mailauth.library.proposed import (
    Judged,
    judged_of,
    made_of,
    raise_if_alone,
    refuse,
)
from netcup_mailauth.netcup import CCP_ADDRESS, MOST_CONNECTIONS, REST_ADDRESS
from netcup_mailauth.netcup.ccp import CcpBackend
from netcup_mailauth.netcup.clouddns import CloudDnsBackend
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.netcup.zones import Router
from netcup_mailauth.plan import Plan, RunResult
from netcup_mailauth.render import calls
from netcup_mailauth.render.checks import check_text
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import result_text
from netcup_mailauth.settings import config as configs
from netcup_mailauth.settings import credentials, no_config, wishes
from netcup_mailauth.settings.mailcow import is_same_url, mailcow_access
from netcup_mailauth.state.holds import FileHold, digest
from netcup_mailauth.state.memory import Memory

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from netcup_mailauth.files import NotOursError
    from netcup_mailauth.library.given import Secret, Texts
    from netcup_mailauth.library.proposed import ProposedPlan
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.settings.credentials import NetcupCredentials
    from netcup_mailauth.settings.mailcow import MailcowAccess


class Netcup:
    """The zones of one netcup account: plan, apply, check. A context manager, which logs out.

    Credentials are plain texts (or pydantic's SecretStr); they are kept wrapped, and shown nowhere.
    Threads may share one: their calls are done one after the other. Processes may not.

    Args:
        ccp: (customer number, API key, API password) of the CCP API, which serves the zones that
            the customer control panel shows under "DNS"; or a mapping with customer_number,
            api_key and api_password.
        rest: the key of the REST API, for those it shows under "CloudDNS".
        mailcow: (URL, API key) of the mailcow that has the DKIM keys; or a mapping with url and
            api_key.
        ccp_endpoint: where the CCP API is, if not at netcup.
        rest_endpoint: where the REST API is, if not at netcup.
        resolver: the recursive resolver to ask, as HOST or HOST:PORT; the system's if None.
        nameserver: servers to ask instead of a zone's own, in the same form: a text or several.
        state: the folder in which is kept how a zone was before each write, so that the command
            can undo it, and a lock on the account. None keeps nothing, and knows nothing of what
            the command has begun on this machine, such as a rotation of keys.
        jobs: domains that are worked on at a time, 1 to 32.

    Raises:
        UsageError: an address is none to send a secret to, or an argument has another shape.
        CredentialsError: there are no credentials for either API, or they cannot be right.
    """

    def __init__(
        self,
        *,
        ccp: tuple[str | int, Secret, Secret] | Mapping[str, object] | None = None,
        rest: Secret | None = None,
        mailcow: tuple[str, Secret] | Mapping[str, object] | None = None,
        ccp_endpoint: str = CCP_ADDRESS,
        rest_endpoint: str = REST_ADDRESS,
        resolver: str | None = None,
        nameserver: Texts = (),
        state: str | os.PathLike[str] | None = None,
        jobs: int = 1,
    ) -> None:
        self._router: Router | None = None  # first, as a traceback may show us
        try:
            with in_our_words():
                given, own = credentials_of(ccp, rest), mailcow_of(mailcow)
        finally:
            del ccp, rest, mailcow  # a traceback may show what is still named
        self._environ: Environment | None = None
        self._config = no_config()
        self._own = own
        self._mailcows: dict[str | None, Mailcow] = {}
        self._calling, self._opening = RLock(), Lock()
        self._is_closed = False
        self._open = ExitStack()
        servers = texts_of("nameserver", nameserver)
        self._dns = Dns(None if resolver is None else text_of("resolver", resolver), servers)
        if not isinstance(jobs, int) or not 1 <= jobs <= MOST_CONNECTIONS:
            raise UsageError(f"jobs={jobs!r} is no number from 1 to {MOST_CONNECTIONS}.")
        self._folder = path_of("state", state)
        self._addresses = {
            CCP_ENDPOINT: text_of(CCP_ENDPOINT, ccp_endpoint),
            REST_ENDPOINT: text_of(REST_ENDPOINT, rest_endpoint),
        }
        with in_our_words():
            apis = self._apis(given)
        self._router = self._open.enter_context(apis)
        self._once = Session(apis, self._dns, jobs=jobs)

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        config: str | os.PathLike[str] | None = None,
        jobs: int = 1,
    ) -> Self:
        """With the credentials that the command finds, and with its state.

        Args:
            environ: another such mapping instead of the environment, as `Sandbox.env`; without HOME
                in it no file in a home is looked at or kept.
            config: a config of the command's. What it says of a domain holds where the arguments
                of a call say nothing else, and without domains its own are meant. None: no config.
            jobs: as in `Netcup`.

        Raises:
            CredentialsError: there are none, or they cannot be right.
            UsageError: an endpoint is no address for a secret; ConfigError, the config is wrong.
        """
        try:
            with in_our_words():
                found, path = Environment.of(environ), path_of("config", config)
        finally:
            del environ  # a traceback may show what is still named
        with in_our_words():
            folder = found.state
            keys = credentials.netcup_credentials(found.variables, warn)
            loaded = no_config() if path is None else configs.load(path)
        own = keys.ccp
        servers = found.variables.get("NETCUP_MAILAUTH_NAMESERVERS", "").split(",")
        made = cls(
            ccp=(own.customer_number, own.api_key, own.api_password) if own else None,
            rest=keys.rest_key,
            ccp_endpoint=found.variables.get("NETCUP_CCP_ENDPOINT", CCP_ADDRESS),
            rest_endpoint=found.variables.get("NETCUP_REST_ENDPOINT", REST_ADDRESS),
            resolver=found.variables.get("NETCUP_MAILAUTH_RESOLVER"),
            nameserver=[part.strip() for part in servers if part.strip()],
            state=folder,
            jobs=jobs,
        )
        made._environ, made._config = found, loaded
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        apis = self._router.apis if self._router else ()
        return f"<Netcup: {', '.join(api.name for api in apis)}>"

    def close(self) -> None:
        """End the session with netcup, and close every connection; twice does no harm."""
        with self._calling:
            self._is_closed = True
            self._open.close()

    def plan(
        self,
        *domains: str,
        spf: str | None = None,
        spf_require: Texts = (),
        spf_drop: Texts = (),
        spf_all: str | None = None,
        dkim: str | None = None,
        selector: str | None = None,
        dmarc: str | None = None,
        dmarc_policy: str | None = None,
        rua: Texts = (),
        mailcow: str | None = None,
        server: Texts = (),
        kind: Texts = (),
        zone: str | None = None,
        allow: Texts = (),
    ) -> ProposedPlan:
        """What would have to change, so that each domain has what is wanted; writes nothing.

        A kind of record of which nothing is said stays as it is. A record is given whole (`spf`,
        `dmarc`) or in parts, which are put into the live one and lose nothing of it.

        Args:
            domains: the mail domains, in any case, also with umlauts.
            spf: the SPF record is exactly this, as "v=spf1 mx a -all".
            spf_require: these terms are in it, as "ip4:203.0.113.7".
            spf_drop: these terms go; naming them is the consent. Also beside `spf`.
            spf_all: the final all: "fail", "softfail" or "neutral".
            dkim: where the public key is: "mailcow", "file:PATH", or the record itself.
            selector: the DKIM selector, if not the source's own, or "dkim".
            dmarc: the DMARC record is exactly this, as "v=DMARC1;p=none".
            dmarc_policy: "none", "quarantine" or "reject"; other tags stay.
            rua: these addresses get reports, as "mailto:postmaster@example.com".
            mailcow: the URL of the mailcow that has the key; alone it means dkim="mailcow".
            server: hosts or addresses that send the domain's mail; else the mailcow or the MX.
            kind: only these of "spf", "dkim" and "dmarc".
            zone: the zone at netcup that the domains lie in, if that is another name; else DNS is
                asked for it where need be.
            allow: codes of findings that are accepted: "code", or "code:example.com" of several.

        Each of those that take several takes one text, too.

        Raises:
            UsageError: an argument is no such record, term or name, or nothing is wanted.
            MailauthError: the one domain that was named could not be planned (ZoneError,
                CredentialsError, WaitError and so on). Of several, what went wrong with one is the
                `error` of its change set, and the others are planned.
        """
        wanted = dict(locals())  # each argument by its name, as an option of the command
        with self._call():
            wished = self._wishes(domains, wanted)
            for wish in wished:
                check_zone(wish)
            session = self._session(mailcow)
            if len(wished) == 1:
                plan = Plan((planning.draft(session, wished[0]).change_set,))
            else:
                plan = planning.plan(session, wished)
            return made_of(Judged(self, plan, wished, mailcow))

    def apply(self, plan: ProposedPlan) -> RunResult:
        """Write a plan: each zone is read and judged again, written in one call, and verified.

        ``print(run)`` shows what became of each domain.

        Raises:
            RefusedError: the guard holds something of it back, and nothing was written. Its
                `findings` say what; `plan.allow` accepts it, `plan.without_held` leaves it out.
            UsageError: this Netcup did not make the plan, or it was changed since.
            StaleError: the zone of the one domain in it has changed since, or the guard would stop
                the plan now; nothing was written.
            UnverifiedError: a write to it went out, and the zone was not found as planned.
            MailauthError: something else went wrong with the one domain. Of several, it is the
                `failure` in the `Result` of each, and the others are written.
        """
        with self._call():
            judged = judged_of(plan)
            if judged.maker is not self:
                raise UsageError("Another Netcup made this plan.", "Plan again with this one.")
            if not judged.in_part:
                refuse(judged.plan.zones)
            session = self._session(judged.mailcow)
            run = applying.apply(session, judged.plan, judged.wishes)
            raise_if_alone(run.results)
            return ShownRun(tuple(map(calls.result, run.results)))

    def check(
        self,
        *domains: str,
        spf: str | None = None,
        spf_require: Texts = (),
        spf_drop: Texts = (),
        spf_all: str | None = None,
        dkim: str | None = None,
        selector: str | None = None,
        dmarc: str | None = None,
        dmarc_policy: str | None = None,
        rua: Texts = (),
        mailcow: str | None = None,
        server: Texts = (),
        kind: Texts = (),
        zone: str | None = None,
        allow: Texts = (),
    ) -> CheckReport:
        """What each authoritative name server says, and what receivers make of it; writes nothing.

        The arguments are those of `plan`; what they ask for is expected to be there. Nothing
        wanted: what is published is judged by itself. ``print(report)`` shows it, as the command
        does.

        Raises:
            UsageError: an argument is no such record, term or name.
            MailauthError: nothing could be found out about the one domain. Of several, it is the
                `error` of the domain's part in the report.
        """
        wanted = dict(locals())  # each argument by its name, as an option of the command
        with self._call():
            wished, basis = self._expected(domains, wanted)
            given = given_of(wanted)
            for wish in wished:
                check_zone(wish)
            session, kinds = self._session(mailcow), kinds_of(kind)
            if len(wished) == 1:
                alone = checking.check_domain(session, wished[0], basis, kinds)
                return calls.report(ShownReport((alone,)), given)
            report = checking.check(session, wished, basis, kinds, held=False)
            return calls.report(ShownReport(report.domains), given)

    # What is wanted

    def _wishes(
        self, domains: tuple[str, ...], wanted: Mapping[str, Any], *, to_check: bool = False
    ) -> list[Wish]:
        policy = wishes.policy_of(options_of(wanted))
        if wanted["zone"] is not None:
            policy = policy.model_copy(update={"zone": records.normalise(wanted["zone"])})
        find = wishes.wishes_to_check if to_check else wishes.wishes
        wished = find(
            [domain_of(domain) for domain in domains],
            policy,
            kinds_of(wanted["kind"]),
            self._config.config,
            served=lambda: self._mailcow(wanted["mailcow"]).domains(),
            path=self._config.path,
        )
        return wishes.with_allowed(wished, texts_of("allow", wanted["allow"]))

    def _expected(
        self, domains: tuple[str, ...], wanted: Mapping[str, Any]
    ) -> tuple[list[Wish], Basis]:
        """The domains to check and what they are compared with.

        Where no key is named, a selector only says where to look for one.
        """
        options = options_of(wanted)
        only_looked = options["selector"] and not (options["dkim"] or options["mailcow"])
        selector = records.selector(options["selector"]) if only_looked else None
        left = {**wanted, "selector": None} if selector else wanted
        wished = self._wishes(domains, left, to_check=True)
        if selector:
            wished = [wishes.at_selector(wish, selector) for wish in wished]
        policy = wishes.policy_of(options_of(left))
        return wished, Basis.OPTIONS if policy.manages else Basis.CONFIG

    # Who is asked

    @contextmanager
    def _call(self) -> Iterator[None]:
        """One call: no other at the same time, none when closed, and errors in our words."""
        with self._calling:
            if self._is_closed:
                raise UsageError(
                    "This Netcup is closed.", "Make another, and use it inside its with block."
                )
            with in_our_words():
                yield

    def _session(self, url: str | None = None) -> Session:
        """What one call works with: it sees what was kept until now; ``url`` is its mailcow's."""
        keys = Sources(mailcow=lambda: self._mailcow(url))
        return replace(self._once, keys=keys, state=self._memory())

    def _mailcow(self, url: str | None) -> Mailcow:
        """The mailcow to ask; parallel jobs share the one."""
        with self._opening:
            if url not in self._mailcows:
                access = self._access(url)
                hold = self._hold("mailcow", access.url, access.api_key)
                opened = Mailcow(access.url, access.api_key, hold=hold, warn=warn)
                self._open.callback(opened.close)
                self._mailcows[url] = opened
            return self._mailcows[url]

    def _access(self, url: str | None) -> MailcowAccess:
        if self._environ is not None:
            return mailcow_access(url, self._config, self._environ.variables, warn)
        named = None if url is None else check_url(url, "the mailcow")
        if self._own is None or not (named is None or is_same_url(named, self._own.url)):
            raise UsageError(
                "The DKIM key should come from mailcow, and there is no key for "
                f"{named or 'any mailcow'}.",
                "Name it with its key: Netcup(mailcow=(URL, API_KEY), ...)",
            )
        return self._own

    def _apis(self, given: NetcupCredentials) -> Router:
        own, key = given.ccp, given.rest_key
        ccp_endpoint, rest_endpoint = (check_url(url, n) for n, url in self._addresses.items())
        legacy = cloud = None
        if own is not None:
            secrets = (SecretStr(own.customer_number), own.api_key, own.api_password)
            legacy = CcpBackend(
                own.customer_number,
                own.api_key,
                own.api_password,
                endpoint=ccp_endpoint,
                hold=self._hold("netcup", ccp_endpoint, *secrets),
            )
        if key is not None:
            hold = self._hold("netcup's REST API", rest_endpoint, key)
            cloud = CloudDnsBackend(key, endpoint=rest_endpoint, hold=hold)
        return Router(legacy, cloud, self._serves_records)

    def _serves_records(self, zone: str) -> bool | None:
        return serves_records(zone, self._dns.servers_of(zone))

    # What is remembered, where there is a folder for it

    def _memory(self) -> Memory | None:
        """What is remembered of earlier runs, and of this one."""
        if self._folder is None:
            return None
        kept = Memory({STATE_DIR: str(self._folder)}, self._addresses, warn, _warn_of)
        kept.apis = self._router.apis if self._router else ()
        return kept

    def _hold(self, who: str, endpoint: str, *secrets: SecretStr) -> FileHold | None:
        """What is remembered of refusals of these secrets."""
        if self._folder is None:
            return None
        name = digest(endpoint, (secret.get_secret_value() for secret in secrets))
        return FileHold(self._folder, endpoint, name, who, attended=False, warn=warn)


@dataclass(frozen=True, slots=True)
class ShownReport(CheckReport):
    """A report that is printed as the command shows it."""

    def __str__(self) -> str:
        return check_text(self, _PAGE).replace(Basis.OPTIONS, "compared with the arguments")


@dataclass(frozen=True, slots=True)
class ShownRun(RunResult):
    """The results of a run, printed with a line or two for each domain."""

    def __str__(self) -> str:
        return "".join(result_text(result, _PAGE) for result in self.results)


_PAGE = Page()


CCP_ENDPOINT, REST_ENDPOINT = "the ccp_endpoint", "the rest_endpoint"


def _warn_of(error: NotOursError) -> None:
    warn(f"{error.sentences} Nothing is known of what was written from here before.")
