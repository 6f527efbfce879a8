"""Certificates for a broker of one's own: an authority that only its clients know, and the broker's, which it signs."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LASTS = timedelta(days=825)
"""How long certificates are valid; made anew each time the job that makes them runs."""
SKEW = timedelta(hours=1)
"""A machine's clock may be so much behind."""


def certify(names: Sequence[str], broker: Path, authority: Path) -> None:
    """Write the broker's certificate for these names and addresses, with its key, and the authority's without.

    The authority's key is thrown away: nobody can sign anything more with it.
    """
    now = datetime.now(UTC)
    own_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _named("svc authority"), _named(names[0])
    limits = {"not_valid_before": now - SKEW, "not_valid_after": now + LASTS}
    signer = (
        _builder(issuer, issuer, own_key, **limits)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own_key.public_key()), critical=False)
        .sign(own_key, hashes.SHA256())
    )
    signed = (
        _builder(subject, issuer, key, **limits)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own_key.public_key()), critical=False)
        .sign(own_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    broker.write_bytes(private + signed.public_bytes(pem))
    authority.write_bytes(signer.public_bytes(pem))


def valid_for(certificate: Path) -> timedelta:
    """How long a certificate is still valid; nothing for one that is not there."""
    if not certificate.exists():
        return timedelta()
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc - datetime.now(UTC)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, not_valid_before: datetime,
    not_valid_after: datetime,
) -> x509.CertificateBuilder:  # fmt: skip
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), not_valid_before, not_valid_after
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(**allowed: bool) -> x509.KeyUsage:
    no = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return x509.KeyUsage(**{**no, **allowed})
