"""What to do about a record that is not as it should be at every server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.judge.report import Basis, State
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from netcup_mailauth.judge.report import CheckedRecord, ServerView

PENDING = (
    "netcup has it already; its name servers follow in 10 to 30 minutes. Nothing to do but wait, "
    "or let --wait do it."
)
_AGAIN = {
    Basis.OPTIONS: "To see what would put it right, give plan the same options.",
    Basis.JOURNAL: (
        "It is not what was last written from here. To write that again, repeat that apply; to "
        "accept the new one, name what you want now as options or in a config."
    ),
}
_FIRST = {
    Kind.SPF: "Publish one:\n  netcup-mailauth plan {domain} --spf-require mx",
    Kind.DKIM: (
        "If the mail server signs with another selector, name it with --selector. Else publish "
        "its key:\n  netcup-mailauth plan {domain} --mailcow https://mail.{domain}"
    ),
    Kind.DMARC: (
        "Publish one:\n  netcup-mailauth plan {domain} --dmarc-policy none "
        "--rua mailto:postmaster@{domain}"
    ),
    Kind.DMARC_REPORT: "Plan both domains in one run; then that record is planned as well.",
}
_DISAGREE = (
    "The name servers disagree. For half an hour after a change that is how netcup's look; after "
    "that it is wrong."
)
_ALIAS = "Delete the CNAME in the CCP if it is yours to delete, and put the record in its place."
_SILENT = (
    "Without its answer nobody knows what it tells receivers. Try again; if it stays so, ask those "
    "who run it."
)


def advised(record: CheckedRecord, domain: str, basis: Basis) -> CheckedRecord:
    """The record with what to do about its state."""
    return replace(record, advice=_advice(record, domain, basis))


def _advice(record: CheckedRecord, domain: str, basis: Basis) -> str:
    match record.state:
        case State.OK:
            return ""
        case State.PENDING:
            return PENDING
        case State.ERROR:
            return _SILENT
        case State.CONFLICT if any(len(view.values) < 2 for view in _worst(record)):
            return _ALIAS
        case _ if basis is Basis.CONFIG:
            return f"To see what would put it right:\n  netcup-mailauth plan {domain}"
        case _ if basis in _AGAIN:
            return _AGAIN[basis]
        case State.MISSING if any(view.state is State.OK for view in record.servers):
            return f"{_DISAGREE}\n{_FIRST[record.kind].format(domain=domain)}"
        case State.MISSING:
            return _FIRST[record.kind].format(domain=domain)
        case _:
            return ""  # a finding says what is wrong with the text, and what to do


def _worst(record: CheckedRecord) -> tuple[ServerView, ...]:
    return tuple(view for view in record.servers if view.state is record.state)
