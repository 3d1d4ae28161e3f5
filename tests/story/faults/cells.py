"""The cells of the fault matrix: each call, each way it can fail, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode
from tests.apis import CCP, CLOUDDNS

if TYPE_CHECKING:
    from tests.apis import Api

OK, WAIT, UNKNOWN = ExitCode.OK, ExitCode.WAIT, ExitCode.UNVERIFIED


@dataclass(frozen=True)
class Told:
    """What a run says of the domain whose call failed: patterns; an empty one for nothing."""

    code: ExitCode
    message: str = ""
    advice: str = ""
    note: str = ""


QUIETLY = Told(OK)
"""Nothing was lost, so there is nothing to say."""

FOUND = Told(OK, note=r"The write got no clear answer \(.+[^.]\), but netcup holds the records\.")
"""It arrived, or came late; reading the zone tells."""

TOLD_TO_WAIT = Told(
    WAIT, r"netcup('s limit of requests per minute| has locked this account).+\(4013\): ", r"Wait a"
)

_ARRIVING = (
    r"It may still arrive; nothing was sent twice\. Run the same command again in a minute\."
)
UNCLEAR = Told(
    UNKNOWN,
    r"a\.de: the write got no clear answer \(.+\), and the zone is as it was before\.",
    _ARRIVING,
)
SHUT_OUT = Told(
    UNKNOWN,
    UNCLEAR.message,
    r"It may still arrive; nothing was sent twice\. Wait a",
)
"""More calls would do harm, so the other domains are not tried."""

IN_PART = Told(
    UNKNOWN,
    r"a\.de: the write got no clear answer \(.+\), and only a part of it is there\.",
    _ARRIVING,
)
OVERTAKEN = Told(
    UNKNOWN,
    r"a\.de: netcup answered .+ success, but the zone is not as planned: @: '.*rival.*' is there",
    r"Look at the zone, and run the same command again\.",
)
"""Somebody else was faster; the message names the record."""

NOT_OURS = Told(ExitCode.ERROR, r"netcup('s API| answered|'s answer to).+", r".+\.$")
BETWEEN = Told(
    ExitCode.ERROR,
    r"(netcup's CCP API answered HTTP 403 without JSON|The request about .+ \(HTTP 403\))",
    r"Something between this machine and .+ may have answered instead",
)
"""A page of something in between, for reading; the key is as good as before."""

TOO_SLOW = Told(
    ExitCode.ERROR, r"netcup's (CCP|REST) API did not answer in full within [0-9]+ s\.", "Try again"
)
"""Cut off; asking again would only take as long."""

ODDLY = ("early", "drip-status", "drip-headers", "drip-chunks")
DRIPS = ODDLY[1:]
GONE = Told(ExitCode.ZONE, r"netcup's REST API does not have the ", "The domain may just")

LINE = ("drop", "500", "html", "cut", "apply-then-drop", "apply-then-html")
"""Faults of the line: a read is simply tried again."""

SHUTTING_OUT = ("rate-limit", "lockout")

TOO_MANY = Told(UNKNOWN, UNCLEAR.message, SHUT_OUT.advice.replace("Wait a", "Wait 1 s"))
TOO_MANY_TO_READ = Told(
    WAIT, r"netcup's limit of requests to its CCP API is used up \(HTTP 429\)", r"Wait 1 s"
)
SWOLLEN = Told(ExitCode.ERROR, r"netcup's (CCP|REST) API sends an answer without end", r".+\.$")

CCP_READ = {
    **dict.fromkeys((*LINE, "slow", "lie", "rival", "expire"), QUIETLY),
    **dict.fromkeys(SHUTTING_OUT, TOLD_TO_WAIT),
    **dict.fromkeys(("other-id", "other-action", "apply-then-403"), NOT_OURS),
    "denied": BETWEEN,
    "429": TOO_MANY_TO_READ,
    "bomb": SWOLLEN,
    "early": QUIETLY,
    **dict.fromkeys(DRIPS, TOO_SLOW),
}
CCP_WRITE = {
    **dict.fromkeys(("apply-then-drop", "apply-then-html", "apply-then-4013", "cut"), FOUND),
    "apply-late": FOUND,
    **dict.fromkeys(("apply-then-403", "other-id", "other-action", *ODDLY), FOUND),
    # What the answer does not list is read before it is called gone.
    **dict.fromkeys(("slow", "expire", "apply-and-hide"), QUIETLY),
    # netcup says 2000 and stores nothing: only `check` or the next run can find out.
    "lie": QUIETLY,
    **dict.fromkeys(("drop", "500", "html", "denied"), UNCLEAR),
    **dict.fromkeys(SHUTTING_OUT, SHUT_OUT),
    "429": TOO_MANY,
    "bomb": FOUND,
    "apply-partly": IN_PART,
    "rival": OVERTAKEN,
}

REFUSED_KEY = Told(ExitCode.CREDENTIALS, r"netcup refuses the REST API key \(", r"Make a new one")
"""The other domains are not tried: each try with a refused key is one too many."""

KEY_GONE = Told(
    UNKNOWN,
    r"a\.de: the write got no clear answer \(netcup refuses .+\), and it could not be read back",
    r"It may still arrive; nothing was sent twice\. Make a new one",
)
OVERTAKEN_BEFORE = Told(
    UNKNOWN,
    r"Another program wrote to a\.de at the same time, between our read and our write\.",
    r"Look at the zone",
)
"""Revisions follow one another, so here it is seen whatever the other one wrote."""

NOT_LISTED = Told(
    UNKNOWN,
    r"netcup answered the write to a\.de with success, but the new revision is not in its list",
    r"Look in the CCP",
)
LEFT_AS_DRAFT = Told(
    UNKNOWN,
    r"netcup answered the write to a\.de with success, but the new revision is .+ state 'draft'",
    r"Look in the CCP, under CloudDNS, whether it was left as a draft",
)
ENDING = (TOLD_TO_WAIT, SHUT_OUT, TOO_MANY, TOO_MANY_TO_READ, REFUSED_KEY, KEY_GONE)
"""After these no other domain is tried."""

REST_READ = {
    **dict.fromkeys((*LINE, "slow", "lie", "rival", "apply-then-500", "429"), QUIETLY),
    **dict.fromkeys(("no-content", "apply-then-no-content", "draft"), QUIETLY),
    "bad-key": REFUSED_KEY,
    "bomb": SWOLLEN,
    "early": QUIETLY,
    "denied": BETWEEN,
    **dict.fromkeys(DRIPS, TOO_SLOW),
}
REST_WRITE = {
    **dict.fromkeys(("apply-then-drop", "apply-then-html", "cut", "apply-late"), FOUND),
    **dict.fromkeys(("apply-then-error", "apply-then-500", "apply-then-no-content"), FOUND),
    **dict.fromkeys(ODDLY, FOUND),
    **dict.fromkeys(("slow", "null-result"), QUIETLY),
    **dict.fromkeys(("drop", "500", "html", "no-content", "denied"), UNCLEAR),
    "429": TOO_MANY,
    "bomb": FOUND,
    "bad-key": KEY_GONE,
    "rival": OVERTAKEN_BEFORE,
    "lie": NOT_LISTED,
    "draft": LEFT_AS_DRAFT,
}

Cell = tuple["Api", str, str, Told]

CELLS: list[Cell] = [
    *((CCP, "login", m, told) for m, told in CCP_READ.items() if m not in ("expire", "rival")),
    *((CCP, "infoDnsRecords", mode, told) for mode, told in CCP_READ.items()),
    *((CCP, "updateDnsRecords", mode, told) for mode, told in CCP_WRITE.items()),
    *((CCP, "logout", mode, QUIETLY) for mode in (*LINE, *SHUTTING_OUT, "slow", *ODDLY)),
    *((CLOUDDNS, "domain", mode, told) for mode, told in REST_READ.items()),
    *(
        (CLOUDDNS, "revisions", mode, told)
        for mode, told in (REST_READ | {"missing": GONE}).items()
    ),
    *(
        (CLOUDDNS, "records", mode, told)
        for mode, told in (REST_READ | {"rival": OVERTAKEN_BEFORE, "missing": GONE}).items()
    ),
    *((CLOUDDNS, "changeset", mode, told) for mode, told in REST_WRITE.items()),
]
DELAYS = {"slow": 0.05, "apply-late": 0.1, "early": 0.05, **dict.fromkeys(DRIPS, 0.01)}
"""Seconds until a fault of these modes is over."""
