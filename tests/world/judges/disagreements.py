"""Every record that a judge and we see differently, and the text that decides.

Section numbers of RFC 9989 were checked against its last draft (dmarcbis-41).
"""

from __future__ import annotations

from typing import Final

from tests.world.judges.records import Disagreement, Judge

_EVALUATORS: Final[tuple[Judge, ...]] = ("pyspf", "Mail::SPF")
_PER_HOST: Final = "it does not say whether a mail host without an address is a void look-up"

SPF: Final = (
    *(
        Disagreement(
            judge,
            f"{number}-mail-hosts-of-ipv4",
            "192.0.2.1=pass other=fail other6=permerror",
            "192.0.2.1=pass other=fail other6=fail",
            "RFC 7208 4.6.4",
            _PER_HOST,
            "open",
        )
        for judge in _EVALUATORS
        for number in (3, 4)
    ),
    Disagreement(
        "pyspf",
        "open-macro-in-modifier",
        "mail=pass",
        "mail=permerror",
        "RFC 7208 6",
        "the value of an unknown modifier is a macro-string too; pyspf does not look at it",
    ),
    Disagreement(
        "checkdmarc SPF",
        "open-macro-in-modifier",
        "1 look-ups",
        "broken",
        "RFC 7208 6",
        "the value of an unknown modifier is a macro-string too; checkdmarc does not look at it",
    ),
    Disagreement(
        "Mail::SPF",
        "ipv6-internet",
        "mail=pass mail6=pass",
        "mail=fail mail6=pass",
        "RFC 7208 5",
        "an IPv4 client matches no IPv6 network; Mail::SPF turns it into a mapped IPv6 address",
    ),
    Disagreement(
        "Mail::SPF",
        "empty-a-with-prefix",
        "web=pass",
        "web=permerror",
        "RFC 7208 5.3",
        "a domain-spec has to follow the colon; Mail::SPF takes an empty one",
    ),
    Disagreement(
        "pyspf",
        "open-macro",
        "mail=fail",
        "mail=permerror",
        "RFC 7208 7.1",
        "a macro without its closing brace is a syntax error; pyspf takes it for text",
    ),
    Disagreement(
        "pyspf",
        "macro-keeps-nothing",
        "mail=fail",
        "mail=permerror",
        "RFC 7208 7.3",
        "the number of parts must not be zero; pyspf accepts %{d0}",
    ),
    Disagreement(
        "pyspf",
        "include-itself",
        "mail=permerror other=permerror",
        "mail=pass other=permerror",
        "RFC 7208 4.6.2",
        "the first match ends the check, so mx decides before the loop; pyspf looks ahead",
    ),
    Disagreement(
        "Mail::SPF",
        "eleven-mail-hosts",
        "other=fail",
        "other=permerror",
        "RFC 7208 4.6.4",
        "more than ten mail hosts are a permerror; Mail::SPF looks at ten, as RFC 4408 had it",
    ),
    Disagreement(
        "checkdmarc SPF",
        "capitals",
        "broken",
        "1 look-ups",
        "RFC 7208 12",
        "strings of the grammar are case-insensitive (RFC 5234 2.3), v=spf1 among them",
    ),
    Disagreement(
        "checkdmarc SPF",
        "tab-between",
        "1 look-ups",
        "broken",
        "RFC 7208 4.6.1",
        "terms are separated by SP; checkdmarc splits at any white space",
    ),
    Disagreement(
        "checkdmarc SPF",
        "hard-blank-between",
        "2 look-ups",
        "broken",
        "RFC 7208 4.6.1",
        "terms are separated by SP; checkdmarc splits at any white space of Unicode",
    ),
    Disagreement(
        "checkdmarc SPF",
        "address-behind-a",
        "1 look-ups",
        "broken",
        "RFC 7208 7.1",
        "a top label has a letter in it, so an address is no domain-spec; checkdmarc only warns",
    ),
    Disagreement(
        "checkdmarc SPF",
        "single-label",
        "1 look-ups",
        "broken",
        "RFC 7208 7.1",
        "a domain-spec ends in a dot and a top label; checkdmarc only warns",
    ),
    Disagreement(
        "checkdmarc SPF",
        "broken-behind-all",
        "1 look-ups",
        "broken",
        "RFC 7208 4.6",
        "a syntax error anywhere in the record is a permerror, behind the all too",
    ),
    Disagreement(
        "checkdmarc SPF",
        "dns-down-for-include",
        "broken",
        "no answer",
        "RFC 7208 5.2",
        "an include whose check ends in temperror is a temperror, not a fault of the record",
    ),
    Disagreement(
        "checkdmarc SPF",
        "dns-down-for-a",
        "2 look-ups",
        "no answer",
        "RFC 7208 5",
        "a mechanism whose DNS look-up fails is a temperror; checkdmarc only warns",
    ),
)

