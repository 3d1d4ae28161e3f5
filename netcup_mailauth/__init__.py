"""SPF, DKIM and DMARC records of a mail domain, put right at netcup.

The names below are the library's interface; everything else may change without notice. They are
loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name

if TYPE_CHECKING:
    from netcup_mailauth.errors import (
        ConfigError,
        CredentialsError,
        ExitCode,
        MailauthError,
        RefusedError,
        StaleError,
        UnverifiedError,
        UsageError,
        ZoneError,
    )
    from netcup_mailauth.findings import Finding, Severity
    from netcup_mailauth.judge.report import CheckReport
    from netcup_mailauth.library import Netcup, ProposedPlan
    from netcup_mailauth.plan import Change, ChangeSet, Plan, Result, RunResult, Status
    from netcup_mailauth.records import DnsRecord, Kind, Zone
    from netcup_mailauth.sandbox import Sandbox
    from netcup_mailauth.version import __version__


_HOMES = {
    "__version__": "version",
    "Change": "plan",
    "ChangeSet": "plan",
    "CheckReport": "judge.report",
    "ConfigError": "errors",
    "CredentialsError": "errors",
    "DnsRecord": "records",
    "ExitCode": "errors",
    "Finding": "findings",
    "Kind": "records",
    "MailauthError": "errors",
    "Netcup": "library",
    "Plan": "plan",
    "ProposedPlan": "library",
    "RefusedError": "errors",
    "Result": "plan",
    "RunResult": "plan",
    "Sandbox": "sandbox",
    "Severity": "findings",
    "StaleError": "errors",
    "Status": "plan",
    "UnverifiedError": "errors",
    "UsageError": "errors",
    "Zone": "records",
    "ZoneError": "errors",
}

__all__ = [
    "Change",
    "ChangeSet",
    "CheckReport",
    "ConfigError",
    "CredentialsError",
    "DnsRecord",
    "ExitCode",
    "Finding",
    "Kind",
    "MailauthError",
    "Netcup",
    "Plan",
    "ProposedPlan",
    "RefusedError",
    "Result",
    "RunResult",
    "Sandbox",
    "Severity",
    "StaleError",
    "Status",
    "UnverifiedError",
    "UsageError",
    "Zone",
    "ZoneError",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
