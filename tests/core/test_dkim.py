"""DKIM key records: what receivers can use, and when two mean the same."""

from __future__ import annotations

import base64
import subprocess
import sys
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import dkim
from netcup_mailauth.dkim import DkimSyntaxError
from netcup_mailauth.errors import RecordError
from tests.core.render.samples import RSA_P
from tests.effort import MANY

# The key of RFC 8463, A.2: brisbane._domainkey.football.example.com
RFC8463_P = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RFC8463_SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

SPKI, PKCS1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def rsa_p(bits: int = 2048, form: PublicFormat = SPKI) -> str:
    # A public key needs no primes to be published, only a modulus of the right size.
    public = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()
    return b64(public.public_bytes(Encoding.DER, form))


def private_der(form: serialization.PrivateFormat) -> bytes:
    return rsa_key().private_bytes(Encoding.DER, form, serialization.NoEncryption())


def record(tags: str = "v=DKIM1;k=rsa;", p: str | None = None) -> dkim.DkimRecord:
    return dkim.parse(f"{tags}p={rsa_p() if p is None else p}")


def check_words(error: RecordError) -> None:
    assert error.what.endswith(".")
    assert error.advice


def refusal(text: str) -> DkimSyntaxError:
    with pytest.raises(DkimSyntaxError) as caught:
        dkim.parse(text)
    check_words(caught.value)
    return caught.value


# -- keys ----------------------------------------------------------------------------------------


def test_spki_and_pkcs1_of_one_key_are_one_key() -> None:
    assert dkim.public_key_from_p("rsa", rsa_p()) == dkim.public_key_from_p(
        "rsa", rsa_p(2048, PKCS1)
    )


def test_pkcs1_is_published_again_as_spki() -> None:
    assert dkim.public_key_from_p("rsa", rsa_p(2048, PKCS1)).p == rsa_p()


def test_white_space_in_the_key_does_not_matter() -> None:
    p = rsa_p()
    assert dkim.public_key_from_p("rsa", f" {p[:60]} {p[60:90]}\r\n\t{p[90:]} ").p == p


def test_ed25519_key_of_the_rfc() -> None:
    key = dkim.public_key_from_p("ed25519", RFC8463_P)
    assert (key.p, key.label, key.bits) == (RFC8463_P, "Ed25519", 256)
    public = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(RFC8463_SEED))
    assert key == dkim.public_key_from_crypto(public.public_key())
    assert key.spki == public.public_key().public_bytes(Encoding.DER, SPKI)


def test_fingerprint_and_label_name_the_key() -> None:
    key = dkim.public_key_from_p("ed25519", RFC8463_P)
    assert key.fingerprint == "SHA256:06e3fd8fda29bb60"
    assert dkim.public_key_from_p("rsa", rsa_p()).label == "RSA 2048"


@pytest.mark.parametrize(
    ("bits", "short"), [(512, True), (1024, False), (2048, False), (4104, False)]
)
def test_sizes_are_judged_as_rfc_8301_says(bits: int, short: bool) -> None:
    key = dkim.public_key_from_p("rsa", rsa_p(bits))
    assert key.bits == bits
    assert (dkim.size_problem(key) is not None) is short


def test_ed25519_is_never_too_short() -> None:
    key = dkim.public_key_from_p("ed25519", RFC8463_P)
    assert dkim.size_problem(key) is None


def test_a_key_of_another_kind_is_of_no_use_to_dkim() -> None:
    assert dkim.public_key_from_crypto(ec.generate_private_key(ec.SECP256R1()).public_key()) is None


# -- a key that is not one -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(lambda: b64(private_der(serialization.PrivateFormat.PKCS8)), id="pkcs8"),
        pytest.param(
            lambda: b64(private_der(serialization.PrivateFormat.TraditionalOpenSSL)), id="pkcs1"
        ),
        pytest.param(
            lambda: b64(private_der(serialization.PrivateFormat.PKCS8))[:80], id="cut off"
        ),
        pytest.param(
            lambda: b64(
                rsa_key().private_bytes(
                    Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.BestAvailableEncryption(b"secret"),
                )
            ),
            id="encrypted",
        ),
        pytest.param(lambda: "-----BEGIN PRIVATE KEY-----MIIE", id="pem"),
    ],
)
def test_a_private_key_is_named_and_not_shown(secret: object) -> None:
    text = secret() if callable(secret) else ""
    with pytest.raises(DkimSyntaxError, match="PRIVATE key") as caught:
        dkim.public_key_from_p("rsa", text)
    assert "never publish" in caught.value.advice
    assert text[30:50] not in caught.value.what + caught.value.advice or len(text) < 50
    assert "PRIVATE" in refusal(f"v=DKIM1;p={text}").what