_REVOKED: Final = "an empty p= revokes the key; dkimpy has no word for it but broken"
_BASE64: Final = "the character is none of base64; dkimpy's decoder skips it"
_REST: Final = "p= holds one key in DER; dkimpy ignores the bytes behind it"

DKIM: Final = (
    *(
        Disagreement("dkimpy", name, "unusable", "revoked", "RFC 6376 3.6.1", _REVOKED)
        for name in (
            "revoked",
            "revoked-bare",
            "revoked-semicolon",
            "revoked-blank",
            "revoked-ed25519",
        )
    ),
    *(
        Disagreement("dkimpy", name, "verifies", "unusable", "RFC 6376 3.2", _BASE64)
        for name in ("quotes-in-key", "backslash-in-key")
    ),
    *(
        Disagreement("dkimpy", name, "verifies", "unusable", "RFC 6376 3.6.1", _REST)
        for name in ("end-twice", "two-keys-in-p")
    ),
    Disagreement(
        "dkimpy",
        "service-list",
        "unusable",
        "verifies",
        "RFC 6376 3.6.1",
        "s= is a list with colons; dkimpy knows only single values",
    ),
    Disagreement(
        "dkimpy",
        "version-last",
        "verifies",
        "unusable",
        "RFC 6376 3.6.1",
        "v= must be the first tag if it is there; dkimpy does not look",
    ),
    Disagreement(
        "dkimpy",
        "sha1-only",
        "verifies",
        "unusable",
        "RFC 6376 6.1.2",
        "h= does not list the hash of the signature, so the key must not be used; dkimpy skips h=",
    ),
)

_NO_POLICY: Final = (
    "4.10.1 applies no DMARC without a valid p and without reports, 4.7 treats a missing p as none"
)
_FALLBACK: Final = "a tag that is wrong counts as not there; checkdmarc refuses the whole record"
_ADDRESS: Final = "an address that is wrong counts as not there; checkdmarc refuses the record"
_MUST_BE_NONE: Final = (
    "without a valid p, or with a wrong sp or np, a record that asks for reports is p=none"
)
_TAG_CASE: Final = (
    "4.7 takes the tags of RFC 6376 3.2, which are case-sensitive; in the grammar of 4.8"
    " the name is a string without case"
)

_UNRELATED: Final = "other texts at the name are discarded; checkdmarc refuses the good one then"
_REFUSES: Final = "p=none where reports are asked for; Mail::DMARC refuses a wrong value"
_SECOND: Final = "DMARC1 is case-sensitive; Mail::DMARC takes any case, and two are too many for it"
_TO_O: Final = " rua=mailto:o@example.com"
_SLASHES: Final = "mailto: is followed by the address itself, without slashes"
_HARD_BLANK: Final = "only space and tab are blanks; any other character belongs to the value"

