"""The forms of a DKIM source: which is meant, and what a wrong one is told, without any key."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import KeySourceError, UsageError
from netcup_mailauth.keys.sources import Sources, check_source

if TYPE_CHECKING:
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.keys.mailcow import Mailcow

# RFC 8463, A.2
RECORD = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


class FakeMailcow:
    """Knows one key, and what it was asked."""

    def __init__(self, found: DkimSource | None) -> None:
        self.found = found
        self.asked: list[str] = []

    host = "mail.example.com"

    def dkim(self, domain: str) -> DkimSource | None:
        self.asked.append(domain)
        return self.found

    def relay(self, domain: str) -> str:
        self.asked.append(domain)
        return "3"


def nothing() -> bytes:
    pytest.fail("standard input was read")


def nobody() -> Mailcow:
    pytest.fail("mailcow was asked")


def with_mailcow(mailcow: FakeMailcow) -> Sources:
    return Sources(stdin=nothing, mailcow=lambda: cast("Mailcow", mailcow))


LOCAL = Sources(stdin=nothing, mailcow=nobody)


@pytest.mark.parametrize("source", [RECORD, f"record:{RECORD}", f'"{RECORD}"'])
def test_a_record_as_it_is(source: str) -> None:
    found = LOCAL.key(source, "example.com")
    assert found is not None
    assert found.record == RECORD
    assert found.origin == "the record given"


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "k.txt").write_text(RECORD)
    found = LOCAL.key(f"file:{tmp_path / 'k.txt'}", "example.com")
    assert found is not None
    assert (found.record, found.origin) == (RECORD, str(tmp_path / "k.txt"))


def test_a_file_in_the_home_folder() -> None:
    Path.home().mkdir(parents=True)
    (Path.home() / "k.txt").write_text(RECORD)
    assert LOCAL.key("file:~/k.txt", "example.com") is not None
    with pytest.raises(UsageError, match="no such user"):
        LOCAL.key("file:~nobody-such/k.txt", "example.com")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeySourceError, match="is not there"):
        LOCAL.key(f"file:{tmp_path / 'k.txt'}", "example.com")


def test_standard_input() -> None:
    found = Sources(stdin=RECORD.encode, mailcow=nobody).key("-", "example.com")
    assert found is not None
    assert (found.record, found.origin) == (RECORD, "standard input")


@pytest.mark.parametrize("has", [True, False])
def test_mailcow_is_asked_for_the_domain(has: bool) -> None:
    mailcow = FakeMailcow(LOCAL.key(RECORD, "") if has else None)
    assert with_mailcow(mailcow).key("mailcow", "example.com") is mailcow.found
    assert mailcow.asked == ["example.com"]


@pytest.mark.parametrize(
    ("host", "known"),
    [("mail.example.com", "mail.example.com"), ("127.0.0.1", None), ("localhost", None)],
)
def test_mailcows_host_signs_unless_it_is_this_machine(host: str, known: str | None) -> None:
    """A loopback name is no host that receivers ever see."""
    mailcow = FakeMailcow(None)
    mailcow.host = host
    assert with_mailcow(mailcow).host("mailcow") == known
    assert LOCAL.host("file:/k") is None


def test_mailcows_relay() -> None:
    mailcow = FakeMailcow(None)
    assert with_mailcow(mailcow).relay("mailcow", "example.com") == "3"
    assert mailcow.asked == ["example.com"]
    assert LOCAL.relay("-", "example.com") is None


def test_no_mailcow_to_ask() -> None:
    with pytest.raises(UsageError, match="no mailcow is named"):
        Sources(stdin=nothing).key("mailcow", "example.com")


# --- Which forms there are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "mailcow",
        "-",
        "file:k",
        "file:/etc/dkim/example.com.private",
        "file:/keys/with blanks/schlüssel.pem",
        f"record:{RECORD}",
        RECORD,
        f'"{RECORD[:30]}" "{RECORD[30:]}"',
        "v = DKIM1; p=",
        "V=dkim1;p=",
        f"k=ed25519;p={RECORD[-44:]}",
        f"p={RECORD[-44:]}",
        f'"k=ed25519;" "p={RECORD[-44:]}"',
        f's7._domainkey IN TXT ( "{RECORD[:30]}" "{RECORD[30:]}" )',
        f"s7._domainkey.example.com. 300 IN TXT {RECORD}",
        f'IN TXT "{RECORD}"',
        f'{{"dkim_txt":"{RECORD}","dkim_selector":"s7","privkey":""}}',
    ],
)
def test_a_known_form(source: str) -> None:
    assert check_source(source) == source
    assert check_source(f" {source}\n") == source


@pytest.mark.parametrize(
    "source",
    ["/etc/dkim/x.private", "./x", "keys/x", "~/x", "x.pem", "x.txt", "x.private", "x.key"],
)
def test_a_path_without_file_is_told_how_to_write_it(source: str) -> None:
    with pytest.raises(UsageError, match="looks like a file") as caught:
        check_source(source)
    assert caught.value.advice == f"Write {shlex.quote(f'file:{source}')}"


@pytest.mark.parametrize("source", ["", "malicow", "Mailcow", "stdin", "v=spf1 -all", "FILE:x"])
def test_another_word_is_told_the_known_forms(source: str) -> None:
    with pytest.raises(UsageError, match="none of the known ones") as caught:
        check_source(source)
    assert repr(source) in caught.value.what
    for word in ("mailcow", "file:PATH", "record:TEXT", "v=DKIM1", "standard input"):
        assert word in caught.value.advice


@pytest.mark.parametrize("source", ["file:", "file: ", "file:\x1b[2J", "file:a\nb", "file:a\0b"])
def test_a_file_without_a_path(source: str) -> None:
    with pytest.raises(UsageError, match="not followed by a path") as caught:
        check_source(source)
    assert f"{caught.value.what}{caught.value.advice}".isprintable()


@functools.cache
def public() -> rsa.RSAPublicKey:
    return rsa.generate_private_key(65537, 2048).public_key()


def in_forms() -> list[str]:
    """A public key as it is copied: from p=, from a file, folded by whatever showed it."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public().public_bytes(serialization.Encoding.PEM, spki).decode()
    lines = pem.splitlines()[1:-1]
    bare = "".join(lines)
    return [bare, "\n".join(lines), " ".join(lines), pem, f"p={bare}", f"k=rsa;p={bare}"]


