"""The file in which a private key waits until its signer has it.

A line with the selector, then PEM, which may have such lines before it (RFC 7468, 2). Once the key
was handed over, its public half takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.errors import KeySourceError, MailauthError
from netcup_mailauth.files import make_folder, read_private, sync_folder, write_private
from netcup_mailauth.keys import forms

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.private import NewKey

HEADING = "DKIM selector: "
PRIVATE = "-----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One such file: readable by its owner alone, and on the disk when a method returns.

    Attributes:
        path: where it is; its folder is made when it is needed.
    """

    path: Path

    def read(self) -> tuple[str, PublicKey] | None:
        """The selector, and the public half of the key; ``None`` if there is no file.

        Raises:
            KeySourceError: it cannot be read, or is damaged.
        """
        text = self._text()
        if text is None:
            return None
        selector = text.partition("\n")[0].removeprefix(HEADING).strip()
        keys = forms.split(text, str(self.path)).keys
        if len(keys) != 1 or not text.startswith(HEADING) or not selector:
            raise self._damaged()
        return selector, keys[0]

    def private_pem(self) -> str | None:
        """The private half in PEM; ``None`` once it was handed over, or if there is no file.

        Raises:
            KeySourceError: it cannot be read.
        """
        text = self._text() or ""
        at = text.find(PRIVATE)
        return text[at:] if at >= 0 else None

    def keep(self, selector: str, new: NewKey) -> None:
        """Write a new key.

        Raises:
            MailauthError: it cannot be written; its record must not be published.
        """
        self._write(selector, new.pem)

    def forget_private(self) -> None:
        """Leave only the public half.

        Raises:
            MailauthError: it cannot be read or written.
        """
        kept = self.read()
        if kept is not None and self.private_pem() is not None:
            selector, public = kept
            self._write(selector, _public_pem(public))

    def remove(self) -> None:
        """Remove it, if it is there.

        Raises:
            MailauthError: it cannot be removed.
        """
        try:
            self.path.unlink(missing_ok=True)
            if self.path.parent.exists():
                sync_folder(self.path.parent)
        except OSError as error:
            raise MailauthError(
                f"The private key in {self.path} cannot be removed: {error.strerror or error}.",
                "Remove it by hand, and run the same command again.",
            ) from None

    def _text(self) -> str | None:
        try:
            return read_private(self.path)
        except FileNotFoundError:
            return None
        except ValueError:
            raise self._damaged() from None
        except OSError as error:
            raise KeySourceError(
                f"The private key in {self.path} cannot be read: {error.strerror or error}.",
                "Run as the user who began the rotation.",
            ) from None

    def _write(self, selector: str, text: str) -> None:
        try:
            make_folder(self.path.parent)
            write_private(self.path, f"{HEADING}{selector}\n{text}")
        except OSError as error:
            raise MailauthError(
                f"The private key cannot be kept in {self.path}: {error.strerror or error}.",
                "Nothing was done. Make room, or name another folder in NETCUP_MAILAUTH_STATE_DIR.",
            ) from None

    def _damaged(self) -> KeySourceError:
        return KeySourceError(
            f"{self.path} is not the key file that a rotation writes, or it is damaged.",
            "End the rotation, and begin another: rotate --abort",
        )


def _public_pem(public: PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_der_public_key(public.spki)
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")
