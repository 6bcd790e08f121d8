"""make world: three regions and three client networks. gdnsd, configured by `probe topology render`, leads each to its edge; an edge
dies, and its viewers play elsewhere; a region grows from one edge to three by EndpointSlice files. Prints a table and writes it into
docs/experiment.md."""

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time

import clips
import geo_dns
import report
from conftest import Cascade, ReachableNode, end, eventually, free_port
from geo_dns import NAME, NETWORKS, Internet, NameServer
from lab import Lab, why_not
from one_edge import scratch

FILE = report.ROOT / "docs" / "experiment.md"
HEADS = ["step", "seen"]
PEERS = "{ static: [origin-1], peers: { endpoint_slices: { directory: slices, service: edge } } }"


class Viewer(threading.Thread):
    """Watches by the name of all regions, as a page does: when two seconds bring no picture it asks again, from the name on."""

    def __init__(self, cascade: Cascade, client: geo_dns.Client, names: NameServer, port: int):
        super().__init__(daemon=True)
        self.command = client.resolving(
            names.host, cascade.bin / "probe", "watch", "--url", f"http://{NAME}:{port}/whep/show", "--wait", "1", "--json")
        self.is_over = False
        # When the last second with a picture was reported.
        self.seen = 0.0
        self.start()

    def run(self):
        while not self.is_over:
            process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            silent = 0
            for line in process.stdout:
                second = json.loads(line)
                if second["final"]:
                    break
                has_picture = (second.get("video") or {}).get("frames", 0) > 0
                silent = 0 if has_picture else silent + 1
                if has_picture:
                    self.seen = time.monotonic()
                if silent == 2 or self.is_over:
                    break
            end(process, 2)
            time.sleep(0.2)

    def plays(self, since: float) -> bool:
        return self.seen > since


