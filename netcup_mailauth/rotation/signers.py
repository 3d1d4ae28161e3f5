"""What signs a domain's mail, as a rotation sees it; and one that is a command of the user's."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from netcup_mailauth import dkim
from netcup_mailauth.errors import (
    KeySourceError,
    MailauthError,
    RefusedError,
    UnverifiedError,
    UsageError,
)
from netcup_mailauth.files import expanded, make_folder, read_private, sync_folder, write_private
from netcup_mailauth.keys import forms
from netcup_mailauth.keys.private import generate
from netcup_mailauth.keys.sources import FILE
from netcup_mailauth.policy import DomainPolicy, layered
from netcup_mailauth.rotation.masking import READ, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.private import NewKey
    from netcup_mailauth.keys.sources import Sources
    from netcup_mailauth.policy import Config, DkimPolicy


@dataclass(frozen=True, slots=True)
class SignerKey:
    """The public half of a key that a signer holds, and the TXT text to publish for it."""

    selector: str
    record: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Users:
    """Who signs with a key, as far as the signer tells; ``unsure`` says why there may be more.

    Alias domains count too. ``unsure`` is a clause, empty if there are no more.
    """

    domains: tuple[str, ...] = ()
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Writes:
    """What a rotation writes at a signer when it begins, at the switch, and in the end.

    A sentence for each write; DOMAIN stands for the domain.
    """

    prepare: tuple[str, ...]
    switch: tuple[str, ...]
    discard: tuple[str, ...] = ()


class Signer(Protocol):
    """Signs with one key for each domain, and can be given another.

    Every method may be called again after a crash at any point; each looks at what is there before
    it does anything. All raise ``MailauthError`` if the signer cannot be asked or refuses.
    """

    name: str
    """What it is, in words: ``mailcow at mail.example.com``."""

    @property
    def ahead(self) -> Mapping[str, float]:
        """As `Backend.ahead`: by how many seconds its clock was ahead, if it has one that tells."""
        ...

    def current(self, domain: str) -> SignerKey | None:
        """The key that the domain's mail is signed with now; ``None`` if there is none."""
        ...

    def others(self, domain: str, key: PublicKey) -> Users:
        """Who, beside this domain of the signer's, signs with this very key."""
        ...

    def writes(self) -> Writes:
        """What a rotation will write here, to be shown beforehand."""
        ...

    def prepare(self, domain: str, selector: str) -> SignerKey:
        """Make a new key for later, unless there is one; mail is still signed with the old one."""
        ...

    def prepared(self, domain: str) -> SignerKey | None:
        """The key made for later, read from where it lies; ``None`` if there is none."""
        ...

    def switch(self, domain: str) -> SignerKey:
        """Park the current key, put the prepared one in its place, and read back what signs now.

        Never leaves the domain without a key for longer than the signer itself does. Called again
        where the prepared key shows already, it makes sure that the signer holds the whole of it;
        what is parked stays parked.
        """
        ...

    def parked(self, domain: str) -> SignerKey | None:
        """The key that signed before the switch; ``None`` if there is none."""
        ...

    def switch_back(self, domain: str) -> SignerKey:
        """Put the parked key in place again, and read back what signs now.

        Called again where it shows already, it makes sure that the signer holds the whole of it.
        """
        ...

    def discard(self, domain: str) -> None:
        """Remove what this rotation left behind here: the prepared key's copy and the parked key.

        Never the key that signs.
        """
        ...


HEADING = "DKIM selector: "
PRIVATE = "-----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file in which a private key waits until its signer has it.

    A line with the selector, then PEM, which may have such lines before it (RFC 7468, 2). Once the
    key was handed over, its public half takes its place. Readable by its owner alone, and on the
    disk when a method returns; its folder is made when it is needed.

    Raises ``KeySourceError`` where it cannot be read or is damaged, and ``MailauthError`` where it
    cannot be written: then the record of its key must not be published.
    """

    path: Path

    def read(self) -> tuple[str, PublicKey] | None:
        """The selector, and the public half of the key; ``None`` if there is no file."""
        text = self._text()
        if text is None:
            return None
        selector = text.partition("\n")[0].removeprefix(HEADING).strip()
        keys = forms.split(text, str(self.path)).keys
        if len(keys) != 1 or not text.startswith(HEADING) or not selector:
            raise self._damaged()
        return selector, keys[0]

    def private_pem(self) -> str | None:
        """The private half in PEM; ``None`` once it was handed over, or if there is no file."""
        text = self._text() or ""
        at = text.find(PRIVATE)
        return text[at:] if at >= 0 else None

    def keep(self, selector: str, new: NewKey) -> None:
        """Write a new key."""
        self._write(selector, new.pem)

    def forget_private(self) -> None:
        """Leave only the public half."""
        kept = self.read()
        if kept is not None and self.private_pem() is not None:
            selector, public = kept
            self._write(selector, _public_pem(public))

    def remove(self) -> None:
        """Remove it, if it is there."""
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

    def gone(self, domain: str) -> MailauthError:
        """The error where there is none at the switch of a domain."""
        return MailauthError(
            f"There is no key for {domain} to switch to: {self.path} is gone.",
            "End the rotation, and begin another: rotate --abort",
        )

    def _damaged(self) -> KeySourceError:
        return KeySourceError(
            f"{self.path} is not the key file that a rotation writes, or it is damaged.",
            "End the rotation, and begin another: rotate --abort",
        )


def key_file(folder: Path, domain: str) -> KeyFile:
    """Where the private key of a domain waits, beside its book."""
    return KeyFile(folder / f"{domain}.key")


def _public_pem(public: PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_der_public_key(public.spki)
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


TIME_LIMIT = 60.0
"""Seconds the command has."""

_SECRETS = ("NETCUP_", "MAILCOW_", "CREDENTIALS_DIRECTORY")
"""How variables begin that are none of the command's business."""


