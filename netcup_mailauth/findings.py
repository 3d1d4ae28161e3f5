"""What the program has to say about a zone or a change, and how serious it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.kind import Kind


class Severity(StrEnum):
    """How a finding weighs.

    ``refused`` cannot be allowed, because no user can want it; ``danger`` stops ``apply`` unless
    it is allowed; ``warning`` is shown; ``note`` is shown where nothing is about to be written.
    """

    REFUSED = "refused"
    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        code: what it is about, as in ``spf-drops-sender``; by it a danger is accepted.
        severity: how it weighs.
        advice: what to do about it; an indented line is one to copy. May be empty.
        message: what it is, with the actual value.
        kind: the kind of record that it holds back, if it holds anything back; ``None`` for one
            about the whole zone.
    """

    code: str
    severity: Severity
    message: str
    advice: str = ""
    kind: Kind | None = field(default=None, compare=False)


def by_gravity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the gravest first, each once."""
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: order.index(f.severity)))


class Meaning(NamedTuple):
    """What a code stands for, whatever the record; the guide's page on findings is made from it.

    Attributes:
        what: what is the matter.
        when: what makes it come up.
        advice: what to do.
        source: the rule behind it.
    """

    what: str
    when: str
    advice: str
    source: str


REFUSED = {
    "cname-conflict": Meaning(
        "A CNAME stands where the record is to go, and no other record can stand beside it.",
        "A CNAME is live at the domain or at _dmarc, and a record is wanted there.",
        "Delete the CNAME in the CCP if it is yours to delete; or leave that kind alone with "
        "--kind.",
        "RFC 1034, 3.6.2",
    ),
    "dkim-cname": Meaning(
        "A CNAME stands at the selector, and no other record can stand beside it.",
        "Often a mail service keeps its own key behind that CNAME.",
        "Delete it in the CCP if it is yours, or let the mail server sign with another selector.",
        "RFC 1034, 3.6.2",
    ),
    "dkim-key-too-short": Meaning(
        "The key is too short for receivers to heed.",
        "An RSA key below 1024 bits is wanted; check calls a published one a danger.",
        "Make one of 2048 bits.",
        "RFC 8301, 3.2",
    ),
    "dkim-selector-mismatch": Meaning(
        "The key would stand at a selector that mailcow does not sign with.",
        "--selector or selector in the config differs from mailcow's own.",
        "Leave the selector out, or give mailcow's.",
        "RFC 6376, 3.1: receivers ask only for the selector in the signature",
    ),
    "dkim-syntax": Meaning(
        "The text is no DKIM record that receivers can read.",
        "Such a record is wanted; check calls a published one a danger.",
        "Copy the whole record, from v=DKIM1 to the end of p=; its quotes do not matter.",
        "RFC 6376, 3.6.1",
    ),
    "dmarc-ambiguous": Meaning(
        "Two DMARC records are live, and only parts of one are wanted.",
        "Receivers ignore both; which one is meant is for you to say.",
        "Give the one that is meant whole with --dmarc; the other is then deleted.",
        "RFC 9989, 4.7",
    ),
    "dmarc-syntax": Meaning(
        "The text is no DMARC record that receivers can read.",
        "Such a record is wanted; check calls a published one a danger.",
        "Correct what the finding names; v=DMARC1 comes first, p= has one of three words.",
        "RFC 9989, 4.7 and 4.8",
    ),
    "record-fixed": Meaning(
        "The record cannot be changed by itself.",
        "netcup marks it as fixed, or it is there twice, exactly alike, on CloudDNS.",
        "Look at the zone in the CCP: what can be changed there, change there.",
        "CloudDNS tells records by their content",
    ),
    "rotation-in-progress": Meaning(
        "An open key rotation works on this selector.",
        "A run other than rotate would change one of its two keys.",
        "Let it finish with rotate --continue, or end it with rotate --abort.",
        "netcup-mailauth help rotate",
    ),
    "spf-syntax": Meaning(
        "The text is no SPF record that receivers can read.",
        "Such a record is wanted, or the live one cannot be edited in parts. check calls a "
        "published one a danger.",
        "Correct the term that the finding names, or give the record whole with --spf.",
        "RFC 7208, 4.6.1 and 12",
    ),
}
"""The findings about a change that cannot be allowed. Each here stands with its like at its worst:
what was there before, or is only guessed, weighs less."""

DANGERS = {
    "dkim-key-mismatch": Meaning(
        "The published key is not the one mail is signed with, so every signature fails.",
        "Only check says it, where the key's source is known (mailcow, a file).",
        "Publish the key that the mail server signs with: apply with the same --dkim.",
        "RFC 6376, 6.1",
    ),
    "dkim-multiple": Meaning(
        "Several records stand at one selector, so it is undefined which key counts.",
        "A change would leave more than one there, or check finds them.",
        "Delete all but one in the CCP.",
        "RFC 6376, 3.6.2.2",
    ),
    "dkim-removes-signing-key": Meaning(
        "The key that mail is signed with goes, and every signature fails from then on.",
        "The record of the signing key would be deleted or get another key, as by an undo.",
        "Let the mail server sign with another published key first.",
        "RFC 6376, 6.1.2",
    ),
    "dkim-revokes-key": Meaning(
        "A key is revoked or its record goes: mail signed with it fails from then on.",
        "An empty p= is wanted, or a record with a key is deleted.",
        "Do it only when nothing signs with the key any more and its mail has arrived.",
        "RFC 6376, 3.6.1",
    ),
    "dmarc-drops-reports": Meaning(
        "An address that gets reports today gets none any more.",
        "A whole DMARC record is wanted in which a live rua= or ruf= is missing.",
        "If somebody reads them, keep the address; else accept it.",
        "RFC 9990 (reports), RFC 9991 (failure reports)",
    ),
    "dmarc-enforces-without-dkim": Meaning(
        "Failing mail is quarantined or rejected, and no DKIM key is published.",
        "p=quarantine or p=reject is wanted, or the last key goes. Forwarded mail then fails.",
        "Publish a key first, in the same run with --dkim, or begin with p=none.",
        "RFC 7960, 2: what forwarding leaves of SPF and DKIM",
    ),
    "dmarc-multiple": Meaning(
        "Several DMARC records are live, so receivers ignore them all.",
        "A change would leave more than one, or check finds them.",
        "Give the one that is meant whole with --dmarc; the others are then deleted.",
        "RFC 9989, 4.7",
    ),
    "dmarc-report-not-authorised": Meaning(
        "The reports go to another domain, which has not agreed to get them.",
        "The address in rua= is of another organisation: no DMARC record is above both domains.",
        "Have that domain publish the record the finding names. If it is yours at netcup, "
        "plan both domains in one run, with the address in it: then it is planned as well.",
        "RFC 9990, 4",
    ),
    "dmarc-weakens-policy": Meaning(
        "Receivers will do less with mail that fails.",
        "The policy wanted is weaker than the live one, also for sub-domains or by t=y.",
        "Leave it as it is, unless mail of yours is being lost.",
        "RFC 9989, 4.7",
    ),
    "name-delegated": Meaning(
        "The name lies in a zone of its own, so a record here is never served.",
        "NS records stand at the name, or above it below the apex.",
        "Change it where that name is served, or delete the NS records if nobody serves it "
        "any more.",
        "RFC 1034, 4.2.1",
    ),
    "own-server-unknown": Meaning(
        "It is not known what sends the domain's mail, so the SPF record cannot be tried.",
        "No address was found for the server named, or for any MX. A warning, unless -all is new.",
        "Name it with --server mail.example.com, or by its address.",
        "RFC 7208, 2.4",
    ),
    "record-vanished": Meaning(
        "A record that this machine wrote is gone, and parts would make a bare one.",
        "The last zone seen here had it, the live one has not, and the wish names parts only.",
        "See in the CCP who took it away; then give it whole, as the finding prints it.",
        "the journal of this machine",
    ),
    "spf-admits-excluded": Meaning(
        "Whom the live record shuts out may send by the new one.",
        "A term such as -ip4:192.0.2.9 goes, or one in front of it now passes.",
        "Keep the term, or name it with --spf-drop if they may send from now on.",
        "RFC 7208, 4.6.2",
    ),
    "spf-broken-include": Meaning(
        "An include: leads to nothing that receivers can use.",
        "The domain has no SPF record, or a broken one, or the includes run in a circle.",
        "Correct its name, take it out, or ask whoever runs that domain.",
        "RFC 7208, 5.2",
    ),
    "spf-drops-sender": Meaning(
        "Somebody who may send today could no longer.",
        "A term in effect in the live record is not in the new one, and nobody named it.",
        "Does a website at netcup, a shop or a newsletter send that way? Then keep the term. "
        "Else name it with --spf-drop, or in drop = [...].",
        "RFC 7208, 4.6",
    ),
    "spf-excludes-own-server": Meaning(
        "The record does not let your own mail server send.",
        "It was tried with each address of --server, else of mailcow's host, else of the MX.",
        "Add what the finding prints. An MX that only receives may be left out.",
        "RFC 7208, 4",
    ),
    "spf-loosens-all": Meaning(
        "Mail from all other servers is judged much more mildly than before.",
        "The final all becomes ?all or +all, or goes.",
        "Keep ~all or -all: else anyone can send as this domain, as far as SPF goes.",
        "RFC 7208, 5.1",
    ),
    "spf-multiple": Meaning(
        "Several SPF records are live, which receivers answer with permerror for all mail.",
        "Mostly a second one was added instead of editing the first.",
        "Plan any part of it: two become one that keeps every term.",
        "RFC 7208, 4.5",
    ),
    "spf-not-checked": Meaning(
        "DNS was silent, so what the record does could not be found out.",
        "A danger only where this change adds a look-up; else a warning.",
        "Try again when DNS answers, or name another resolver with --resolver.",
        "RFC 7208, 2.6.6",
    ),
    "spf-pass-all": Meaning(
        "The record lets everybody send as this domain, or half of all addresses.",
        "It ends with +all or a bare all, or its networks, with what an include or redirect leads "
        "to, let at least half of all IPv4 or IPv6 addresses pass.",
        "Take that out, and end it with ~all or -all.",
        "RFC 7208, 5.1",
    ),
    "spf-removed": Meaning(
        "The domain will have no SPF record any more.",
        "Its record would be deleted, as by an undo of the first apply.",
        "Receivers then cannot tell its servers from anybody else's: keep it, if mail is sent.",
        "RFC 7208, 2.6.1",
    ),
    "spf-too-many-lookups": Meaning(
        "The record needs more than 10 DNS look-ups, and receivers stop with permerror.",
        "Each include, a, mx, exists and redirect counts, with all inside it.",
        "Name addresses instead of mx and a, or take out an include that is not used.",
        "RFC 7208, 4.6.4",
    ),
    "spf-void-lookups": Meaning(
        "More than two look-ups find nothing, and receivers stop with permerror.",
        "Names in the record no longer exist.",
        "Take out the terms that the finding names.",
        "RFC 7208, 4.6.4",
    ),
    "wildcard-shadowed": Meaning(
        "A new name makes a host name exist for which a wildcard answered until now.",
        "A record goes two or more labels below the apex, such as _dmarc.shop.",
        "If that host is used, give it the records the finding names in the CCP first.",
        "RFC 4592, 2.2.1",
    ),
    "zone-has-draft": Meaning(
        "Somebody has begun to change the zone and not committed it yet.",
        "A draft is open on CloudDNS, or netcup calls the newest revision by an unknown word.",
        "Commit or discard the draft in the CCP, then plan again.",
        "the revisions of a CloudDNS zone",
    ),
    "zone-reads-empty": Meaning(
        "netcup lists no record at all in the zone.",
        "The zone is new, or netcup has moved it to CloudDNS and its old API does not say so.",
        "A domain that has a website or mail is not empty: look in the CCP before you write.",
        "5029 of netcup's CCP API",
    ),
}
"""Those that hold a record back until they are allowed."""

WARNINGS = {
    "dkim-key-1024": Meaning(
        "The key is shorter than 2048 bits.",
        "An RSA key of 1024 to 2047 bits is published or about to be.",
        "Make one of 2048 bits in the mail server; rotate changes to it without a gap.",
        "RFC 8301, 3.2",
    ),
    "dkim-key-replaced": Meaning(
        "A selector that is live gets another key.",
        "Mail on its way fails, and caches hold the old key for up to its TTL.",
        "If the server signs with the new key already, write it now; next time rotate avoids "
        "the gap.",
        "RFC 6376, 3.6.1",
    ),
    "dkim-no-key": Meaning(
        "mailcow has no DKIM key for this domain, so its DKIM record stays as it is.",
        "The source is mailcow, and nobody has made a key there yet.",
        "Make one in mailcow (System > Configuration > Options > ARC/DKIM keys), then run again.",
        "mailcow signs nothing for a domain without a key",
    ),
    "dkim-not-looked-at": Meaning(
        "A DMARC policy counts on a key that the zone does not have and this run leaves alone.",
        "--kind leaves DKIM out, the domain has a source for its key, and the policy enforces.",
        "Run it over all kinds, before the policy or together with it.",
        "RFC 7960, 2: what forwarding leaves of SPF and DKIM",
    ),
    "dkim-testing": Meaning(
        "The key says t=y: receivers treat signed mail as if it were not signed.",
        "The published or wanted record holds the flag y.",
        "Take t=y out when the signatures are right.",
        "RFC 6376, 3.6.1",
    ),
    "dmarc-no-reports": Meaning(
        "The DMARC record names no address for reports, so nobody sees which mail fails.",
        "It has no rua= tag.",
        "Add one with --rua mailto:postmaster@DOMAIN.",
        "RFC 9990",
    ),
    "dmarc-pct-0": Meaning(
        "pct=0 stands beside t=y, so both old and new receivers only watch.",
        "An older record had pct=0; receivers of RFC 7489 know only that, newer ones only t=y.",
        "Keep both while you watch; to end it give the record whole without them.",
        "RFC 9989 (t), RFC 7489 (pct)",
    ),
    "dmarc-removed-tag": Meaning(
        "The record holds a tag that receivers no longer read: pct, rf or ri.",
        "An older record is live, or such a tag is wanted.",
        "Take it out. An edit in parts does so by itself; pct=0 gets t=y beside it.",
        "RFC 9989",
    ),
    "dmarc-ruf-not-authorised": Meaning(
        "The failure reports go to another domain, which has not agreed to get them.",
        "As for rua=, but of ruf=, which few receivers use at all.",
        "Have that domain publish the record the finding names, or take ruf= out.",
        "RFC 9991",
    ),
    "dmarc-untested": Meaning(
        "From no DMARC record to quarantine or reject at once.",
        "Nobody has seen yet which of your own mail fails.",
        "Safer is p=none with a report address for about four weeks.",
        "RFC 9989, 5.1",
    ),
    "misplaced-record": Meaning(
        "A record stands at a name where no receiver looks.",
        "The underscore is missing (dmarc, domainkey), or the name repeats the zone.",
        "Move or delete it in the CCP; netcup adds the zone's name by itself.",
        "RFC 6376, 3.6.2.1; RFC 9989, 4.5",
    ),
    "near-miss": Meaning(
        "A text was meant as a record and is none for receivers.",
        "A blank or a quotation mark in front, v=dmarc1 for v=DMARC1, or another text at the name.",
        "Do what the finding says: delete it in the CCP, or give it whole if it is the one meant.",
        "RFC 7208, 4.5; RFC 9989, 4.7; RFC 6376, 3.6.1",
    ),
    "relayhost": Meaning(
        "mailcow hands this domain's mail to a relay.",
        "A sender-dependent transport is set for it in mailcow.",
        "Make sure of the include: that the relay's provider asks for, with --spf-require.",
        "RFC 7208, 2.4",
    ),
    "spf-after-all": Meaning(
        "Something stands behind the all, where nobody reads it.",
        "A term or a redirect= follows, or there are two of them.",
        "Put the all last.",
        "RFC 7208, 5.1 and 6.1",
    ),
    "spf-long": Meaning(
        "The answer with all TXT records of the name is long.",
        "Over 512 octets some receivers and firewalls lose it; a record over 450 is a note.",
        "Take out old verification texts and unused terms; write networks for single addresses.",
        "RFC 7208, 3.4",
    ),
    "spf-near-limit": Meaning(
        "The record needs 8 or more of the 10 DNS look-ups.",
        "An include can grow without notice.",
        "Make room: addresses (ip4:, ip6:) instead of mx and a cost nothing.",
        "RFC 7208, 4.6.4",
    ),
    "spf-neutral-all": Meaning(
        "?all says nothing about other senders.",
        "The record ends with it.",
        "End it with ~all or -all.",
        "RFC 7208, 2.6.2",
    ),
    "spf-no-all": Meaning(
        "There is no all at the end, so nothing is said about other senders.",
        "It is missing, or a blank before it is.",
        "End the record with ~all or -all.",
        "RFC 7208, 4.7",
    ),
    "spf-ptr": Meaning(
        "ptr is slow and unreliable, and some receivers skip it.",
        "The record holds ptr.",
        "Name the addresses instead, as in ip4:203.0.113.7.",
        "RFC 7208, 5.5",
    ),
    "spf-softens-all": Meaning(
        "Mail from all other servers: rejected before, only doubted from now on.",
        "The final -all becomes ~all.",
        "Nothing, if DMARC is in force: that protects as well.",
        "RFC 7208, 2.6.5; RFC 9989, 7.1",
    ),
    "spf-void-hosts": Meaning(
        "An mx leads to several hosts without an address of one family.",
        "Some receivers count each as a void look-up, and stop at three.",
        "Name their addresses (ip4:, ip6:) in front of what asks DNS.",
        "RFC 7208, 4.6.4",
    ),
    "stale-netcup-mail": Meaning(
        "Something of netcup's own mail is left over.",
        "An MX of netcup's stands beside yours, or DKIM CNAMEs of its web hosting.",
        "Delete it in the CCP, unless netcup still gets or sends mail for the domain.",
        "netcup's default zone",
    ),
    "ttl-long": Meaning(
        "The old key stays in caches for more than an hour.",
        "A live key with a long TTL is replaced, on CloudDNS.",
        "Lower the TTL a day before the next change of the key, or use rotate.",
        "RFC 1035, 3.2.1",
    ),
}
"""Those that are shown."""

NOTES = {
    "dkim-n-left-out": Meaning(
        "The n= tag of the key is not published, because the API cannot hold its text.",
        "It holds a quotation mark, a backslash, an apostrophe or a letter outside ASCII.",
        "Nothing: it is a note for people, which receivers do not read.",
        "RFC 6376, 3.6.1",
    ),
    "dkim-named-elsewhere": Meaning(
        "The key given stands under the name of another domain.",
        "A zone line or a file of opendkim-genkey or rspamadm names a domain that is not this one.",
        "Fine where domains share a key; else give the key of this domain.",
        "WEB.DE and GMX insist on a signature of the sender's own domain",
    ),
    "dmarc-policy-none": Meaning(
        "The policy only watches: failing mail is delivered.",
        "p=none is live or wanted, or t=y holds a stronger policy back.",
        "Read the reports for about four weeks, then go on with --dmarc-policy quarantine.",
        "RFC 9989, 4.7",
    ),
    "dmarc-psd": Meaning(
        "psd=y says that the domain is a public suffix, such as co.uk.",
        "Somebody copied the tag; it is for registries.",
        "Take psd=y out.",
        "RFC 9989, 4.7",
    ),
    "dmarc-reject-and-mailing-lists": Meaning(
        "p=reject: what people of this domain send to mailing lists may be rejected.",
        "p=reject is live or wanted.",
        "Where people post to lists, quarantine is the better choice.",
        "RFC 9989, 7.4",
    ),
    "spf-fail-and-forwarding": Meaning(
        "Some receivers reject forwarded mail by -all before they look at DKIM.",
        "The record ends with -all.",
        "Use ~all together with DMARC: that protects as well.",
        "RFC 9989, 7.1",
    ),
    "wildcard-txt": Meaning(
        "A wildcard has a TXT record, which answers for every name that is not there.",
        "It answers for DKIM selectors and for _dmarc of sub-domains, too.",
        "Delete it unless something needs it.",
        "RFC 4592",
    ),
}
"""Those that are shown where nothing is about to be written."""

OF_CHANGES = {
    Severity.REFUSED: REFUSED,
    Severity.DANGER: DANGERS,
    Severity.WARNING: WARNINGS,
    Severity.NOTE: NOTES,
}

CODES = tuple(sorted(code for meanings in OF_CHANGES.values() for code in meanings))
"""Every code of a finding about a change, which can be allowed by it; part of the contract."""

OF_ROTATIONS = {
    "rotation-short-grace": Meaning(
        "The old key would go before late mail has arrived.",
        "rotate is given a --grace below 5 days; mail servers try that long.",
        "Leave the grace at 7 days, or accept it.",
        "RFC 5321, 4.5.4.1",
    ),
}
"""What a rotation asks consent for; the codes are part of the contract."""

OF_DOMAINS = {
    "addresses-not-asked": Meaning(
        "Some addresses of name servers were not asked.",
        "This machine has no route to IPv6, or to IPv4.",
        "Nothing; or check from a machine that has both.",
        "every address of a name server counts as one",
    ),
    "autodiscover-elsewhere": Meaning(
        "autodiscover or autoconfig does not lead to the mail server.",
        "Mostly netcup's wildcard answers for it, and leads to the web server.",
        "Add a CNAME to the mail server for each in the CCP.",
        "mail programs look for their settings there",
    ),
    "mta-sts": Meaning(
        "The domain has no MTA-STS record: TLS to its server can be stripped on the way.",
        "Nothing stands at _mta-sts.",
        "mailcow can serve the policy: switch it on, wait for the certificate, then publish it.",
        "RFC 8461",
    ),
    "mx-broken": Meaning(
        "Mail cannot be delivered to an MX.",
        "It is an address or a CNAME, or has no address.",
        "Correct it in the CCP: a host name with A or AAAA records of its own.",
        "RFC 5321, 5.1; RFC 2181, 10.3",
    ),
    "mx-missing": Meaning(
        "The domain has no MX, so its mail goes to its web address, or nowhere.",
        "No MX stands at the domain.",
        "Add one in the CCP; a domain that takes no mail says so with MX 0 and a lone dot.",
        "RFC 5321, 5.1; RFC 7505",
    ),
    "netcup-not-read": Meaning(
        "netcup's copy of the zone was not read, so pending cannot be told from wrong.",
        "The credentials are missing or refused, or the API is down.",
        "Do what the finding says, or leave it: check needs no credentials.",
        "netcup-mailauth help check",
    ),
    "not-at-netcup": Meaning(
        "A domain that mailcow serves is not at this netcup account.",
        'domains_from = "mailcow" found it, and neither API has its zone.',
        "Leave it out with exclude, or manage its records where its zone is.",
        "netcup-mailauth help many",
    ),
    "reverse-dns": Meaning(
        "The reverse DNS of a sending address does not lead back to it.",
        "No name is set, or the name has another address. Large receivers refuse mail for that.",
        "Set it where the server is rented (at netcup: SCP > Network).",
        "RFC 1912, 2.1",
    ),
    "reverse-dns-contact": Meaning(
        "T-Online wants a website with a direct contact behind the reverse name.",
        "The server stands at netcup.",
        "Have such a site there (Impressum). At a 554, write to the address in the answer.",
        "the rules of T-Online's postmaster",
    ),
    "reverse-dns-generic": Meaning(
        "The reverse name is the provider's own, made of the address.",
        "WEB.DE and GMX usually reject mail from such a name.",
        "Set it to a name of yours that leads back to it (at netcup: SCP > Network).",
        "the rules of WEB.DE's and GMX's postmasters",
    ),
    "tls-rpt": Meaning(
        "The domain asks for no reports on failed TLS.",
        "Nothing stands at _smtp._tls.",
        "A TXT there asks for them: v=TLSRPTv1;rua=mailto:postmaster@DOMAIN",
        "RFC 8460",
    ),
}
"""What is only said of a domain and its neighbours, and never stops anything."""

MEANINGS = {**REFUSED, **DANGERS, **WARNINGS, **NOTES, **OF_ROTATIONS, **OF_DOMAINS}
"""Every finding there is, by its code."""

LOOK_FIRST = frozenset(
    {
        "name-delegated",
        "record-vanished",
        "wildcard-shadowed",
        "zone-has-draft",
        "zone-reads-empty",
    }
)
"""Dangers to which no printed command consents: there the finding says what to look at first."""

NOT_SERVED = frozenset({"cname-conflict", "dkim-cname", "name-delegated"})
"""Codes that say that no receiver sees what stands in the zone, be it as wanted or not."""

SHORT_GRACE = "rotation-short-grace"
"""The code that accepts that a rotation leaves the old key published for a shorter time."""
