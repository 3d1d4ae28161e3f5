"""Whether two texts of a kind mean the same, so that equal meaning is never a change."""

from __future__ import annotations

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.records import Kind


def same_meaning(kind: Kind, live: str, wanted: str) -> bool:
    """Whether a receiver reads ``live`` exactly as it would read ``wanted``.

    A live text that is no valid record of its kind equals only itself.
    """
    if live == wanted:
        return True
    try:
        match kind:
            case Kind.SPF:
                return spf.equal(spf.parse(live), spf.parse(wanted))
            case Kind.DKIM:
                return dkim.equal(dkim.parse(live), dkim.parse(wanted))
            case _:
                return _same_dmarc(live, wanted)
    except RecordError:
        return False


def _same_dmarc(live: str, wanted: str) -> bool:
    old, new = dmarc.read(live), dmarc.read(wanted)
    return old is not None and new is not None and dmarc.equal(old, new)
