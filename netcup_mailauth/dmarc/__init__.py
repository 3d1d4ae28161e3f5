"""DMARC policy records: parse, edit, compare, discover (RFC 9989, 9990).

``record`` is what a record says and what we refuse to publish, ``mend`` what was meant as one,
``edit`` how one is changed without loss and what a change means, ``discovery`` which record applies
to a domain and whether reports may go where it says. All of it is pure.
"""

from __future__ import annotations

from netcup_mailauth.dmarc.discovery import Authorisation as Authorisation
from netcup_mailauth.dmarc.discovery import ComingLookup as ComingLookup
from netcup_mailauth.dmarc.discovery import Discovery as Discovery
from netcup_mailauth.dmarc.discovery import authorisation as authorisation
from netcup_mailauth.dmarc.discovery import authorisation_name as authorisation_name
from netcup_mailauth.dmarc.discovery import discover as discover
from netcup_mailauth.dmarc.discovery import is_one_organisation as is_one_organisation
from netcup_mailauth.dmarc.edit import FATE as FATE
from netcup_mailauth.dmarc.edit import applied_policy as applied_policy
from netcup_mailauth.dmarc.edit import describe_changes as describe_changes
from netcup_mailauth.dmarc.edit import dropped_failures as dropped_failures
from netcup_mailauth.dmarc.edit import dropped_reports as dropped_reports
from netcup_mailauth.dmarc.edit import in_earnest as in_earnest
from netcup_mailauth.dmarc.edit import in_test_mode as in_test_mode
from netcup_mailauth.dmarc.edit import not_yet_in_force as not_yet_in_force
from netcup_mailauth.dmarc.edit import only_watches_twice as only_watches_twice
from netcup_mailauth.dmarc.edit import removed_tags as removed_tags
from netcup_mailauth.dmarc.edit import weakens as weakens
from netcup_mailauth.dmarc.edit import with_addresses as with_addresses
from netcup_mailauth.dmarc.edit import with_policy as with_policy
from netcup_mailauth.dmarc.edit import with_policy_of as with_policy_of
from netcup_mailauth.dmarc.edit import with_subdomain_policy as with_subdomain_policy
from netcup_mailauth.dmarc.edit import without_quotes as without_quotes
from netcup_mailauth.dmarc.edit import without_report_address as without_report_address
from netcup_mailauth.dmarc.mend import is_meant as is_meant
from netcup_mailauth.dmarc.mend import mended as mended
from netcup_mailauth.dmarc.record import KNOWN as KNOWN
from netcup_mailauth.dmarc.record import POLICIES as POLICIES
from netcup_mailauth.dmarc.record import REMOVED as REMOVED
from netcup_mailauth.dmarc.record import DmarcRecord as DmarcRecord
from netcup_mailauth.dmarc.record import DmarcSyntaxError as DmarcSyntaxError
from netcup_mailauth.dmarc.record import Policy as Policy
from netcup_mailauth.dmarc.record import equal as equal
from netcup_mailauth.dmarc.record import is_dmarc as is_dmarc
from netcup_mailauth.dmarc.record import parse as parse
from netcup_mailauth.dmarc.record import parse_live as parse_live
from netcup_mailauth.dmarc.record import read as read
from netcup_mailauth.dmarc.record import report_host as report_host
from netcup_mailauth.dmarc.record import uri_problem as uri_problem
