"""SPF, DKIM and DMARC records of a mail domain, put right at netcup.

    from netcup_mailauth import Netcup

    with Netcup.from_environment() as netcup:
        plan = netcup.plan("example.com", spf="v=spf1 mx a -all", dkim="mailcow",
                           dmarc="v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com")
        print(plan)          # the diff; nothing is written yet
        netcup.apply(plan)   # raises RefusedError where the guard would stop it

Where a change would break mail, apply refuses and says so: error.findings. To accept one
of them: netcup.apply(plan.allow("spf-drops-sender")). To write the rest without it:
netcup.apply(plan.without_held()).

What went wrong with one domain is raised; of several, each has its own in the result,
and the others are done. Every error is a MailauthError with what, advice and exit_code.

Netcup          an account: plan, apply, check; from_environment(), or Netcup(ccp=..., rest=...)
Sandbox         a netcup on this machine, for tests: with Sandbox() as sandbox: sandbox.netcup()
ProposedPlan    what plan gives: zones, has_changes, stopping, allow(), without_held()
ChangeSet       one domain of it: place (Place), changes, unchanged (Kept), findings, held, error
Change          one record: action (Action), kind (Kind), before and after (DnsRecord or None)
Finding         what is to be said of it: code, severity (Severity), message, advice
RunResult       what apply gives: results, exit_code (ExitCode, the command's); to be printed
Result          one domain of it: status (Status), failure (Failure or None), notes
CheckReport     what check gives: domains, exit_code; to be printed, too
DomainCheck     one domain of it: records (CheckedRecord: state, servers), findings, error
ServerView      what one name server says of a record: server, values, state (State)

UsageError        an argument is wrong; ConfigError, RecordError, KeySourceError say what of it
CredentialsError  they are missing, cannot be right, or netcup refused them
ZoneError         the zone is not in this account, or not on this API
RefusedError      the guard stops it: findings
StaleError        the zone has changed since the plan was made
UnverifiedError   a write went out, and the zone was not found as planned
WaitError         netcup or mailcow wants to be left alone for a while
ApiError          an API answered with an error, or not at all
LockError         another run on this machine is writing to the same account

help(Netcup), help(Netcup.plan) and so on tell more. The names in __all__ are the interface;
everything else may change without notice.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name

if TYPE_CHECKING:
    from netcup_mailauth.errors import (
        ApiError,
        ConfigError,
        CredentialsError,
        ExitCode,
        KeySourceError,
        LockError,
        MailauthError,
        RecordError,
        RefusedError,
        StaleError,
        UnverifiedError,
        UsageError,
        WaitError,
        ZoneError,
    )
    from netcup_mailauth.findings import Finding, Severity
    from netcup_mailauth.judge.report import (
        CheckedRecord,
        CheckReport,
        DomainCheck,
        ServerView,
        State,
    )
    from netcup_mailauth.kind import Kind
    from netcup_mailauth.library.account import Netcup
    from netcup_mailauth.library.proposed import ProposedPlan
    from netcup_mailauth.plan import (
        Action,
        Change,
        ChangeSet,
        Failure,
        Kept,
        Place,
        Result,
        RunResult,
        Status,
    )
    from netcup_mailauth.records import DnsRecord
    from netcup_mailauth.sandbox import Sandbox
    from netcup_mailauth.version import __version__

_HOMES = {
    "__version__": "version",
    "Action": "plan",
    "ApiError": "errors",
    "Change": "plan",
    "ChangeSet": "plan",
    "CheckedRecord": "judge.report",
    "CheckReport": "judge.report",
    "ConfigError": "errors",
    "CredentialsError": "errors",
    "DnsRecord": "records",
    "DomainCheck": "judge.report",
    "ExitCode": "errors",
    "Failure": "plan",
    "Finding": "findings",
    "Kept": "plan",
    "KeySourceError": "errors",
    "LockError": "errors",
    "Kind": "kind",
    "MailauthError": "errors",
    "Netcup": "library.account",
    "Place": "plan",
    "ProposedPlan": "library.proposed",
    "RecordError": "errors",
    "RefusedError": "errors",
    "Result": "plan",
    "RunResult": "plan",
    "Sandbox": "sandbox",
    "ServerView": "judge.report",
    "Severity": "findings",
    "StaleError": "errors",
    "State": "judge.report",
    "Status": "plan",
    "UnverifiedError": "errors",
    "UsageError": "errors",
    "WaitError": "errors",
    "ZoneError": "errors",
}

__all__ = [
    "Action",
    "ApiError",
    "Change",
    "ChangeSet",
    "CheckReport",
    "CheckedRecord",
    "ConfigError",
    "CredentialsError",
    "DnsRecord",
    "DomainCheck",
    "ExitCode",
    "Failure",
    "Finding",
    "Kept",
    "KeySourceError",
    "Kind",
    "LockError",
    "MailauthError",
    "Netcup",
    "Place",
    "ProposedPlan",
    "RecordError",
    "RefusedError",
    "Result",
    "RunResult",
    "Sandbox",
    "ServerView",
    "Severity",
    "StaleError",
    "State",
    "Status",
    "UnverifiedError",
    "UsageError",
    "WaitError",
    "ZoneError",
    "__version__",
]


def __getattr__(name: str) -> object:
    """A name of the interface, loaded when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