DMARC: Final = (
    *(
        Disagreement(
            "checkdmarc DMARC", name, they_say, "none", "RFC 9989 4.10.1", _NO_POLICY, "open"
        )
        for name, they_say in (
            ("version-alone", "none/none/none"),
            ("version-and-semicolon", "none/none/none"),
            ("p-missing", "none/reject/reject"),
            ("policy-long-name", "none/none/none"),
        )
    ),
    Disagreement(
        "checkdmarc DMARC",
        "p-missing-sp-with-reports",
        "none/reject/reject rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.10.1",
        "4.10.1 takes the record for p=none alone, 4.7 only adds p=none to it",
        "open",
    ),
    Disagreement(
        "checkdmarc DMARC",
        "p-misspelt-with-reports",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.10.1",
        _MUST_BE_NONE,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "sp-misspelt-with-reports",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.10.1",
        _MUST_BE_NONE,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "np-misspelt-with-reports",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.10.1",
        _MUST_BE_NONE,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "t-unknown",
        "none",
        "reject/reject/reject",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "psd-unknown",
        "none",
        "reject/reject/reject",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "fo-unknown",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "fo-commas",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-without-mailto",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-second-without-mailto",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-slashes",
        "none/none/none rua=mailto://a@example.com",
        "none/none/none",
        "RFC 6068 2",
        _SLASHES,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-blank",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-mailto-twice",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-lone-percent",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-empty",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-no-domain",
        "none",
        "none/none/none",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "rua-semicolon-between",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.7",
        _ADDRESS,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "two-semicolons",
        "none",
        "reject/reject/reject",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "stray-word",
        "none",
        "reject/reject/reject",
        "RFC 9989 4.7",
        _FALLBACK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "p-in-capitals",
        "reject/reject/reject",
        "none",
        "RFC 9989 4.8",
        _TAG_CASE,
        "open",
    ),
    Disagreement(
        "checkdmarc DMARC",
        "hard-blank",
        "reject/reject/reject",
        "none",
        "RFC 9989 4.8",
        _HARD_BLANK,
    ),
    Disagreement(
        "checkdmarc DMARC",
        "escaped-semicolon",
        "none",
        "none/none/none rua=mailto:a@example.com",
        "RFC 9989 4.10.1",
        _MUST_BE_NONE,
    ),
    *(
        Disagreement(
            "checkdmarc DMARC",
            f"before-{name}",
            "none",
            f"none/none/none{reports}",
            "RFC 9989 4.7",
            why,
        )
        for name, reports, why in (
            ("one-semicolon-missing", _TO_O, _MUST_BE_NONE),
            ("value-misspelt", _TO_O, _MUST_BE_NONE),
            ("semicolon-between-addresses", _TO_O, _ADDRESS),
            ("no-mailto", "", _ADDRESS),
        )
    ),
    Disagreement(
        "checkdmarc DMARC",
        "before-tags-in-capitals",
        f"none/none/none{_TO_O}",
        "none",
        "RFC 9989 4.8",
        _TAG_CASE,
        "open",
    ),
    Disagreement(
        "checkdmarc DMARC",
        "before-blank-between-addresses",
        f"none/none/none{_TO_O}",
        "none/none/none",
        "RFC 9989 4.8",
        "only a comma stands between two addresses; checkdmarc stops at the blank",
    ),
    *(
        Disagreement("checkdmarc DMARC", name, "none", we_say, "RFC 9989 4.10", _UNRELATED)
        for beside in ("near-miss-beside", "lower-case-beside", "token-beside")
        for name, we_say in (
            (f"before-{beside}", f"none/none/none{_TO_O}"),
            (f"{beside}-policy", f"quarantine/quarantine/quarantine{_TO_O}"),
            (f"{beside}-whole", "none/none/none rua=mailto:w@example.com"),
        )
    ),
)

_LENIENT: Final = "Mail::DMARC drops blanks and backslashes, takes any case, and = : - alike"
_LAST: Final = "a tag must not stand twice, or the record is none; Mail::DMARC takes the last"
_RAW: Final = "Mail::DMARC hands on what is written, and no report arrives there"
_FO: Final = (
    "the ABNF of RFC 7489 6.4 allows 0, 1, or d and s; its text any list, and nobody checks"
)
_A: Final = " rua=mailto:a@example.com"