class World:
    def __init__(self, folder, lab: Lab):
        internet = Internet(lab)
        server, origin = internet.host("dns"), internet.host("origin")
        port = free_port(socket.SOCK_STREAM)
        self.slices = folder / "slices"
        self.slices.mkdir()
        edges = [geo_dns.edge(f"edge-{region}", region, internet.host(f"edge-{region}"), port,
                              PEERS if region == "asia" else "origin-1") for region in NETWORKS]
        self.cascade = Cascade(
            folder, nodes=[ReachableNode("origin-1", "origin", region="eu", host=origin), *edges], networks=NETWORKS,
            extra=geo_dns.topology_section(server))
        self.edges = {node.region: node for node in edges}
        # Pods that are there later: their entry is in their own file, and nobody else's file changes.
        self.later = [geo_dns.edge(f"edge-asia-{n}", "asia", internet.host(f"edge-asia-{n}"), port, PEERS) for n in (2, 3)]
        for node in self.later:
            node.topology = folder / f"{node.name}.yaml"
            node.topology.write_text(self.cascade.topology.read_text() + node.yaml() + "\n")
        self.clients = {region: internet.client(region) for region in NETWORKS}
        self.port = port
        self.server = server

    def start(self):
        self.cascade.start()
        self.names = NameServer(self.server, self.cascade)
        clip = clips.picture(self.cascade.folder / "clip.ivf", "640x360", 10, "800k")
        origin = self.cascade.origin
        self.cascade.run(
            *origin.host.command(
                self.cascade.bin / "probe", "publish", "--url", f"{origin.url}/whip/show", "--file", clip, "--loop",
                environment=self.cascade.secrets), log="publisher")
        eventually(lambda: '"show"' in origin.get(origin.url + "/api/broadcasts"), 20, "show is live")

    def led(self, region: str) -> str:
        """The node that a region's clients are led to."""
        found = self.names.addresses(self.clients[region])
        return next((node.name for node in self.cascade.edges if [node.address] == found), str(found))

    def leads(self):
        return [[f"a client of {NETWORKS[region]} ({region}) asks for `{NAME}`", f"is led to `{self.led(region)}`"]
                for region in NETWORKS]

    def watch(self):
        self.viewers = {region: Viewer(self.cascade, client, self.names, self.port)
                        for region, client in self.clients.items()}
        eventually(lambda: all(v.plays(0) for v in self.viewers.values()), 30, "every network's viewer plays")
        at = [self.viewers_at(edge) for edge in self.edges.values()]
        assert at == [1, 1, 1], at
        return [["a viewer of each network watches by that name", "each edge has one"]]

    def viewers_at(self, edge) -> float:
        return edge.metrics()['sfu_sessions{kind="viewer"}']

    def lose(self):
        edge = self.edges["us"]
        begin = time.monotonic()
        geo_dns.kill(edge.host)
        eventually(lambda: self.led("us") == "edge-eu", 15, "names lead elsewhere")
        names = time.monotonic() - begin
        eventually(lambda: self.viewers["us"].plays(begin + 2), 30, "its viewer plays elsewhere")
        plays = time.monotonic() - begin
        assert self.viewers_at(self.edges["eu"]) == 2
        assert names + 3 <= 10, f"with the 3 s that a resolver keeps an answer: {names + 3:.1f} s"
        again = time.monotonic()
        self.cascade.start_node(edge)
        eventually(lambda: self.led("us") == "edge-us", 20, "names lead back")
        return [
            ["`edge-us` is killed", f"names lead its clients to `edge-eu` after {names:.1f} s, and its viewer has seen a second of picture there after "
             f"{plays:.1f} s"],
            ["it is started again", f"names lead back after {time.monotonic() - again:.1f} s"],
        ]

    def grow(self):
        for node in self.later:
            self.cascade.start_node(node)
        first = self.edges["asia"]
        peers = lambda: [n["name"] for n in json.loads(first.get(first.internal + "/api/nodes"))
                         if n.get("kind") == "peer" and n["state"] == "up"]
        assert peers() == []
        begin = time.monotonic()
        self.put_slices([first, *self.later])
        eventually(lambda: len(peers()) == 2, 10, f"peers: {peers()}")
        found = time.monotonic() - begin
        watching = [subprocess.Popen(
            self.clients["asia"].host.command(
                self.cascade.bin / "probe", "watch", "--url", f"{node.url}/whep/show", "--seconds", "6", "--json"),
            stdout=subprocess.PIPE, text=True) for node in self.later]
        origin = self.cascade.origin
        time.sleep(4)
        relays = origin.metrics()['sfu_sessions{kind="relay"}']
        frames = [json.loads(w.communicate(timeout=30)[0].splitlines()[-1])["video"]["frames"] for w in watching]
        assert relays == len(NETWORKS), f"{relays} copies"
        return [
            ["two more edges start in asia, and a slice file names all three",
             f"they are peers after {found:.1f} s; nothing else is changed"],
            ["a viewer at each of the two, for 6 s", f"{frames[0]} and {frames[1]} pictures"],
            ["copies that the origin sends", f"{relays:.0f} for five edges: one for each region"],
        ]

    def put_slices(self, nodes):
        """As a sidecar writes them."""
        items = [{
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"edge-{node.name}", "labels": {
                "kubernetes.io/service-name": "edge", "multicluster.kubernetes.io/source-cluster": "asia"}},
            "endpoints": [{"addresses": [node.address], "hostname": node.name,
                           "conditions": {"ready": True, "serving": True, "terminating": False}}],
            "ports": [{"name": "internal", "port": node.internal_port, "protocol": "TCP"}]} for node in nodes]
        whole = self.slices / ".new"
        whole.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        whole.rename(self.slices / "edge.json")

    def stop(self):
        for viewer in getattr(self, "viewers", {}).values():
            viewer.is_over = True
        for node in self.later:
            if node.process:
                end(node.process)
        self.cascade.stop()


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    if reason := why_not():
        sys.exit(f"no network of its own: {reason}")
    with scratch() as folder:
        lab = Lab(folder)
        with contextlib.ExitStack() as stack:
            stack.callback(lab.close)
            world = World(folder, lab)
            stack.callback(world.stop)
            world.start()
            rows = []
            for step in (world.leads, world.watch, world.lose, world.grow):
                for row in step():
                    rows.append(row)
                    print(": ".join(row), flush=True)
    text = report.table(HEADS, rows)
    report.replace("world", "\n".join([report.circumstances("world"), "", text]), FILE)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
