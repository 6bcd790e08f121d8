"""A real gdnsd leads the clients of three networks to their regions' edges, and elsewhere while an edge is dead or drains."""

import socket
import subprocess
import time

import pytest

import geo_dns
from conftest import ReachableNode, eventually, free_port
from geo_dns import NAME, NETWORKS, PUBLISH, Internet, NameServer
from test_https import openssl

# Two failures, two seconds apart, of a second each, and what a resolver may keep an answer.
SOON = 10


@pytest.fixture
def world(lab, make_cascade):
    """Clients, edges by region, the cascade, and the name server."""
    internet = Internet(lab)
    server, origin = internet.host("dns"), internet.host("origin")
    port = free_port(socket.SOCK_STREAM)
    nodes = [ReachableNode("origin-1", "origin", region="eu", host=origin)]
    nodes += [geo_dns.edge(f"edge-{region}", region, internet.host(f"edge-{region}"), port) for region in NETWORKS]
    cascade = make_cascade(
        nodes=nodes, drain_deadline="20s", extra=geo_dns.topology_section(server), networks=NETWORKS)
    clients = {region: internet.client(region) for region in NETWORKS}
    return clients, {node.region: node for node in cascade.edges}, cascade, NameServer(server, cascade)


def control(node, method: str):
    subprocess.run(
        node.host.command("curl", "--silent", "--fail", "-X", method, f"{node.internal}/drain"), check=True,
        stdout=subprocess.DEVNULL)


def test_each_network_is_led_to_its_edge_while_that_is_ready(world):
    clients, edges, cascade, names = world
    led = lambda region, **rest: names.addresses(clients[region], **rest)

    def moved(region: str, to: str, what: str) -> float:
        begin = time.monotonic()
        eventually(lambda: led(region) == [edges[to].address], SOON, f"{what}: {led(region)}")
        print(f"{what}: after {time.monotonic() - begin:.1f} s")
        assert led("eu") == [edges["eu"].address], "who has nothing to do with it stays"
        return time.monotonic() - begin

    # By the address that asks, and by the one that it asks for.
    for region in NETWORKS:
        assert names.resolve(clients[region]) == (3, [edges[region].address])
        subnet = NETWORKS[region].replace("0.0/16", "7.0/24")
        assert led("eu", subnet=subnet) == [edges[region].address]
        assert led("eu", name=f"{region}.example.net") == [edges[region].address]
        assert led(region, name=PUBLISH) == [cascade.origin.address]

    # The regions of `Cascade` lie on a line: of two that are as near the first of the file counts.
    geo_dns.kill(edges["us"].host)
    took = moved("us", "eu", "a dead edge's clients are led elsewhere")
    # Answers that resolvers have are good for three seconds more.
    assert took + 3 <= SOON
    assert led("eu", subnet="10.2.9.0/24") == [edges["eu"].address]
    assert led("eu", name="us.example.net") == [edges["us"].address], "its own name leads nowhere else"
    cascade.start_node(edges["us"])
    moved("us", "us", "and back when it is ready again")

    control(edges["asia"], "POST")
    moved("asia", "us", "a draining edge's clients are led elsewhere")
    control(edges["asia"], "DELETE")
    moved("asia", "asia", "and back when the drain is cancelled")


class SecureEdge(ReachableNode):
    """With TLS, and a certificate for `names`."""

    def certify(self, folder, *names: str):
        request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={self.name}"]
        if not (folder / "ca.pem").exists():
            openssl("req", "-x509", *request[:-1], "/CN=authority", "-days", "2", "-keyout", folder / "ca.key", "-out",
                    folder / "ca.pem")
        alternatives = ",".join(f"DNS:{name}" for name in names)
        openssl("req", "-x509", *request, "-days", "1", "-addext", f"subjectAltName={alternatives}", "-CA", folder / "ca.pem",
                "-CAkey", folder / "ca.key", "-keyout", folder / f"{self.name}.key", "-out", folder / f"{self.name}.pem")

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.public_port}"

    def yaml(self) -> str:
        return super().yaml().replace(
            f'url: "{self.url}"', f'url: "{self.url}", tls: {{ certificate: {self.name}.pem, key: {self.name}.key }}')


def test_an_edge_whose_certificate_is_not_for_the_name_gets_nobody(lab, make_cascade, tmp_path):
    internet = Internet(lab)
    server, origin = internet.host("dns"), internet.host("origin")
    port = free_port(socket.SOCK_STREAM)
    edges = []
    for region, names in (("eu", ["eu.example.net", NAME]), ("us", ["us.example.net"])):
        edge = SecureEdge(f"edge-{region}", "edge", "origin-1", region=region, host=internet.host(f"edge-{region}"))
        edge.public_port = port
        edge.certify(tmp_path, *names)
        edges.append(edge)
    cascade = make_cascade(
        nodes=[ReachableNode("origin-1", "origin", region="eu", host=origin), *edges],
        extra=geo_dns.topology_section(server), networks=NETWORKS)
    names = NameServer(server, cascade, CURL_CA_BUNDLE=str(tmp_path / "ca.pem"))
    client = internet.client("us")
    eventually(lambda: names.addresses(client) == [edges[0].address], 15, f"led to eu: {names.addresses(client)}")
    # The server finds new files by itself.
    edges[1].certify(tmp_path, "us.example.net", NAME)
    eventually(lambda: names.addresses(client) == [edges[1].address], 20, f"led to us: {names.addresses(client)}")
