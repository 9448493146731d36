"""Certificates of an authority of the test's own."""

import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = {
    "server": x509.DNSName("api.acme.example"),
    "mapped": x509.UniformResourceIdentifier("spiffe://mesh.acme.example/ns/prod/sa/scorer"),
    "stranger": x509.UniformResourceIdentifier("spiffe://mesh.acme.example/ns/prod/sa/nobody"),
    "unmapped": x509.UniformResourceIdentifier("spiffe://elsewhere.example/ns/prod/sa/scorer"),
    "named": x509.DNSName("scorer.acme.example"),
}
LIFE = datetime.timedelta(days=1)


def make(directory: pathlib.Path) -> pathlib.Path:
    directory.mkdir()
    now = datetime.datetime.now(datetime.timezone.utc)

    def common_name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject, key, issuer, signer, extension):
        builder = x509.CertificateBuilder(
            issuer_name=issuer, subject_name=subject, public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - LIFE, not_valid_after=now + LIFE,
        )
        return builder.add_extension(*extension).sign(signer, hashes.SHA256())

    def write(name, key, made):
        pem = serialization.Encoding.PEM
        (directory / f"{name}.pem").write_bytes(made.public_bytes(pem))
        (directory / f"{name}.key").write_bytes(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    authority, ca = common_name("test authority"), ec.generate_private_key(ec.SECP256R1())
    is_ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    write("ca", ca, certificate(authority, ca, authority, ca, is_ca))
    for name, subject in NAMES.items():
        key = ec.generate_private_key(ec.SECP256R1())
        is_named = (x509.SubjectAlternativeName([subject]), False)
        write(name, key, certificate(common_name(name), key, authority, ca, is_named))
    return directory
