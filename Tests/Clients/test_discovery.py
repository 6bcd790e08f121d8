"""Edges that are not told who is above them: EndpointSlice files and a real DNS server, with real nodes."""

import json
import os
import socket
import subprocess
import time
import urllib.error

import pytest

from conftest import Node, end, eventually, free_port, get


def slice_of(*origins: Node, name: str = "origin-abc12") -> str:
    """As Cilium mirrors it, but with ports, since nodes of a test share the address."""
    return json.dumps({
        "apiVersion": "v1", "kind": "List", "items": [{
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-{origin.name}", "labels": {
                "kubernetes.io/service-name": "origin", "multicluster.kubernetes.io/source-cluster": "here"}},
            "endpoints": [{"addresses": ["127.0.0.1"], "hostname": origin.name,
                           "conditions": {"ready": True, "serving": True, "terminating": False}}],
            "ports": [{"name": "internal", "port": origin.internal_port, "protocol": "TCP"}]} for origin in origins]})


def put(path, text: str):
    """The way the sidecar does it: a whole file takes the name at once."""
    temporary = path.with_name("." + path.name)
    temporary.write_text(text)
    temporary.rename(path)


def status(url: str) -> int:
    try:
        get(url)
        return 200
    except urllib.error.HTTPError as error:
        return error.code


def relays(node: Node) -> float:
    return sum(v for k, v in node.metrics().items() if k.startswith("sfu_sessions{") and 'kind="relay"' in k)


def upstreams(edge: Node) -> dict[str, str]:
    return {node["name"]: node["state"] for node in json.loads(get(edge.internal + "/api/nodes"))
            if node.get("kind") == "above"}


def publish(cascade, origin: Node, name: str, clip):
    publisher = cascade.probe(
        "publish", "--url", f"{origin.url}/whip/{name}", "--file", clip, "--loop", log=f"publisher-{origin.name}-{name}")
    eventually(lambda: cascade.live(origin, name), 15, f"{name} live at {origin.name}")
    return publisher


