"""A throw-away certificate authority, for a sandbox that speaks https."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.http import SERVED

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_LIFETIME = datetime.timedelta(days=30)


class ThrowAwayTls:
    """A CA and one certificate for loopback, in a temporary folder that `close` removes.

    It is also for the names of netcup's APIs, which a hosts file may lead here.
    """

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
    ca_name = "netcup sandbox throw-away CA"
    loopback = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    names = x509.SubjectAlternativeName(
        [
            *(x509.DNSName(name) for name in sorted(SERVED)),
            *(x509.IPAddress(address) for address in loopback),
        ]
    )
    usage = x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH])
    ca = _certificate(ca_name, ca_key, ca_name, ca_key)
    server = _certificate("localhost", server_key, ca_name, ca_key, names, usage)
    key_pem = server_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return ca, key_pem + server


def _certificate(
    subject: str,
    key: EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> bytes:
    """A certificate in PEM, of a CA where it signs itself.

    Its key identifiers and its key usage are there because Python asks for them since 3.13.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    is_ca = key is issuer_key
    subject_name, issuer_name = (
        x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, name)]) for name in (subject, issuer)
    )
    usage = x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(is_ca, 0 if is_ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM)
