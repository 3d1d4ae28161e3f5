"""SPF, DKIM and DMARC records of a mail domain, put right at netcup.

The names below are the library's interface; everything else may change without notice. They are
loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name

if TYPE_CHECKING:
    from netcup_mailauth.actions.planning import Planner, Wish
    from netcup_mailauth.actions.writing import Writer
    from netcup_mailauth.backends.ccp import CcpBackend
    from netcup_mailauth.backends.clouddns import CloudDnsBackend
    from netcup_mailauth.errors import ExitCode, MailauthError
    from netcup_mailauth.keys.sources import Sources
    from netcup_mailauth.plan import Change, ChangeSet, Plan
    from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
    from netcup_mailauth.records import DnsRecord, Kind, Zone
    from netcup_mailauth.results import Result, Status
    from netcup_mailauth.sandbox import Sandbox

__version__ = "0.1.0"

_HOMES = {
    "CcpBackend": "backends.ccp",
    "Change": "plan",
    "ChangeSet": "plan",
    "CloudDnsBackend": "backends.clouddns",
    "DkimPolicy": "policy",
    "DmarcPolicy": "policy",
    "DnsRecord": "records",
    "DomainPolicy": "policy",
    "ExitCode": "errors",
    "Kind": "records",
    "MailauthError": "errors",
    "Plan": "plan",
    "Planner": "actions.planning",
    "Result": "results",
    "Sandbox": "sandbox",
    "Sources": "keys.sources",
    "SpfPolicy": "policy",
    "Status": "results",
    "Wish": "actions.planning",
    "Writer": "actions.writing",
    "Zone": "records",
}

__all__ = [
    "CcpBackend",
    "Change",
    "ChangeSet",
    "CloudDnsBackend",
    "DkimPolicy",
    "DmarcPolicy",
    "DnsRecord",
    "DomainPolicy",
    "ExitCode",
    "Kind",
    "MailauthError",
    "Plan",
    "Planner",
    "Result",
    "Sandbox",
    "Sources",
    "SpfPolicy",
    "Status",
    "Wish",
    "Writer",
    "Zone",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
