"""A certificate authority of the sandbox's own, and a certificate for its proxies.

Runbooks trust it by `env.ca`; nothing on the machine does.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runbook_tui.sandbox.site import ADDRESSES, LOOPBACK, Site, write

_VALID = timedelta(days=365)


def authority(site: Site) -> Path:
    """Return the file that clients trust."""
    return site.at("tls", "ca.pem")


def certificate(site: Site) -> tuple[Path, Path]:
    """Return the proxies' certificate chain and key."""
    return site.at("tls", "proxy.pem"), site.at("tls", "proxy.key")


def make(site: Site) -> None:
    """Make authority and certificate unless they are there."""
    chain, key_file = certificate(site)
    if chain.exists() and key_file.exists() and authority(site).exists():
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("Practice authority")
    root = _certificate(issuer, issuer, authority_key.public_key(), authority=True)
    leaf = _certificate(_name("practice-hub"), issuer, key.public_key(), authority=False)
    write(authority(site), _pem(root.sign(authority_key, hashes.SHA256())))
    write(key_file, _key_pem(key))
    write(chain, _pem(leaf.sign(authority_key, hashes.SHA256())))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    addresses = [LOOPBACK, *ADDRESSES.values()]
    names = [x509.DNSName("localhost"), *(_address(address) for address in addresses)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if authority:
        return builder
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False)


def _address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(text))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate_: x509.Certificate) -> str:
    return certificate_.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
