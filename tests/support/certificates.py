"""Certificates that sign themselves: of a server in a test, and the authority that its clients trust."""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY: Final = dt.timedelta(days=1)


def self_signed(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, hosts: Iterable[str] = (), addresses: Iterable[str] = ()
) -> bytes:
    """A certificate of `key` as PEM, good today, for these names and IP addresses."""
    names = [
        *(x509.DNSName(host) for host in hosts),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of the tests")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def write_key_and_certificate(file: Path, *, hosts: Iterable[str], addresses: Iterable[str] = ()) -> Path:
    """Both in one file, which is also the authority to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + self_signed(key, hosts=hosts, addresses=addresses))
    return file
