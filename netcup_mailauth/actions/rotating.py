"""``rotate``: begin a rotation, do what is due for it, or turn it back.

What is due is decided in :mod:`netcup_mailauth.rotation.decisions`, and done in
:mod:`netcup_mailauth.actions.rotationcourse`. Whoever calls holds the account's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.actions.rotationcourse import Course, Outcome
from netcup_mailauth.errors import RefusedError, StaleError

if TYPE_CHECKING:
    from netcup_mailauth.actions.rotator import Rotator
    from netcup_mailauth.rotation.state import Rotation


def open_rotation(rotator: Rotator, rotation: Rotation) -> None:
    """Write a new rotation into its book: from here on it is open.

    Raises:
        RefusedError: there is one already.
        StaleError: another key signs than when it was drafted.
        MailauthError: it cannot be written, or the signer does not answer.
    """
    book = rotator.books.read(rotation.domain)
    if book.open is not None:
        raise RefusedError(
            f"A rotation of {rotation.domain} is open already.", "Go on with it: --continue"
        )
    if not rotation.old.is_key(rotator.signer.current(rotation.domain)):
        raise StaleError(
            f"{rotation.signer} signs for {rotation.domain} with another key than when this "
            "rotation was shown.",
            "Nothing was written. Run the same command again, and look at what it shows then.",
        )
    key = rotation.old.key
    seen = book if key is None else book.seeing(key, rotation.started)
    rotator.books.write(seen.opened(rotation))


def proceed(rotator: Rotator, domain: str) -> Outcome:
    """Do what is due for a domain.

    Raises:
        MailauthError: something that was asked did not answer, or a step failed; running it
            again is safe.
    """
    rotation = rotator.books.read(domain).open
    if rotation is None:
        return Outcome(domain)
    _check_signer(rotator, rotation)
    try:
        return Course(rotator, rotation).run()
    finally:
        rotator.backend.release()


def abort(rotator: Rotator, domain: str) -> Outcome:
    """Turn a domain's rotation back, and do what is due for that.

    Raises:
        RefusedError: none is open, or it cannot be turned back any more.
        MailauthError: as :meth:`proceed`.
    """
    rotation = rotator.books.read(domain).open
    if rotation is None:
        raise RefusedError(f"No rotation of {domain} is open here.", "There is nothing to end.")
    _check_signer(rotator, rotation)
    try:
        return Course(rotator, rotation).back()
    finally:
        rotator.backend.release()


def _check_signer(rotator: Rotator, rotation: Rotation) -> None:
    if rotation.signer != rotator.signer.name:
        raise RefusedError(
            f"The rotation of {rotation.domain} was begun with {rotation.signer}, not with "
            f"{rotator.signer.name}.",
            "Go on with the same options as it was begun with.",
        )