class CommandSigner:
    """A command that gives the new key to whatever signs (``rotate --signer-command``).

    It is run without a shell; ``{domain}`` and ``{selector}`` in an argument are replaced, and none
    of our own variables of ``environ`` is in its environment. It gets the private key on standard
    input, as a mail server's own tools would write it, and has to have it in use when it ends. What
    signs then is read where ``policy`` says that the domain's key is.

    The old private key is the signer's own and not known here, so there is no way back.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        keys: Sources,
        policy: DkimPolicy,
        *,
        time_limit: float = TIME_LIMIT,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.argv = tuple(argv)
        self.name = f"the signer command {self.argv[0]}"
        self._folder = folder
        self._keys = keys
        self._policy = policy
        self._time_limit = time_limit
        self._environ = os.environ if environ is None else environ

    @property
    def ahead(self) -> dict[str, float]:
        """See ``Signer``. A command tells no time."""
        return {}

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. A bare key file tells no selector; the prepared key's is known."""
        found, new = self._in_use(domain), self.prepared(domain)
        if found is not None and new is not None and found.key == new.key:
            return new
        return found

    def others(self, domain: str, key: PublicKey) -> Users:  # noqa: ARG002
        """See ``Signer``. A command cannot be asked for which domains it signs: none are known."""
        return Users()

    def writes(self) -> Writes:
        """See ``Signer``."""
        return Writes(
            (f"A new key is made here, and waits in {key_file(self._folder, 'DOMAIN').path}.",),
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
        new = generate()
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
            raise self._file(domain).gone(domain)
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
        return key_file(self._folder, domain)

    def _in_use(self, domain: str) -> SignerKey | None:
        """What the domain is signed with, where the config says that its key is."""
        source = self._policy.source
        if not source:
            raise UsageError(
                f"The config does not say where the key of {domain} is, so nobody knows what "
                "signs.",
                f'Write [domains."{domain}"] dkim = {{ source = "file:..." }}',
            )
        found = self._keys.key(source, domain)
        if found is None or found.key is None:
            return None
        selector = found.selector or self._policy.selector or "dkim"
        return SignerKey(selector, found.record, found.key)

    def _check(self, domain: str, new: SignerKey) -> None:
        held = self._in_use(domain)
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


DOMAIN = "{domain}"
"""What stands for the domain in an argument of the command."""


def check_file(domain: str, policy: DomainPolicy, config: Config) -> None:
    """Raise :class:`RefusedError` if another domain of a config has its key in this one's file.

    Such a file has one key: a new one for the first is a new one for the second, too, whose record
    stays the old one, and whose mail fails from then on. However they spell it: through links of
    either sort, ``~``, or from another folder.
    """
    own = _file(policy)
    if own is None:
        return
    for name, table in config.domains.items():
        path = _file(layered(config.defaults, table))
        if name != domain and path is not None and _same(own, path):
            raise _refused(domain, name, own, path)
    everybody = _file(config.defaults) if config.domains_from else None
    if everybody is not None and _same(own, everybody):
        raise _refused(domain, f"every domain of {config.domains_from}", own, everybody)


def check_command(domain: str, command: Sequence[str], others: Iterable[str]) -> None:
    """Raise :class:`RefusedError` if a command is not told for which of its domains a key is."""
    other = next((name for name in others if name != domain), None)
    if other is None or any(DOMAIN in word for word in command):
        return
    raise RefusedError(
        f"The signer command {command[0]} is not told the domain, so it would put the keys of "
        f"{domain} and {other} into one place.",
        f"Give it the domain as an argument, {DOMAIN}; or rotate {domain} alone, with a command of "
        f"its own: netcup-mailauth rotate {domain} --signer-command COMMAND",
    )


def with_files(config: Config) -> list[str]:
    """The domains of a config that have their key in a file."""
    tables = config.domains.items()
    return [name for name, table in tables if _file(layered(config.defaults, table)) is not None]


def _file(policy: DomainPolicy) -> Path | None:
    source = policy.dkim.source if policy.dkim else None
    if source is None or not source.startswith(FILE):
        return None
    return expanded(source.removeprefix(FILE))


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError, ValueError):  # it may not be there yet
        if one.samefile(other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)


def _refused(domain: str, other: str, own: Path, path: Path) -> RefusedError:
    also = "" if own == path else f" ({other} names it {path})"
    return RefusedError(
        f"{domain} and {other} have their DKIM key in one file, {own}{also}: a new key for the one "
        "would be the other's too, whose record stays the old one.",
        "Give each a file of its own and have it published (apply); then rotate: "
        f'[domains."{domain}"] dkim = {{ source = "file:{own.with_name(domain)}.private" }}',
    )
