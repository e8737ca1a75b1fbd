"""Certificates for tests: an authority, a rogue one, and what each has signed. Made by the openssl command."""

import base64
import hashlib
import pathlib
import subprocess


class Certificates:
    """In `folder`: ca.pem and rogue.pem, and NAME.pem with NAME.key for each that make() signed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for authority in ("ca", "rogue"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                         "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def make(self, name, names, authority="ca", days="2"):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                     "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def pin(self, name):
        """SHA-256 of the SubjectPublicKeyInfo, in base64 (RFC 7858 §4.2)."""
        def piped(*arguments, octets=None):
            return subprocess.run(["openssl", *arguments], cwd=self.folder, input=octets, check=True, capture_output=True).stdout
        key = piped("pkey", "-pubin", "-outform", "der", octets=piped("x509", "-pubkey", "-noout", "-in", f"{name}.pem"))
        return base64.b64encode(hashlib.sha256(key).digest()).decode()

    def path(self, file):
        return str(self.folder / file)
