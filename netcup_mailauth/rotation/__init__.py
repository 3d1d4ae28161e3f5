"""Replacing a DKIM key without a gap: publish, wait, switch, retire (fact sheet mail, 2.2).

    signer      what signs, as a rotation sees it
    selectors   names for new keys
    waits       how long each thing is waited for
    watch       which name servers have answered with the new key, and since when
    state       one open rotation, and what a domain's book remembers
    steps       what is known at one moment, and the steps that may be due
    decisions   which of them is due, and why
    outlook     what a rotation will do, for somebody who is to agree to it
    words       where it stands, in one line
    books       the state on the disk

The order that keeps every signature valid: the state names a step before it is taken, a key is
published before anything signs with it, and stays published until nothing signs with it any more.
"""

from __future__ import annotations

from netcup_mailauth.rotation.books import held, left_alone

__all__ = ["held", "left_alone"]
