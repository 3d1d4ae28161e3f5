"""SPF records: read, compared, edited, evaluated, counted (RFC 7208). Pure: asks no DNS itself."""

from __future__ import annotations

from netcup_mailauth.spf.check import (
    MAX_LOOKUPS,
    MAX_VOID_LOOKUPS,
    Evaluation,
    Result,
    check_host,
)
from netcup_mailauth.spf.cost import Cost, cost, void_hosts
from netcup_mailauth.spf.edit import (
    Merge,
    TermChange,
    describe_changes,
    drop,
    first_covering,
    idle,
    merge,
    names,
    put_first,
    require,
    with_all,
)
from netcup_mailauth.spf.effect import deciding, edges, in_both, is_listed, suspects
from netcup_mailauth.spf.lint import Problem, lint
from netcup_mailauth.spf.mistakes import SpfEditError, SpfSyntaxError
from netcup_mailauth.spf.record import (
    LONGEST,
    Qualifier,
    SpfRecord,
    Term,
    check_wanted,
    equal,
    in_words,
    is_meant,
    is_spf,
    mended,
    parse,
    parse_term,
    parse_wanted,
    spelt_out,
)

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
    "check_host",
    "check_wanted",
    "cost",
    "deciding",
    "describe_changes",
    "drop",
    "edges",
    "equal",
    "first_covering",
    "idle",
    "in_both",
    "in_words",
    "is_listed",
    "is_meant",
    "is_spf",
    "lint",
    "mended",
    "merge",
    "names",
    "parse",
    "parse_term",
    "parse_wanted",
    "put_first",
    "require",
    "spelt_out",
    "suspects",
    "void_hosts",
    "with_all",
]