MAIL_DMARC: Final = (
    Disagreement(
        "Mail::DMARC",
        "blanks-everywhere",
        "none",
        "reject/reject",
        "RFC 9989 4.8",
        "blanks are allowed around the equals sign; Mail::DMARC wants v=DMARC1 in one piece",
    ),
    Disagreement(
        "Mail::DMARC",
        "pct-110",
        "reject/reject pct=110",
        "reject/reject",
        "RFC 7489 6.3",
        "a share is 100 at most; Mail::DMARC hands on what is written, to the same effect",
    ),
    *(
        Disagreement("Mail::DMARC", name, "none", we_say, "RFC 7489 6.6.3", _REFUSES)
        for name, we_say in (
            ("p-misspelt-with-reports", f"none/none{_A}"),
            ("sp-misspelt-with-reports", f"none/none{_A}"),
            ("before-one-semicolon-missing", f"none/none{_TO_O}"),
            ("before-value-misspelt", f"none/none{_TO_O}"),
        )
    ),
    Disagreement(
        "Mail::DMARC",
        "np-misspelt-with-reports",
        f"reject/reject{_A}",
        f"none/none{_A}",
        "RFC 9989 4.10.1",
        "a wrong np makes it p=none; a receiver of RFC 7489 has never heard of np",
    ),
    Disagreement(
        "Mail::DMARC",
        "p-missing-sp-with-reports",
        f"none/reject{_A}",
        f"none/none{_A}",
        "RFC 9989 4.10.1",
        "4.10.1 takes the record for p=none alone, 4.7 only adds p=none to it",
        "open",
    ),
    *(
        Disagreement(
            "Mail::DMARC", name, f"{p} fo={fo}{rua}", f"{p}{rua}", "RFC 7489 6.3", _FO, "open"
        )
        for name, p, fo, rua in (
            ("fo-unknown", "none/none", "2", ""),
            ("fo-both", "none/none", "0:1", ""),
            ("fo-all", "none/none", "0:1:d:s", ""),
            ("fo-commas", "none/none", "1,d,s", ""),
            ("before-fo-all", "none/none", "0:1:d:s", _TO_O),
            ("fo-all-policy", "quarantine/quarantine", "0:1:d:s", _TO_O),
            ("fo-all-report", "none/none", "0:1:d:s", f"{_TO_O},mailto:n@example.com"),
        )
    ),
    *(
        Disagreement("Mail::DMARC", name, f"none/none rua={uri}", "none/none", "RFC 7489 6.3", _RAW)
        for name, uri in (
            ("rua-slashes", "mailto://a@example.com"),
            ("rua-blank", "mailto:a@example.com"),
            ("rua-mailto-twice", "mailto:mailto:a@example.com"),
            ("rua-lone-percent", "https://reports.example.com/100%"),
            ("rua-no-domain", "mailto:dmarc"),
            ("before-blank-between-addresses", "mailto:o@example.commailto:b@example.com"),
        )
    ),
    *(
        Disagreement("Mail::DMARC", name, they_say, "none", "RFC 7489 6.3", _LAST)
        for name, they_say in (
            ("p-twice", "reject/reject"),
            ("p-twice-with-reports", f"reject/reject{_A}"),
            ("rua-twice", "reject/reject rua=mailto:b@example.net"),
        )
    ),
    *(
        Disagreement("Mail::DMARC", name, they_say, "none", "RFC 7489 6.4", _LENIENT)
        for name, they_say in (
            ("colon-for-equals", "reject/reject"),
            ("p-in-capitals", "reject/reject"),
            ("hard-blank", "reject/reject"),
            ("version-lower-case", "reject/reject"),
            ("escaped-semicolons", "reject/reject"),
            ("before-version-lower-case", f"reject/none{_TO_O}"),
            ("before-escaped-semicolons", f"reject/none{_TO_O}"),
            ("before-tags-in-capitals", f"none/none{_TO_O}"),
            ("before-two-near-misses", f"reject/reject{_TO_O}"),
        )
    ),
    *(
        Disagreement("Mail::DMARC", name, "none", we_say, "RFC 7489 6.4", _SECOND)
        for name, we_say in (
            ("before-lower-case-beside", f"none/none{_TO_O}"),
            ("lower-case-beside-policy", f"quarantine/quarantine{_TO_O}"),
            ("lower-case-beside-whole", "none/none rua=mailto:w@example.com"),
        )
    ),
)

DISAGREEMENTS: Final = (*SPF, *DKIM, *DMARC, *MAIL_DMARC)