@pytest.mark.parametrize("at", range(6))
def test_a_public_key_may_be_pasted_and_is_read_as_from_standard_input(at: int) -> None:
    text = in_forms()[at]
    typed = Sources().key(check_source(text), "example.com")
    piped = Sources(stdin=text.encode).key("-", "example.com")
    assert typed is not None
    assert piped is not None
    assert typed.record == piped.record
    assert typed.record.startswith("v=DKIM1;")


def test_the_selector_that_a_pasted_zone_line_names_is_its_own() -> None:
    source = check_source(f's7._domainkey IN TXT ( "{RECORD[:30]}" "{RECORD[30:]}" )')
    found = Sources().key(source, "example.com")
    assert found is not None
    assert found.selector == "s7"


@pytest.mark.parametrize("source", ["v=DKIM1", "v=DKIM1;", "k=rsa", "v=DKIM1; k=rsa; t=s; s=email"])
def test_a_record_that_the_shell_has_cut_off_is_told_to_be_quoted(source: str) -> None:
    with pytest.raises(UsageError, match="ends before its key") as caught:
        check_source(source)
    assert "single quotes" in caught.value.advice


def test_a_mailcow_is_named_by_another_option() -> None:
    with pytest.raises(UsageError, match="an address") as caught:
        check_source("https://mail.example.com")
    assert caught.value.advice.endswith("--mailcow https://mail.example.com")


def test_a_file_is_named_so_that_a_shell_takes_it_whole() -> None:
    with pytest.raises(UsageError, match="looks like a file") as caught:
        check_source("/etc/my keys/$x.pem")
    assert caught.value.advice == "Write 'file:/etc/my keys/$x.pem'"


# --- A key where its place was wanted -------------------------------------------------------------


def private_keys() -> list[str]:
    """Private keys as people would paste them, on a command line or into a config."""
    formats = serialization.PrivateFormat
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    big = rsa.generate_private_key(65537, 1024)
    small = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    texts = [
        big.private_bytes(pem, formats.PKCS8, plain).decode(),
        big.private_bytes(pem, formats.TraditionalOpenSSL, plain).decode(),
        small.private_bytes(pem, formats.PKCS8, plain).decode(),
    ]
    one_line = [text.replace("\n", " ") for text in texts]
    escaped = [text.replace("\n", "\\n") for text in texts]
    bare = ["".join(text.split("\n")[1:-2]) for text in texts]
    seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    json = [f'{{"privkey":"{text}"}}' for text in bare]
    return [*texts, *one_line, *escaped, *bare, *json, seed, seed.replace("A", "/")]


PRIVATE = private_keys()


@pytest.mark.parametrize("prefix", ["", "file:", "key=", "record:"])
@pytest.mark.parametrize("text", PRIVATE, ids=range(len(PRIVATE)))
def test_a_private_key_in_the_wrong_place_is_not_shown(text: str, prefix: str) -> None:
    """As with --dkim "$(cat key.pem)": the error must not end in a log with the key in it."""
    try:
        check_source(prefix + text)
    except UsageError as error:
        said = f"{error.what} {error.advice}"
        assert not any(text[at : at + 12] in said for at in range(30, len(text) - 30, 5))
        assert "PRIVATE" not in said
    else:
        assert prefix == "file:", "a bare text may be a path; it is opened, not shown, here"


@given(st.text())
def test_any_text_is_a_source_or_a_printable_error(text: str) -> None:
    said = ""
    try:
        assert check_source(text) == text.strip()
    except UsageError as error:
        said = f"{error.what}{error.advice}"
    assert said.isprintable()