def test_rspamds_private_ed25519_key_is_named_and_not_shown() -> None:
    pair = b64(base64.b64decode(RFC8463_SEED) + base64.b64decode(RFC8463_P))
    error = refusal(f"v=DKIM1;k=ed25519;p={pair}")
    assert "PRIVATE" in error.what
    assert pair[:10] not in error.what + error.advice


def test_a_secret_without_its_tag_is_not_shown() -> None:
    for text in (RFC8463_SEED, RFC8463_SEED.replace("=", ""), f"v=DKIM1;{RFC8463_SEED}"):
        error = refusal(text)
        assert RFC8463_SEED[:8] not in error.what + error.advice


def test_a_wrapped_ed25519_key_is_named_with_its_remedy() -> None:
    spki = dkim.public_key_from_p("ed25519", RFC8463_P).spki
    assert b64(spki).startswith("MCow")
    error = refusal(f"v=DKIM1;k=ed25519;p={b64(spki)}")
    assert "MCow" in error.what
    assert error.advice.endswith(f"p={RFC8463_P}")


@pytest.mark.parametrize(
    ("k", "p", "says"),
    [
        ("rsa", "", "no RSA public key"),
        ("rsa", "QUJD", "QUJD"),
        ("rsa", "MII*", "'\\*' at position 4"),
        ("rsa", "MIIB_", "'_' at position 5"),
        ("rsa", "MIIBI", "not complete base64"),
        ("rsa", "=MII", "not complete base64"),
        ("rsa", "MAA=MAA=", "not complete base64"),
        ("rsa", "-----BEGIN PUBLIC KEY-----MII", "BEGIN and END"),
        ("rsa", "MAMCAQU=", "no RSA public key"),
        ("rsa", "MAMEAQU=", "no RSA public key"),
        ("rsa", RFC8463_P, "k= does not say so"),
        ("ed25519", "QUJD", "3 bytes; it must have 32"),
    ],
)
def test_each_damage_has_its_own_words(k: str, p: str, says: str) -> None:
    with pytest.raises(DkimSyntaxError, match=says):
        dkim.public_key_from_p(k, p)


def test_a_key_cut_off_or_too_long_is_told_in_bytes() -> None:
    with pytest.raises(DkimSyntaxError, match="cut off: it has 150 of 294 bytes"):
        dkim.public_key_from_p("rsa", rsa_p()[:200])
    with pytest.raises(DkimSyntaxError, match="3 bytes too many"):
        dkim.public_key_from_p("rsa", rsa_p() + "AAAA")


def test_other_kinds_of_keys_under_rsa_are_named() -> None:
    ed = dkim.public_key_from_p("ed25519", RFC8463_P)
    with pytest.raises(DkimSyntaxError, match="Ed25519, but k= says rsa") as caught:
        dkim.public_key_from_p("rsa", b64(ed.spki))
    assert "k=ed25519;p=11qY" in caught.value.advice
    for other in (ec.generate_private_key(ec.SECP256R1()), dsa.generate_private_key(1024)):
        with pytest.raises(DkimSyntaxError, match="elliptic curve or DSA"):
            dkim.public_key_from_p("rsa", b64(other.public_key().public_bytes(Encoding.DER, SPKI)))


# -- records -------------------------------------------------------------------------------------


def test_a_record_is_read_with_all_its_tags() -> None:
    parsed = record("v=DKIM1; k=rsa; t=y:s; s=email:tlsrpt; h=sha256; n=hello; x=1; ")
    assert (parsed.k, parsed.n) == ("rsa", "hello")
    assert parsed.t == {"y", "s"}
    assert parsed.s == {"email", "tlsrpt"}
    assert parsed.h == frozenset({"sha256"})
    assert parsed.key is not None
    assert parsed.testing


