"""Keys from files: one key in every form that mail servers write is the same key."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth import dkim
from netcup_mailauth.dkim import DkimSource
from netcup_mailauth.errors import KeySourceError, MailauthError
from netcup_mailauth.keys.forms import (
    MAX_SIZE,
    NoKeyError,
    read_key,
    read_key_file,
    read_mailcow_key,
)
from tests.canaries import leaks
from tests.effort import tries

if TYPE_CHECKING:
    from collections.abc import Callable

PEM, DER = Encoding.PEM, Encoding.DER
SPKI, PKCS1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


@dataclass(frozen=True)
class Pair:
    """A key pair in the pieces that the forms below are made of."""

    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    def pem(self, form: PrivateFormat = PKCS8) -> str:
        return self.private.private_bytes(PEM, form, NoEncryption()).decode()

    def public_pem(self, form: PublicFormat = SPKI) -> str:
        return self.private.public_key().public_bytes(PEM, form).decode()

    @property
    def key(self) -> dkim.PublicKey:
        key = dkim.public_key_from_crypto(self.private.public_key())
        assert key is not None
        return key

    @property
    def seed(self) -> bytes:
        assert isinstance(self.private, ed25519.Ed25519PrivateKey)
        return self.private.private_bytes_raw()


@cache
def rsa_pair() -> Pair:
    return Pair(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@cache
def other_pair() -> Pair:
    return Pair(rsa.generate_private_key(public_exponent=65537, key_size=1024))


@cache
def ed_pair() -> Pair:
    return Pair(ed25519.Ed25519PrivateKey.generate())


def chunks(text: str, size: int = 250) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


P = rsa_pair().key.p
OPENDKIM = (
    's2026{at}\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; {more}"\n\t  "p={0}"\n\t  "{1}" )'
    '  ; ----- DKIM key "s2026 for example.com\n'
)
MAILCOW = f"v=DKIM1;k=rsa;t=s;s=email;p={P}"
ZONE = (
    '$ORIGIN example.com.\n$TTL 300\n@ IN SOA a. b. 1 2 3 4 5\n@ IN MX 10 m\n@ IN TXT "v=spf1 a"\n'
)


def opendkim(at: str = "._domainkey", more: str = "") -> str:
    return OPENDKIM.format(*chunks(P), at=at, more=more)


def rspamd_txt() -> str:
    body = "\n\t".join(f'"{chunk}"' for chunk in chunks("p=" + P, 253))
    return f'mail._domainkey IN TXT ( "v=DKIM1; k=rsa; "\n\t{body}\n) ; \n'


def mailcow(text: str, selector: str) -> str:
    answer = {"pubkey": P, "length": "2048", "dkim_txt": text, "dkim_selector": selector}
    return json.dumps({**answer, "privkey": ""})


FORMS: dict[str, tuple[Callable[[], str], str | None, bool]] = {
    "PKCS#8": (lambda: rsa_pair().pem(), None, True),
    "PKCS#1": (lambda: rsa_pair().pem(TRADITIONAL), None, True),
    "SPKI": (lambda: rsa_pair().public_pem(), None, True),
    "RSA PUBLIC KEY": (lambda: rsa_pair().public_pem(PKCS1), None, True),
    "PEM with remarks": (lambda: f"# old key\nBag Attributes\n{rsa_pair().pem()}bye", None, True),
    "PEM in one line": (lambda: rsa_pair().pem().replace("\n", "\\n"), None, True),
    "PEM from Windows": (lambda: "\ufeff" + rsa_pair().pem().replace("\n", "\r\n"), None, True),
    "PEM indented": (lambda: rsa_pair().pem().replace("\n", "\n    "), None, True),
    "PEM, both halves": (lambda: rsa_pair().pem() + rsa_pair().public_pem(), None, True),
    "base64 of SPKI": (lambda: P, None, True),
    "base64 in lines": (lambda: "\n".join(chunks(P, 64)), None, True),
    "base64 of PKCS#8": (
        lambda: b64(rsa_pair().private.private_bytes(DER, PKCS8, NoEncryption())),
        None,
        True,
    ),
    "mailcow privkey": (lambda: b64(rsa_pair().pem().encode()), None, True),
    "opendkim": (opendkim, "s2026", False),
    "opendkim -a": (lambda: opendkim("._domainkey.example.com."), "s2026", False),
    "opendkim -n": (lambda: opendkim(more='n=\\"a note\\"; '), "s2026", False),
    "rspamd .txt": (rspamd_txt, "mail", False),
    "rspamadm without -k": (lambda: rsa_pair().pem() + rspamd_txt(), "mail", False),
    "docker-mailserver .public.dns.txt": (lambda: f"v=DKIM1; k=rsa; p={P}\n", None, False),
    "Mailu, one long string": (
        lambda: f'dkim._domainkey.example.com. 600 IN TXT "v=DKIM1; k=rsa; p={P}"',
        "dkim",
        False,
    ),
    "Postal": (lambda: f"v=DKIM1; t=s; h=sha256; p={P};", None, False),
    "dig": (
        lambda: f'DKIM._domainkey.example.com. 300 IN TXT "v=DKIM1;p={P[:200]}" "{P[200:]}"',
        "dkim",
        False,
    ),
    "dig +short": (lambda: f'"v=DKIM1;p={P[:200]}" "{P[200:]}"\n', None, False),
    "quoted": (lambda: f'"v=DKIM1; k=rsa; p={P}"', None, False),
    "quoted for the shell": (lambda: f"'v=DKIM1; k=rsa; p={P}'", None, False),
    "parentheses without a name": (lambda: f'( "v=DKIM1; "\n "p={P}" )', None, False),
    "wrapped by hand": (lambda: "v=DKIM1; k=rsa;\n  p=" + "\n  ".join(chunks(P, 70)), None, False),
    "without v": (lambda: f"k=rsa; p={P}", None, False),
    "with a comment": (lambda: f"# DKIM\nv=DKIM1; p={P}", None, False),
    "the same twice": (lambda: f"v=DKIM1; p={P}\nv=DKIM1;p={P};", None, False),
    "a whole zone": (lambda: ZONE + opendkim(), "s2026", False),
    "a name without _domainkey": (lambda: opendkim(""), None, False),
    "below $ORIGIN _domainkey": (
        lambda: "$ORIGIN _domainkey.example.com.\n" + opendkim(""),
        "s2026",
        False,
    ),
    "mailcow": (lambda: mailcow(MAILCOW, "DKIM"), "dkim", False),
    "mailcow, split": (
        lambda: mailcow(" ".join(f'"{c}"' for c in chunks(MAILCOW, 255)), "dkim"),
        "dkim",
        False,
    ),
    "mailcow without selector": (lambda: mailcow(MAILCOW, ""), None, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_key_is_the_same_key(form: str) -> None:
    make, selector, key_only = FORMS[form]
    source = read_key(make(), "here")
    assert source.key is not None
    assert source.key.p == P
    assert (source.selector, source.origin, source.key_only) == (selector, "here", key_only)
    assert dkim.parse(source.record).key == source.key
    assert "\n" not in source.record
    assert read_key(make().encode(), "here") == source


@pytest.mark.parametrize(
    ("make", "selector"),
    [
        pytest.param(lambda: ed_pair().pem(), None, id="PKCS#8"),
        pytest.param(lambda: ed_pair().public_pem(), None, id="SPKI"),
        pytest.param(lambda: b64(ed_pair().key.spki), None, id="base64 of SPKI"),
        pytest.param(lambda: b64(ed_pair().seed), None, id="seed (dkimpy)"),
        pytest.param(
            lambda: b64(ed_pair().seed + base64.b64decode(ed_pair().key.p)), None, id="rspamd"
        ),
        pytest.param(
            lambda: (
                f"{b64(ed_pair().seed)}\nmail._domainkey IN TXT ( "
                f'"v=DKIM1; k=ed25519; "\n\t"p={ed_pair().key.p}" ) ;\n'
            ),
            "mail",
            id="rspamadm without -k",
        ),
    ],
)
def test_every_form_of_an_ed25519_key_is_the_same_key(
    make: Callable[[], str], selector: str | None
) -> None:
    source = read_key(make(), "here")
    assert (source.key, source.selector) == (ed_pair().key, selector)


def test_a_record_is_published_as_the_source_wrote_it() -> None:
    note = read_key(opendkim(more='n=\\"a \\\\ b\\"; '), "here")
    assert note.record == f'v=DKIM1; h=sha256; k=rsa; n="a \\ b"; p={P}'
    assert read_key(f'"v=DKIM1; n=\\"q\\" \\061; p={P}; "', "here").record == (
        f'v=DKIM1; n="q" =; p={P};'
    )


def test_a_bare_key_makes_the_shortest_record() -> None:
    assert read_key(rsa_pair().pem(), "here").record == f"v=DKIM1;k=rsa;p={P}"
    assert read_key(ed_pair().pem(), "x").record == f"v=DKIM1;k=ed25519;p={ed_pair().key.p}"


@pytest.mark.parametrize("text", ["k=rsa;p={}", "p={}", '"k=rsa;" "p={}"', " t=s; p={}"])
def test_a_record_without_its_version_gets_the_one_that_receivers_look_for(text: str) -> None:
    source = read_key(text.format(P), "here")
    assert source.record.startswith("v=DKIM1;")
    assert source.key == rsa_pair().key


@pytest.mark.parametrize(
    "row",
    ["s7._domainkey TXT {}", "s7._domainkey.example.com. 300 IN TXT {}", "s7._domainkey\t{}"],
)
def test_a_row_of_a_web_form_names_the_selector_and_needs_no_quotes(row: str) -> None:
    """In a zone file the first semicolon would begin a comment."""
    source = read_key(row.format(f"v=DKIM1;k=rsa;p={P}"), "here")
    assert (source.selector, source.key) == ("s7", rsa_pair().key)
    assert source.record == f"v=DKIM1;k=rsa;p={P}"


def test_a_revoking_record_is_a_source_without_a_key() -> None:
    source = read_key("v=DKIM1;p=", "here")
    assert source == DkimSource("v=DKIM1;p=", None, None, "here", key_only=False)


def test_keys_of_any_size_are_read_so_that_the_guard_can_name_them() -> None:
    public = rsa.RSAPublicNumbers(65537, (1 << 511) + 1).public_key()
    source = read_key(public.public_bytes(PEM, SPKI), "here")
    assert source.key is not None
    assert dkim.size_problem(source.key) is not None


# -- what is no key ------------------------------------------------------------------------------


def refusal(text: str | bytes) -> KeySourceError:
    with pytest.raises(KeySourceError) as caught:
        read_key(text, "key.txt")
    check_words(caught.value)
    assert caught.value.what.startswith("key.txt: ")
    return caught.value


def check_words(error: MailauthError) -> None:
    assert error.what.endswith(".")
    assert error.advice


def encrypted(form: PrivateFormat) -> str:
    secret = BestAvailableEncryption(b"secret")
    return rsa_pair().private.private_bytes(PEM, form, secret).decode()


@pytest.mark.parametrize(
    ("make", "says", "advises"),
    [
        (lambda: encrypted(PKCS8), "passphrase", "openssl pkey"),
        (lambda: encrypted(TRADITIONAL), "passphrase", "openssl pkey"),
        (lambda: encrypted(PKCS8).replace("ENCRYPTED ", ""), "passphrase", "openssl pkey"),
        (lambda: rsa_pair().pem()[:900], "no END line", "whole file"),
        (lambda: rsa_pair().pem()[40:], "damaged or missing", "five dashes"),
        (lambda: rsa_pair().pem().replace("\nM", "\nA", 1), "damaged or cut off", "new key"),
        (lambda: rsa_pair().pem().replace("=\n", "\n").replace("\nM", "\n*", 1), "base64", "Copy"),
        (
            lambda: block("PUBLIC KEY", rsa_pair().key.spki[:150]),
            "cut off: it has 150 of 294",
            "Copy",
        ),
        (
            lambda: rsa_pair().public_pem().replace("PUBLIC", "RSA PRIVATE"),
            "damaged or cut off",
            "new key",
        ),
        (
            lambda: rsa_pair().pem().replace("PRIVATE KEY", "PUBLIC KEY"),
            "holds a PRIVATE key",
            "Never publish",
        ),
        (lambda: ec_key(PKCS8), "of the type EC", "RSA and Ed25519"),
        (lambda: ec_key(TRADITIONAL), "elliptic curve", "DKIM key"),
        (lambda: ec_key(PrivateFormat.OpenSSH), "OpenSSH", "DKIM key"),
        (lambda: block("CERTIFICATE", b""), "certificate", "DKIM key"),
        (lambda: block("PGP MESSAGE", b""), "PGP MESSAGE", "DKIM key"),
        (lambda: "ssh-rsa AAAAB3NzaC1yc2E me@host", "SSH key", "PEM"),
        (lambda: b64(ed_pair().seed + b"x" * 32), "do not belong together", "Copy"),
        (lambda: b64(b"x" * 33), "no RSA public key", "Copy"),
        (lambda: b64(b"-----BEGIN nothing of the kind-----"), "no RSA public key", "Copy"),
        (lambda: b64(b"x" * 40)[:-1], "not complete base64", "Copy"),
        (lambda: b64(b"\x30\x22" + b"\x02\x01\x00" + b"\xff" * 31), "damaged", "new key"),
        (lambda: "", "empty", "PEM"),
        (lambda: " \n\t ", "empty", "PEM"),
        (lambda: "# only a remark", "no DKIM key", "PEM"),
        (lambda: "hello", "no list of tags", "semicolon"),
        (lambda: "v=DKIM1", "ends after v=DKIM1", "single quotes"),
        (lambda: '"v=DKIM1; p=', "quotation mark", "Leave"),
        (lambda: f'"v=DKIM1;p={P}" and more', "quotation mark", "Leave"),
        (
            lambda: "$TTL 9\nd._domainkey IN TXT v=DKIM1;k=rsa;p=MIIB",
            "ends after v=DKIM1",
            "double quotes",
        ),
        (lambda: "d._domainkey IN TXT v=DKIM1;k=rsa;p=MIIB", "no RSA public key", "Copy"),
        (
            lambda: 'd._domainkey IN TXT ( "v=DKIM1;p="',
            "(line 1): a parenthesis has no counterpart.",
            "as the tool wrote it",
        ),
        (
            lambda: 'd._domainkey IN TXT "v=DKIM1;p=',
            "(line 1): a quotation mark is not closed.",
            "as the tool wrote it",
        ),
        *(
            (
                lambda head=head: f"$TTL 300\nd._domainkey IN TXT {head}p={P}",
                "(line 2): a text of more than 255 characters is not in quotes.",
                "double quotes",
            )
            for head in ("v=DKIM1\\;", "v=DKIM1\\; k=rsa\\; ", '"v=DKIM1;" ')
        ),
        (
            lambda: 'd._domainkey IN TXT "v=DKIM1;p="\nnonsense here',
            "(line 2)",
            "as the tool wrote it",
        ),
        (
            lambda: 'a..b._domainkey IN TXT "v=DKIM1;p="',
            "looks like a zone file",
            "as the tool wrote it",
        ),
        (lambda: '*._domainkey IN TXT "v=DKIM1;p="', "not a DKIM selector", "short name"),
        (lambda: '@ IN TXT "v=spf1 -all"', "no DKIM key", "PEM"),
        (lambda: f"v=DKIM1;p={P}\nv=DKIM1;p={other_pair().key.p}", "more than one", "one key"),
        (lambda: f"v=DKIM1;p={P}\nv=DKIM1;p=", "a revoked one", "one key"),
        (lambda: f"v=DKIM1;p={P}\nv=DKIM1;t=y;p={P}", "they differ", "Keep the one"),
        (lambda: opendkim() + rspamd_txt(), "under the selectors mail, s2026", "one key"),
        (lambda: other_pair().pem() + rspamd_txt(), "RSA 1024", "one key"),
        (lambda: rsa_pair().pem() + other_pair().pem(), "more than one", "one key"),
        (lambda: "{not json", "not valid JSON", "mailcow"),
        (lambda: "[" * 60_000, "not valid JSON", "mailcow"),
        (lambda: "[1]", "not mailcow's answer", "api/v1"),
        (lambda: '{"type": "error"}', "not mailcow's answer", "api/v1"),
        (
            lambda: '{"dkim_txt": "v=DKIM1;p=", "dkim_selector": 1}',
            "not mailcow's answer",
            "api/v1",
        ),
        (
            lambda: '{"dkim_txt": "v=DKIM1;p=", "dkim_selector": "a b"}',
            "not a DKIM selector",
            "short",
        ),
        (lambda: '{"dkim_txt": "\\ud800"}', "no list of tags", "semicolon"),
        (lambda: "v=DKIM1\0;p=", "not plain text", "UTF-8"),
        (lambda: b"\xff\xfev\0=\0", "not plain text", "UTF-8"),
        (
            lambda: rsa_pair().private.private_bytes(DER, PKCS8, NoEncryption()),
            "not plain text",
            "openssl",
        ),
        (lambda: "v=DKIM1;p=" + "A" * MAX_SIZE, "larger than 64 KiB", "PEM"),
    ],
)
def test_what_is_no_key_is_told_apart(
    make: Callable[[], str | bytes], says: str, advises: str
) -> None:
    error = refusal(make())
    assert says in error.what
    assert advises in error.advice


def block(label: str, data: bytes) -> str:
    return f"-----BEGIN {label}-----\n{b64(data)}\n-----END {label}-----\n"


def ec_key(form: PrivateFormat) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(PEM, form, NoEncryption()).decode()


def test_an_empty_answer_of_mailcow_is_no_key_and_not_a_fault() -> None:
    for text in ("{}", "[]"):
        with pytest.raises(NoKeyError, match="no DKIM key for this domain") as caught:
            read_key(text, "mailcow at mail.example.com")
        check_words(caught.value)
    with pytest.raises(NoKeyError):
        read_mailcow_key({}, "mailcow")


def test_no_error_shows_a_part_of_a_private_key() -> None:
    pem = rsa_pair().pem()
    body = pem.splitlines()[5]
    seed = b64(ed_pair().seed)
    for text in (
        pem[:900],
        pem[40:],
        pem.replace("\n-----END", "*\n-----END"),
        body,
        f"x {body}",
        f"v=DKIM1;{body}",
        f"p={body}",
        f"v=DKIM1;k={body};p=",
        f"{body} IN TXT (",
        f"{{{body}",
        pem.replace("-----BEGIN", "----BEGIN"),
    ):
        error = refusal(text)
        assert body[:16] not in error.what + error.advice
    for text in (seed[:-1], f"x;{seed}", f"{seed} x", f"v={seed};p=", f"p={seed}"):
        error = refusal(text)
        assert seed[:8] not in error.what + error.advice


def torn() -> dict[str, str]:
    """What opendkim-genkey writes, pasted without its beginning."""
    whole = opendkim().strip()
    line = whole[whole.index("IN") :]
    return {
        "without its name": line,
        "without its class": line[line.index("TXT") :],
        "without its type": line[line.index("(") :],
        "without its bracket": line[line.index('"') :],
        "with a TTL": f"3600 {line}",
    }


@pytest.mark.parametrize("form", torn())
def test_a_line_of_a_zone_file_is_read_without_its_beginning(form: str) -> None:
    found = read_key(torn()[form], "x")
    assert (found.key, found.selector) == (rsa_pair().key, None)


@pytest.mark.parametrize("end", ["", " ; key of example.com", ' ) ; ----- DKIM key "x" for y'])
def test_a_remark_behind_a_torn_line_is_no_part_of_the_record(end: str) -> None:
    assert read_key(f'TXT ( "v=DKIM1;" "p={P[:99]}" "{P[99:]}"{end}', "x").key == rsa_pair().key


@pytest.mark.parametrize(
    "text",
    [
        f"v=DKIM1\\;p={P}",
        f"v=DKIM1\\; k=rsa\\; p={P}\\;",
        f'"v=DKIM1\\;p={P}"',
        f"TXT v=DKIM1\\;p={P}",
        f"TXT v=DKIM1\\; p={P}",
    ],
)
def test_an_escaped_semicolon_is_the_zone_files_and_not_the_records(text: str) -> None:
    found = read_key(text, "x")
    assert found.key == rsa_pair().key
    assert "\\" not in found.record


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("dkim._domainkey.other.example.", "other.example"),
        ("dkim._domainkey.other.example", "other.example"),
        ("dkim._domainkey.intern", "intern"),
        ("dkim._domainkey", ""),
    ],
)
def test_the_domain_that_a_line_is_for_is_known(name: str, domain: str) -> None:
    found = read_key(f'{name} IN TXT "v=DKIM1;k=rsa;" "p={P[:200]}" "{P[200:]}"', "x")
    assert (found.selector, found.domain) == ("dkim", domain)


def test_a_line_is_not_taken_for_a_comment_in_the_middle_of_a_record() -> None:
    assert read_key(f"# DKIM\n; key\nv=DKIM1\n; t=y\n; p={P}", "x").record.startswith(
        "v=DKIM1; t=y; p="
    )


@pytest.mark.parametrize("text", ['"\\' * 16_000, 'd IN TXT "\\' + '"\\' * 16_000, '"' * 60_000])
def test_odd_quotation_marks_take_no_quadratic_time(text: str) -> None:
    started = time.thread_time()
    refusal(text)
    assert time.thread_time() - started < 20


# -- files ---------------------------------------------------------------------------------------


def file_refusal(path: Path) -> KeySourceError:
    with pytest.raises(KeySourceError) as caught:
        read_key_file(path)
    check_words(caught.value)
    return caught.value


def test_a_file_is_known_by_its_content_and_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "anything.jpg"
    path.write_text(rspamd_txt())
    source = read_key_file(path)
    assert (source.key, source.selector, source.origin) == (rsa_pair().key, "mail", str(path))


def test_each_reason_why_a_file_cannot_be_read_has_its_own_words(tmp_path: Path) -> None:
    assert "is not there" in file_refusal(tmp_path / "none").what
    assert "is a folder" in file_refusal(tmp_path).what
    assert "cannot be read" in file_refusal(tmp_path / "a\0b").what
    large = tmp_path / "large"
    large.write_bytes(b"A" * (MAX_SIZE + 1))
    assert "larger than" in file_refusal(large).what


def test_a_file_of_someone_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("netcup_mailauth.files.os.open", refuse)  # root may read everything
    assert "may not be read" in file_refusal(tmp_path / "secret").what


@pytest.mark.parametrize("sort", ["pipe", "device", "endless device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, sort: str) -> None:
    """A pipe that nobody writes to would hang the run; a timer would never finish."""
    path = tmp_path / "key"
    match sort:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/null")
        case _:
            path = Path("/dev/zero")
    assert "not a regular file" in file_refusal(path).what


def test_no_refusal_keeps_a_private_key(tmp_path: Path) -> None:
    """Python's errors about JSON and UTF-8 keep the whole text."""
    canary = "C4n4ryC4n4ryC4n4ryC4n4ryC4n4ryC4n4ryC4n4ryC4n4ry"
    for content in (
        f'{{"privkey": "{canary}"',
        f'{{"privkey": "{canary}"}}',
        f'[["{canary}"]]',
        f"-----BEGIN PRIVATE KEY-----\n{canary}\n-----END PRIVATE KEY-----\n",
        f"-----BEGIN PRIVATE KEY-----\n{canary}\n",
        f"{canary}\n-----END PRIVATE KEY-----\n",
        f"{canary}\0",
        f"{canary}{canary}",
        f"k._domainkey IN TXT ( {canary}",
        f"privkey: {canary}",
    ):
        path = tmp_path / "key"
        path.write_text(content)
        assert leaks(file_refusal(path), [canary]) == [], content
    path.write_bytes(f"{canary}\xff".encode("latin-1"))
    assert leaks(file_refusal(path), [canary]) == []