def watch(cascade, edge: Node, name: str, seconds: int) -> subprocess.Popen:
    return subprocess.Popen(
        [cascade.bin / "probe", "watch", "--url", f"{edge.url}/whep/{name}", "--seconds", str(seconds), "--json"],
        env=cascade.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def final(viewer: subprocess.Popen) -> dict:
    output, errors = viewer.communicate(timeout=40)
    assert viewer.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


@pytest.fixture
def slices(make_cascade, tmp_path):
    """Two origins, and an edge with an empty directory of slices; nothing is published."""
    folder = tmp_path / "slices"
    folder.mkdir()
    upstream = '{ endpoint_slices: { directory: "slices", service: origin } }'
    cascade = make_cascade(
        start=False, nodes=[Node("origin-1", "origin"), Node("origin-2", "origin"), Node("edge-eu", "edge", upstream)])
    for origin in cascade.nodes[:2]:
        cascade.start_node(origin)
    cascade.start_node(cascade.edges[0], "/healthz")
    return cascade, folder


def test_serves_soon_after_a_slice_file_appears(slices, clip):
    cascade, folder = slices
    edge = cascade.edges[0]
    publish(cascade, cascade.origin, "show", clip)
    assert status(f"{edge.internal}/readyz") == 503
    put(folder / "slices.json", slice_of(cascade.origin))
    begin = time.monotonic()
    while status(f"{edge.internal}/readyz") != 200:
        assert time.monotonic() - begin < 1.5, cascade.log(edge.name)
        time.sleep(0.02)
    eventually(lambda: cascade.live(edge, "show"), 1.5 - (time.monotonic() - begin), "listed at the edge")
    print(f"serves {time.monotonic() - begin:.2f} s after the file appeared")
    report = final(watch(cascade, edge, "show", 4))
    assert report["video"]["frames"] > 60, report


def test_an_address_that_moves_moves_new_relays(slices, clip):
    cascade, folder = slices
    first, second = cascade.nodes[:2]
    edge = cascade.edges[0]
    for origin in (first, second):
        for name in ("one", "two"):
            publish(cascade, origin, name, clip)
    put(folder / "slices.json", slice_of(first))
    eventually(lambda: upstreams(edge) == {first.name: "up"}, 2, "the first origin is up")
    running = watch(cascade, edge, "one", 8)
    eventually(lambda: relays(first) == 1, 5, "a relay to the first origin")
    put(folder / "slices.json", slice_of(second))
    eventually(lambda: upstreams(edge) == {second.name: "up"}, 2, "the second origin is up")
    later = watch(cascade, edge, "two", 3)
    eventually(lambda: relays(second) == 1, 5, "a relay to the second origin")
    assert relays(first) == 1, "the running relay stays where it is"
    assert final(later)["video"]["frames"] > 45
    assert final(running)["video"]["frames"] > 180


def test_deleting_and_breaking_files_changes_nothing_for_running_streams(slices, clip):
    cascade, folder = slices
    edge = cascade.edges[0]
    publish(cascade, cascade.origin, "show", clip)
    publish(cascade, cascade.origin, "other", clip)
    put(folder / "slices.json", slice_of(cascade.origin))
    eventually(lambda: upstreams(edge) == {cascade.origin.name: "up"}, 2, "the origin is up")
    viewer = watch(cascade, edge, "show", 8)
    eventually(lambda: relays(cascade.origin) == 1, 5, "a relay")
    (folder / "slices.json").write_text(slice_of(cascade.origin)[:100])
    eventually(lambda: "endpoint slices not usable" in cascade.log(edge.name), 2, "the broken file is named")
    complaint = next(l for l in cascade.log(edge.name).splitlines() if "endpoint slices not usable" in l)
    assert "slices.json" in complaint and "is not JSON: line 1, column 101: the text ends inside" in complaint, complaint
    (folder / "slices.json").unlink()
    time.sleep(1.5)
    assert relays(cascade.origin) == 1
    # The last good answer stays: what is not running yet works too.
    assert final(watch(cascade, edge, "other", 3))["video"]["frames"] > 45
    assert final(viewer)["video"]["frames"] > 180
    metrics = edge.metrics()
    assert metrics['sfu_discovery_failures_total{source="endpoint_slices"}'] >= 1
    assert metrics['sfu_upstreams{state="up"}'] == 1


def test_a_listed_but_dead_node_is_never_chosen_while_another_lives(slices, clip):
    cascade, folder = slices
    first, second = cascade.nodes[:2]
    edge = cascade.edges[0]
    publish(cascade, second, "show", clip)
    put(folder / "slices.json", slice_of(first, second))
    eventually(lambda: upstreams(edge) == {first.name: "up", second.name: "up"}, 2, "both are up")
    first.process.kill()
    eventually(lambda: upstreams(edge)[first.name] == "down", 4, "the dead one is down")
    assert upstreams(edge)[second.name] == "up"
    begin = time.monotonic()
    viewer = watch(cascade, edge, "show", 3)
    eventually(lambda: relays(second) == 1, 2, "a relay to the one that lives")
    print(f"relay {time.monotonic() - begin:.2f} s after the viewer's start")
    assert final(viewer)["video"]["frames"] > 45
    # All dead: trying goes on, and the one that comes back is found.
    second.process.kill()
    eventually(lambda: status(f"{edge.internal}/readyz") == 503, 5, "nobody is left")
    time.sleep(2)
    cascade.start_node(second)
    eventually(lambda: status(f"{edge.internal}/readyz") == 200, 2.5, "the one that came back is found")


class NameServer:
    """dnsmasq on a free port of loopback, with nothing but the records given."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(socket.SOCK_DGRAM), None

    def start(self, *records: str):
        self.stop()
        log = open(self.folder / "dnsmasq.log", "ab")
        command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-daemon",
                   "--log-queries", f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file",
                   "--local=/example/", "--local-ttl=1", *records]
        environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        time.sleep(0.3)
        assert self.process.poll() is None, (self.folder / "dnsmasq.log").read_text()

    def stop(self):
        if self.process:
            end(self.process)


@pytest.fixture
def names(tmp_path):
    server = NameServer(tmp_path)
    yield server
    server.stop()


def edge_by_dns(make_cascade, origin: Node, dns: str, **environment):
    cascade = make_cascade(start=False, nodes=[origin, Node("edge-eu", "edge", f"{{ dns: {dns} }}")])
    cascade.environment.update(environment)
    cascade.start_node(origin)
    cascade.start_node(cascade.edges[0], "/healthz")
    return cascade, cascade.edges[0]


def test_dns_a(make_cascade, names, clip):
    origin = Node("origin-1", "origin")
    names.start()
    # A search domain completes the name.
    dns = f'{{ name: origin, port: {origin.internal_port}, servers: ["127.0.0.1:{names.port}"] }}'
    cascade, edge = edge_by_dns(make_cascade, origin, dns, LOCALDOMAIN="example")
    publish(cascade, origin, "show", clip)
    eventually(lambda: "name does not resolve" in cascade.log(edge.name), 8, "NXDOMAIN is logged")
    assert status(f"{edge.internal}/readyz") == 503
    # All answers count: nothing listens at the second address, and that does no harm.
    names.start("--host-record=origin.example,127.0.0.1", "--host-record=origin.example,127.9.9.9")
    eventually(lambda: status(f"{edge.internal}/readyz") == 200, 12, f"resolved: {cascade.log(edge.name)}")
    eventually(lambda: sorted(upstreams(edge).values()) == ["down", "up"], 3, "one of two addresses lives")
    assert final(watch(cascade, edge, "show", 3))["video"]["frames"] > 45
    # NXDOMAIN, then no server at all: the last good set stays.
    names.start()
    failures = 'sfu_discovery_failures_total{source="dns"}'
    before = edge.metrics()[failures]
    eventually(lambda: edge.metrics()[failures] > before, 6, "NXDOMAIN is counted")
    assert status(f"{edge.internal}/readyz") == 200
    names.stop()
    before = edge.metrics()[failures]
    eventually(lambda: edge.metrics()[failures] > before, 12, "the timeout is counted")
    assert status(f"{edge.internal}/readyz") == 200
    assert final(watch(cascade, edge, "show", 3))["video"]["frames"] > 45
    assert end(edge.process) == 0


def test_dns_srv(make_cascade, names, clip):
    origin = Node("origin-1", "origin")
    dns = f'{{ name: _internal._tcp.origin.example, record: SRV, servers: ["127.0.0.1:{names.port}"] }}'
    srv = "--srv-host=_internal._tcp.origin.example"
    names.start(
        f"{srv},origin-1.example,{origin.internal_port},1,10", f"{srv},origin-9.example,9,2,10",
        "--host-record=origin-1.example,127.0.0.1", "--host-record=origin-9.example,127.0.0.1")
    cascade, edge = edge_by_dns(make_cascade, origin, dns)
    publish(cascade, origin, "show", clip)
    eventually(lambda: upstreams(edge) == {"origin-1": "up", "origin-9": "down"}, 4, f"two targets: {cascade.log(edge.name)}")
    assert final(watch(cascade, edge, "show", 3))["video"]["frames"] > 45
    names.stop()
    time.sleep(4)
    assert upstreams(edge)["origin-1"] == "up"
    assert final(watch(cascade, edge, "show", 3))["video"]["frames"] > 45
