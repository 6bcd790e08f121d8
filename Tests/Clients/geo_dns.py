"""A small internet: nodes, client networks and a real gdnsd, each on a host of a lab, all behind one router; names rendered by
`probe topology render` from the topology that the nodes read."""

import pathlib
import subprocess
import sys

from conftest import Cascade, ReachableNode, eventually
from lab import ROOT, Host, Lab, administer

# Region and the network of its clients, as the topology has it.
NETWORKS = {"eu": "10.1.0.0/16", "us": "10.2.0.0/16", "asia": "10.3.0.0/16"}
NAME, PUBLISH = "live.example.net", "in.example.net"


class Internet:
    def __init__(self, lab: Lab):
        self.lab = lab
        self.router = lab.host("router")
        subprocess.run(self.router.command("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"), check=True, timeout=20)

    def host(self, name: str) -> Host:
        host = self.lab.host(name)
        self.lab.join(host, self.router)
        administer("-n", host.namespace, "route", "add", "default", "via", self.router.address)
        return host

    def client(self, region: str) -> "Client":
        """A host whose address is in the region's network."""
        host = self.host(f"in-{region}")
        address = NETWORKS[region].replace("0.0/16", "0.5")
        administer("-n", host.namespace, "address", "add", f"{address}/32", "dev", "lo")
        administer(
            "-n", host.namespace, "route", "replace", "default", "via", self.router.address, "src", address)
        administer("-n", self.router.namespace, "route", "add", NETWORKS[region], "via", host.address)
        return Client(region, host, address)


class Client:
    def __init__(self, region: str, host: Host, address: str):
        self.region, self.host, self.address = region, host, address

    def resolving(self, server: Host, *command) -> list[str]:
        """`command` on this host, with names from `server`."""
        configuration = self.host.folder / "resolv.conf"
        configuration.write_text(f"nameserver {server.address}\noptions timeout:1 attempts:1\n")
        start = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return self.host.command("sh", "-c", start, configuration, *command)


def topology_section(server: Host) -> str:
    """Goes into `Cascade`'s topology."""
    return "\n".join([
        "dns:", "  zone: example.net", f"  name: {NAME}", f"  publish: {PUBLISH}",
        f"  name_servers: [{{ name: ns.example.net, addresses: [{server.address}] }}]",
    ])


class NameServer:
    """gdnsd on `host`, configured from the cascade's topology."""

    def __init__(self, host: Host, cascade: Cascade, **environment: str):
        self.host, self.folder = host, cascade.folder / "gdnsd"
        subprocess.run(
            [cascade.bin / "probe", "topology", "render", cascade.topology, "--target", "gdnsd", "--out", self.folder],
            check=True, stdout=subprocess.DEVNULL)
        # `ip netns exec` gives each command mounts of its own: this server's control socket is in nobody's way.
        start = 'mount -t tmpfs cascade /run && mkdir /run/gdnsd && exec /usr/sbin/gdnsd -c "$0" start'
        self.process = cascade.run(
            *host.command("sh", "-c", start, self.folder, environment=environment), log="gdnsd", **environment)
        eventually(lambda: "DNS listeners started" in cascade.log("gdnsd"), 10, f"gdnsd started: {cascade.log('gdnsd')}")

    def resolve(self, client: Client, name: str = NAME, subnet: str | None = None) -> tuple[int, list[str]]:
        """TTL and addresses."""
        program = pathlib.Path(__file__).with_name("resolve.py")
        shown = subprocess.run(
            client.host.command(sys.executable, program, self.host.address, name, client.address, *([subnet] if subnet else [])),
            check=True, capture_output=True, text=True, timeout=10).stdout.split()
        return int(shown[0]), shown[1:]

    def addresses(self, client: Client, name: str = NAME, subnet: str | None = None) -> list[str]:
        return self.resolve(client, name, subnet)[1]


def edge(name: str, region: str, host: Host, port: int, upstream: str = "origin-1") -> ReachableNode:
    """Clients have only a name, so all edges have one port."""
    node = ReachableNode(name, "edge", upstream, region=region, host=host)
    node.public_port = port
    return node


def kill(host: Host):
    """All that runs on it, at once and without a good-bye."""
    processes = administer("netns", "pids", host.namespace).split()
    subprocess.run([*ROOT, "kill", "-9", *processes], check=True)
