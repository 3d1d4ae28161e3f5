"""A command that gives the new key to whatever signs (``rotate --signer-command``).

It gets the private key on standard input, as a mail server's own tools would write it, and has to
have it in use when it ends. What signs then is read where the domain's key is read at other times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.errors import MailauthError, UnverifiedError
from netcup_mailauth.keys.private import DEFAULT, generate
from netcup_mailauth.rotation.signer import SignerKey, Users, Writes
from netcup_mailauth.signers.keyfile import KeyFile
from netcup_mailauth.signers.saying import READ, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.private import KeyType

TIME_LIMIT = 60.0
"""Seconds the command has."""

_SECRETS = ("NETCUP_", "MAILCOW_", "CREDENTIALS_DIRECTORY")
"""How variables begin that are none of the command's business."""


class CommandSigner:
    """Rotates by a command; see :class:`netcup_mailauth.rotation.signer.Signer`.

    The old private key is the signer's own and not known here, so there is no way back.

    Args:
        argv: the command and its arguments, run without a shell. ``{domain}`` and ``{selector}``
            in an argument are replaced.
        key_file: where the private key of a domain waits.
        current: reads what a domain is signed with.
        key_type: what new keys are.
        time_limit: seconds the command has.
        environ: what the command's environment is taken from, without our own variables.
    """

    def __init__(
        self,
        argv: Sequence[str],
        key_file: Callable[[str], Path],
        current: Callable[[str], SignerKey | None],
        *,
        key_type: KeyType = DEFAULT,
        time_limit: float = TIME_LIMIT,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.argv = tuple(argv)
        self.name = f"the signer command {self.argv[0]}"
        self._key_file = key_file
        self._current = current
        self._key_type = key_type
        self._time_limit = time_limit
        self._environ = os.environ if environ is None else environ

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. A bare key file tells no selector; the prepared key's is known."""
        found, new = self._current(domain), self.prepared(domain)
        if found is not None and new is not None and found.key == new.key:
            return new
        return found

    def others(self, domain: str, key: PublicKey) -> Users:  # noqa: ARG002
        """See ``Signer``. A command cannot be asked for which domains it signs: none are known."""
        return Users()

    def writes(self) -> Writes:
        """See ``Signer``."""
        return Writes(
            (f"A new key is made here, and waits in {self._key_file('DOMAIN')}.",),
            (
                f"{self.argv[0]} is run with the private key on its standard input; the new key "
                "signs from then on.",
                "The private key is removed from where it waited.",
            ),
        )

    def prepare(self, domain: str, selector: str) -> SignerKey:
        """See ``Signer``. A key waiting under another selector is of an abandoned rotation."""
        ready = self.prepared(domain)
        if ready is not None and ready.selector == selector:
            return ready
        new = generate(self._key_type)
        self._file(domain).keep(selector, new)
        return SignerKey(selector, dkim.build(new.public), new.public)

    def prepared(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        kept = self._file(domain).read()
        return None if kept is None else SignerKey(kept[0], dkim.build(kept[1]), kept[1])

    def switch(self, domain: str) -> SignerKey:
        """See ``Signer``. The command is run again if the last run was not seen to have worked."""
        new = self.prepared(domain)
        if new is None:
            raise MailauthError(
                f"There is no key for {domain} to switch to: {self._file(domain).path} is gone.",
                "End the rotation, and begin another: rotate --abort",
            )
        if self._file(domain).private_pem() is not None or self.current(domain) != new:
            self._run(domain, new)
            self._check(domain, new)
        self._file(domain).forget_private()
        return new

    def parked(self, domain: str) -> SignerKey | None:  # noqa: ARG002
        """See ``Signer``: never known."""
        return None

    def switch_back(self, domain: str) -> SignerKey:
        """See ``Signer``: never possible."""
        raise MailauthError(
            f"The private key that {domain} was signed with before is not known here.",
            "Rotate forward: rotate --continue",
        )

    def discard(self, domain: str) -> None:
        """See ``Signer``."""
        self._file(domain).remove()

    def _file(self, domain: str) -> KeyFile:
        return KeyFile(self._key_file(domain))

    def _check(self, domain: str, new: SignerKey) -> None:
        held = self._current(domain)
        if held is None or held.key != new.key:
            what = f"{held.key.label} {held.key.fingerprint}" if held else "none"
            raise UnverifiedError(
                f"{self.name} has ended well, but {domain} does not sign with the new key "
                f"{new.key.fingerprint}: the key there is {what}.",
                "The command has to have the key in use, and the domain's DKIM source to show it, "
                "when it ends. The old record is still there, so mail is not harmed.",
            )

    def _run(self, domain: str, new: SignerKey) -> None:
        private = self._file(domain).private_pem()
        if private is None:
            raise MailauthError(
                f"The new key of {domain} was handed over before, but {domain} does not sign with "
                "it any more; its private half is not here any longer.",
                "Begin another rotation once this one has ended: rotate --abort",
            )
        with tempfile.TemporaryFile() as output:
            problem = self._problem(_filled(self.argv, domain, new.selector), private, output)
            output.seek(max(0, output.seek(0, os.SEEK_END) - READ))
            words = said(output.read(), private)
        if problem is not None:
            raise MailauthError(
                f"{self.name} {problem}."
                + (f" It said: {words}" if words else " It said nothing."),
                "Whether the new key signs is seen at the next run. Both records are published, so "
                "mail is not harmed; mend the command and go on: rotate --continue",
            )

    def _problem(self, argv: Sequence[str], private: str, output: IO[bytes]) -> str | None:
        """Run the command; what went wrong, or ``None``.

        Its output goes to a file: what it may leave running behind would hold a pipe open.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, and no shell
                argv,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self._environment(),
                start_new_session=True,  # a Ctrl-C waits until it is known what came of it
            )
        except (OSError, ValueError) as error:
            return f"cannot be run: {getattr(error, 'strerror', None) or error}"
        try:
            process.communicate(private.encode("ascii"), timeout=self._time_limit)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"did not end within {self._time_limit:g} s, and was killed"
        return f"ended with the code {process.returncode}" if process.returncode else None

    def _environment(self) -> dict[str, str]:
        return {
            name: value for name, value in self._environ.items() if not name.startswith(_SECRETS)
        }


def _filled(argv: Sequence[str], domain: str, selector: str) -> list[str]:
    return [part.replace("{domain}", domain).replace("{selector}", selector) for part in argv]
