"""Certificates of an authority of the test's own, made with the openssl command."""

import pathlib
import subprocess

NAMES = {
    "server": "DNS:api.acme.example",
    "mapped": "URI:spiffe://mesh.acme.example/ns/prod/sa/scorer",
    "stranger": "URI:spiffe://mesh.acme.example/ns/prod/sa/nobody",
    "unmapped": "URI:spiffe://elsewhere.example/ns/prod/sa/scorer",
    "named": "DNS:scorer.acme.example",
}


def make(directory: pathlib.Path) -> pathlib.Path:
    directory.mkdir()

    def openssl(*words):
        subprocess.run(
            ["openssl", *words], cwd=directory, check=True, capture_output=True, timeout=60
        )

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority")
    for name, subject in NAMES.items():
        (directory / f"{name}.ext").write_text(f"subjectAltName={subject}\n")
        openssl("req", "-new", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return directory
