"""Replacing a DKIM key without a gap: publish, wait, switch, retire (fact sheet mail, 2.2).

    state            one open rotation, what a domain's book remembers, and both on the disk
    decide           what is known at one moment, and the step that is due by it
    begin            the draft of one, and since when a key signs
    run              how far a rotation comes in one go
    zone             what a rotation finds in the zone and at its servers, and its two writes
    words            what it will do, and where it stands, in words
    signers          what signs: a command of the user's ...
    signers_mailcow  ... or a mailcow, by copying or by import
    masking          what such a command said, without any of the key

The order that keeps every signature valid: the state names a step before it is taken, a key is
published before anything signs with it, and stays published until nothing signs with it any more.
"""

FOLDER = "rotations"
"""In an account's state folder, where the books of its domains lie."""