def test_defaults_of_a_bare_record() -> None:
    parsed = record("")
    assert (parsed.k, parsed.t, parsed.s, parsed.h, parsed.n) == (
        "rsa",
        frozenset(),
        frozenset("*"),
        None,
        None,
    )


@pytest.mark.parametrize("text", ["v=DKIM1;p=", "v=DKIM1; k=rsa; p= ;", "p="])
def test_an_empty_key_is_a_revoked_one(text: str) -> None:
    parsed = dkim.parse(text)
    assert parsed.key is None
    assert dkim.describe(parsed) == "revoked (empty p=)"


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("", "is empty", "whole text"),
        (" \n", "is empty", "whole text"),
        ("hello", "no list of tags", "semicolon"),
        ("v=DKIM1;;p=", "nothing between", "semicolon"),
        ('"v=DKIM1;p="', "quotation mark", "Leave"),
        ("„v=DKIM1;p=“", "quotation mark", "Leave"),
        ("v=DKIM1;p=;p=", "'p' twice", "keep one"),
        ("v=DKIM2;p=", "v='DKIM2'", "v=DKIM1"),
        ("v=dkim1;p=", "v='dkim1'", "spelling"),
        ("k=rsa;v=DKIM1;p=", "begins with the tag 'k'", "first"),
        ("v=DKIM1", "ends after v=DKIM1", "single quotes"),
        ("v=DKIM1 ", "ends after v=DKIM1", "single quotes"),
        ("v=DKIM1;k=rsa", "no p= tag", "Add p="),
        ("v=DKIM1;k=rsa p=MIIB", "no semicolon before p=", "Put a semicolon"),
        ("v=DKIM1;p=MIIB...", "placeholder", "whole public key"),
        ("v=DKIM1;p=MIIB…", "placeholder", "whole public key"),
        ("v=DKIM1;p=<your key>", "placeholder", "whole public key"),
        ("v=DKIM1;p=${KEY}", "placeholder", "whole public key"),
        ("v=DKIM1;n=gr\xfcn;p=", "'\\xfc'", "ASCII"),
        ("v=DKIM1;\xa0p=", "'\\xa0p=' is no tag", "semicolon"),
        ("v=DKIM1;n=a\x00;p=", "'\\x00'", "ASCII"),
        ("v=DKIM1;k=RSA;p=", "k='RSA'", "lower case: k=rsa"),
        ("v=DKIM1;k=dsa;p=", "k='dsa'", "k=rsa or k=ed25519"),
        ("v=DKIM1;k=;p=", "k=''", "k=rsa or k=ed25519"),
        ("v=DKIM1;h=sha1;p=", "does not allow sha256", "RFC 8301"),
        ("v=DKIM1;s=dkim;p=", "not for mail", "not the selector"),
        ("v=DKIM1;p=abc", "not complete base64", "Copy"),
    ],
)
def test_each_mistake_in_a_record_has_its_own_words(text: str, says: str, advises: str) -> None:
    error = refusal(text)
    assert says in error.what
    assert advises in error.advice


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("v=DKIM1;p=", True),
        (" v = DKIM1", True),
        ("v=DKIM1; broken", True),
        ("k=rsa; p=MIIB", True),
        ("v=DKIM10;p=", False),
        ("v=DMARC1;p=none", False),
        ("v=spf1 -all", False),
        ("google-site-verification=abc", False),
        ("", False),
    ],
)
def test_key_records_are_told_from_others(text: str, answer: bool) -> None:
    assert dkim.is_dkim(text) is answer


# -- equal meaning -------------------------------------------------------------------------------


def test_spelling_wrapping_notes_and_unknown_tags_are_no_difference() -> None:
    plain = record()
    p = rsa_p()
    assert dkim.equal(plain, record(" v = DKIM1 ; ", p=f"{p[:50]} {p[50:]} ;"))
    assert dkim.equal(plain, record("", p=rsa_p(2048, PKCS1)))
    assert dkim.equal(plain, record("v=DKIM1;n=a note;g=*;s=*:email;t=;"))
    assert dkim.equal(record("v=DKIM1;t=y:s;"), record("v=DKIM1; t = s : y;"))


@pytest.mark.parametrize("tags", ["t=s;", "t=y;", "s=email;", "h=sha256;"])
def test_each_tag_with_a_meaning_is_a_difference(tags: str) -> None:
    assert not dkim.equal(record(), record(f"v=DKIM1;{tags}"))


