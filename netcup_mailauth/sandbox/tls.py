"""A throw-away certificate authority, for a sandbox that speaks https."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_LIFETIME = datetime.timedelta(days=30)


class ThrowAwayTls:
    """A CA and one certificate for loopback, in a temporary folder that `close` removes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="netcup-sandbox-")
        folder = Path(self._folder.name)
        self.ca_file = folder / "ca.pem"
        chain = folder / "server.pem"
        ca, leaf = _make_certificates()
        self.ca_file.write_bytes(ca)
        chain.write_bytes(leaf)  # the folder is 0700, so the key in it is ours alone
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(chain)

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


def _make_certificates() -> tuple[bytes, bytes]:
    """The CA's certificate, and the server's key and certificate, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name("netcup sandbox throw-away CA")
    ca = (
        _builder(ca_name, ca_name, ca_key, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    loopback = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), *(x509.IPAddress(address) for address in loopback)]
    )
    server = (
        _builder(_name("localhost"), ca_name, server_key, ca_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
    )
    key_pem = server_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _signed(ca, ca_key), key_pem + _signed(server, ca_key)


def _name(common_name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    issuer_key: EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    """What both certificates have in common, key identifiers included (Python 3.13 asks)."""
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    subject_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(subject_id, critical=False)
        .add_extension(authority_id, critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM)