# -- any input -----------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["v=DKIM1;", "k=rsa;", "k=ed25519;", "p=", P, P[:90], ed_pair().key.p, '"', "'", "(", ")", "\n",
     " ", "IN TXT ", "d._domainkey ", "$TTL 1", ";", "\\", "{", "}", "[]", '{"dkim_txt":', ":", "@",
     "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----",
     "-----END PUBLIC KEY-----", "MIIB", "\t", "SOA", "\\300", "ä", "ssh-rsa "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join) | st.text() | st.binary())
@settings(max_examples=tries(800), deadline=None)
def test_no_content_makes_a_traceback(content: str | bytes) -> None:
    try:
        source = read_key(content, "key.txt")
    except KeySourceError as error:
        check_words(error)
    else:
        assert dkim.parse(source.record).key == source.key


@given(st.sampled_from(["pem", "public", "spki"]), st.integers(0), st.binary(max_size=3))
@settings(max_examples=tries(400), deadline=None)
def test_no_damage_to_a_key_makes_a_traceback(kind: str, position: int, bytes_: bytes) -> None:
    form = {
        "pem": other_pair().private.private_bytes(DER, PKCS8, NoEncryption()),
        "public": other_pair().private.public_key().public_bytes(DER, PKCS1),
        "spki": other_pair().key.spki,
    }[kind]
    label = "PRIVATE KEY" if kind == "pem" else "PUBLIC KEY"
    at = position % len(form)
    damaged = form[:at] + bytes_ + form[at + 1 :]
    try:
        read_key(block(label, damaged), "key.txt")
    except KeySourceError as error:
        check_words(error)