def test_another_key_is_a_difference_and_so_is_a_revoked_one() -> None:
    assert not dkim.equal(record(), record(p=rsa_p(1024)))
    assert not dkim.equal(record(), dkim.parse("v=DKIM1;p="))
    assert dkim.equal(dkim.parse("v=DKIM1;t=y;p="), dkim.parse("p="))


def test_a_built_record_is_the_shortest_and_reads_back() -> None:
    for key in (dkim.public_key_from_p("ed25519", RFC8463_P), record().key):
        assert key is not None
        text = dkim.build(key)
        assert text == f"v=DKIM1;k={key.algorithm};p={key.p}"
        assert dkim.parse(text).key == key


def test_a_record_is_described_by_its_key() -> None:
    parsed = dkim.parse(f"v=DKIM1;k=ed25519;p={RFC8463_P}")
    assert dkim.describe(parsed) == "Ed25519, SHA256:06e3fd8fda29bb60"
    assert dkim.describe(record("t=y;")).endswith(", testing (t=y)")


# -- any input -----------------------------------------------------------------------------------

TEXTS = st.text() | st.lists(
    st.sampled_from(
        ["v=DKIM1", ";", "k=rsa", "k=ed25519", "p=", " ", "\n", "t=y", "h=", "s=email", "MIIB", "=",
         RFC8463_P, "AAAA", "n=x", ":", "\xff"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(TEXTS)
@MANY
def test_no_text_makes_a_traceback_and_what_parses_is_kept(text: str) -> None:
    dkim.is_dkim(text)
    try:
        parsed = dkim.parse(text)
    except RecordError as error:
        check_words(error)
    else:
        assert str(parsed) == text
        assert dkim.equal(parsed, parsed)
        assert dkim.is_dkim(text)
        dkim.describe(parsed)


@given(st.integers(0, 293), st.integers(0, 255), st.sampled_from([SPKI, PKCS1]))
@MANY
def test_no_damaged_key_makes_a_traceback(position: int, byte: int, form: PublicFormat) -> None:
    data = bytearray(base64.b64decode(rsa_p(2048, form)))
    data[position % len(data)] = byte
    try:
        dkim.public_key_from_p("rsa", b64(bytes(data)))
    except DkimSyntaxError as error:
        check_words(error)


@given(st.binary(max_size=80), st.sampled_from(["rsa", "ed25519"]))
@MANY
def test_no_bytes_make_a_traceback(data: bytes, k: str) -> None:
    try:
        key = dkim.public_key_from_p(k, b64(data))
    except DkimSyntaxError as error:
        check_words(error)
    else:
        assert dkim.public_key_from_p(key.algorithm, key.p) == key


def test_importing_the_records_does_not_load_cryptography_or_dns() -> None:
    code = (
        "import sys, netcup_mailauth.dkim, netcup_mailauth.dmarc, netcup_mailauth.keys.forms;"
        "sys.exit(any(m.split('.')[0] in ('cryptography', 'dns') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "text", ["v=DKIM1\\;p=", "v=DKIM1\\; k=rsa\\; p=AAAA", "v=DKIM1;k=rsa\\;p="]
)
def test_the_backslash_before_a_semicolon_is_the_reason_that_is_told(text: str) -> None:
    with pytest.raises(dkim.DkimSyntaxError, match="backslash before its semicolons"):
        dkim.parse(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (f"v=DKIM1;k=rsa;t=s;s=email;p={RSA_P}", "v=DKIM1;k=rsa;t=s;s=email;p={}...{}"),
        (
            f"v=DKIM1; k=rsa; p={RSA_P[:50]} {RSA_P[50:]}; n=note",
            "v=DKIM1; k=rsa; p={}...{}; n=note",
        ),
        (f"k=rsa;p={RSA_P}", "k=rsa;p={}...{}"),
    ],
)
def test_a_record_is_shown_by_the_ends_of_its_key(text: str, ends: str) -> None:
    assert dkim.ends(text) == ends.format(RSA_P[:8], RSA_P[-12:])


def test_a_record_without_a_key_has_nothing_to_leave_out() -> None:
    assert dkim.ends("v=DKIM1;p=") == "v=DKIM1;p="
