"""SPF records: read, compared, edited, evaluated, counted (RFC 7208). Pure: asks no DNS itself."""

from __future__ import annotations

from netcup_mailauth.spf.changes import TermChange, describe_changes
from netcup_mailauth.spf.cost import Cost, cost
from netcup_mailauth.spf.coverage import first_covering
from netcup_mailauth.spf.edit import drop, require, with_all
from netcup_mailauth.spf.evaluate import Evaluation, Result, check_host
from netcup_mailauth.spf.lint import Problem, lint
from netcup_mailauth.spf.merge import Merge, merge
from netcup_mailauth.spf.problems import SpfEditError, SpfSyntaxError
from netcup_mailauth.spf.questions import MAX_LOOKUPS, MAX_VOID_LOOKUPS
from netcup_mailauth.spf.record import (
    LONGEST,
    SpfRecord,
    build,
    check_wanted,
    equal,
    is_spf,
    parse,
    parse_wanted,
)
from netcup_mailauth.spf.term import Qualifier, Term, parse_term

__all__ = [
    "LONGEST",
    "MAX_LOOKUPS",
    "MAX_VOID_LOOKUPS",
    "Cost",
    "Evaluation",
    "Merge",
    "Problem",
    "Qualifier",
    "Result",
    "SpfEditError",
    "SpfRecord",
    "SpfSyntaxError",
    "Term",
    "TermChange",
    "build",
    "check_host",
    "check_wanted",
    "cost",
    "describe_changes",
    "drop",
    "equal",
    "first_covering",
    "is_spf",
    "lint",
    "merge",
    "parse",
    "parse_term",
    "parse_wanted",
    "require",
    "with_all",
]
