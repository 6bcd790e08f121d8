"""Browsers and a node that has TLS itself: the pages are https, as cameras need it, and certificates change under them."""

import socket
import ssl
import subprocess
import urllib.request

from chromium import plays, until
from conftest import TOKEN, Node, eventually, free_port


class SecureNode(Node):
    """Its public listener has TLS, and a plain one beside it. `folder` has the authority (ca.pem) and its certificates."""

    def __init__(self, folder, *arguments, **options):
        super().__init__(*arguments, **options)
        self.folder, self.plain_port = folder, free_port(socket.SOCK_STREAM)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=authority", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
        self.certify()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.public_port}"

    def certify(self):
        """A new pair, one file after the other."""
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=node",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.folder / "next.key",
                "-out", self.folder / "node.csr")
        openssl("x509", "-req", "-in", self.folder / "node.csr", "-CA", self.folder / "ca.pem",
                "-CAkey", self.folder / "ca.key", "-copy_extensions", "copy", "-days", "1",
                "-out", self.folder / "next.pem")
        for kind in ["key", "pem"]:
            (self.folder / f"next.{kind}").rename(self.folder / f"node.{kind}")

    def get(self, url: str) -> str:
        trusted = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        with urllib.request.urlopen(url, timeout=5, context=trusted) as response:
            return response.read().decode()

    def yaml(self) -> str:
        return super().yaml().replace(
            f'url: "{self.url}"', f'url: "{self.url}", tls: {{ certificate: node.pem, key: node.key }}, '
            f'http: "127.0.0.1:{self.plain_port}"')


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def test_chromium_publishes_from_an_https_page_of_the_origin(make_cascade, chromium, tmp_path):
    origin = SecureNode(tmp_path, "origin-1", "origin")
    cascade = make_cascade(nodes=[origin, Node("edge-1", "edge", "origin-1")])
    # Who types the name of the host comes to the plain listener first. That the certificate is the authority's is checked
    # by `get`; Chromium has a store of its own.
    publisher = chromium.open(f"http://127.0.0.1:{origin.plain_port}/publish?broadcast=show", ignore_https_errors=True)
    assert publisher.url == f"{origin.url}/publish?broadcast=show"
    assert publisher.evaluate("window.isSecureContext")
    publisher.fill("#token", TOKEN)
    publisher.click("#start")
    until(publisher, lambda s: s["page"] == "live", 15, "publisher live")
    cascade.wait_live("show")
    viewer = chromium.watch(cascade.edges[0].url, "show")
    plays(viewer, seconds=5)
    origin.certify()
    eventually(lambda: "files read again" in cascade.log("origin-1"), 10, "the new certificate")
    plays(viewer, seconds=3)
    # Over a new connection, with the new certificate.
    assert '"show"' in origin.get(origin.url + "/api/broadcasts")
    publisher.click("#stop")
    eventually(lambda: not cascade.live(origin, "show"), 10, "the session's end")
