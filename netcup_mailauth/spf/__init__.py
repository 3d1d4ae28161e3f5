"""SPF records: read, compared, edited, evaluated, counted (RFC 7208). Pure: asks no DNS itself."""

from __future__ import annotations

from netcup_mailauth.spf.check import MAX_LOOKUPS as MAX_LOOKUPS
from netcup_mailauth.spf.check import MAX_VOID_LOOKUPS as MAX_VOID_LOOKUPS
from netcup_mailauth.spf.check import Evaluation as Evaluation
from netcup_mailauth.spf.check import Result as Result
from netcup_mailauth.spf.check import check_host as check_host
from netcup_mailauth.spf.cost import Cost as Cost
from netcup_mailauth.spf.cost import cost as cost
from netcup_mailauth.spf.cost import void_hosts as void_hosts
from netcup_mailauth.spf.edit import TermChange as TermChange
from netcup_mailauth.spf.edit import describe_changes as describe_changes
from netcup_mailauth.spf.edit import drop as drop
from netcup_mailauth.spf.edit import first_covering as first_covering
from netcup_mailauth.spf.edit import idle as idle
from netcup_mailauth.spf.edit import merge as merge
from netcup_mailauth.spf.edit import names as names
from netcup_mailauth.spf.edit import put_first as put_first
from netcup_mailauth.spf.edit import require as require
from netcup_mailauth.spf.edit import with_all as with_all
from netcup_mailauth.spf.effect import deciding as deciding
from netcup_mailauth.spf.effect import edges as edges
from netcup_mailauth.spf.effect import in_both as in_both
from netcup_mailauth.spf.effect import is_listed as is_listed
from netcup_mailauth.spf.effect import suspects as suspects
from netcup_mailauth.spf.everybody import Crowd as Crowd
from netcup_mailauth.spf.everybody import crowds as crowds
from netcup_mailauth.spf.lint import everybody as everybody
from netcup_mailauth.spf.lint import lint as lint
from netcup_mailauth.spf.mistakes import SpfEditError as SpfEditError
from netcup_mailauth.spf.mistakes import SpfSyntaxError as SpfSyntaxError
from netcup_mailauth.spf.record import LONGEST as LONGEST
from netcup_mailauth.spf.record import Qualifier as Qualifier
from netcup_mailauth.spf.record import SpfRecord as SpfRecord
from netcup_mailauth.spf.record import Term as Term
from netcup_mailauth.spf.record import check_wanted as check_wanted
from netcup_mailauth.spf.record import equal as equal
from netcup_mailauth.spf.record import in_words as in_words
from netcup_mailauth.spf.record import is_meant as is_meant
from netcup_mailauth.spf.record import is_spf as is_spf
from netcup_mailauth.spf.record import mended as mended
from netcup_mailauth.spf.record import parse as parse
from netcup_mailauth.spf.record import parse_term as parse_term
from netcup_mailauth.spf.record import parse_wanted as parse_wanted
from netcup_mailauth.spf.record import spelt_out as spelt_out