# -- the real tools ------------------------------------------------------------------------------


def run(tool: str, package: str, *arguments: str, cwd: Path | None = None) -> str:
    path = shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if path is None:
        pytest.skip(f"{tool} is not here: apt-get install {package}")
    done = subprocess.run([path, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("options", [(), ("-a",), ("-t", "-r"), ("-n", "a note", "-h", "sha256")])
def test_what_opendkim_genkey_writes(tmp_path: Path, options: tuple[str, ...]) -> None:
    arguments = ("-b", "2048", "-s", "s2026", "-d", "example.com", *options)
    run("opendkim-genkey", "opendkim-tools", *arguments, cwd=tmp_path)
    record = read_key_file(tmp_path / "s2026.txt")
    private = read_key_file(tmp_path / "s2026.private")
    assert record.key == private.key
    assert (record.selector, record.key_only, private.key_only) == ("s2026", False, True)


@pytest.mark.parametrize(
    ("kind", "label"),
    [("rsa", "RSA 2048"), ("ed25519", "Ed25519"), ("ed25519-seed", "Ed25519")],
)
def test_what_rspamadm_writes(tmp_path: Path, kind: str, label: str) -> None:
    arguments = ["dkim_keygen", "-d", "example.com", "-s", "mail", "-t", kind]
    if kind == "rsa":
        arguments += ["-b", "2048"]
    private = tmp_path / "private"
    text = run("rspamadm", "rspamd", *arguments, "-k", str(private))
    source = read_key(text, "rspamadm")
    assert source.key == read_key_file(private).key
    assert source.key is not None
    assert (source.key.label, source.selector) == (label, "mail")
    both = read_key(run("rspamadm", "rspamd", *arguments), "rspamadm")
    assert (both.selector, both.key_only) == ("mail", False)
