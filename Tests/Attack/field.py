"""The battlefield's hosts, nodes and programs."""

import json
import os
import pathlib
import subprocess
import sys

from lab import Host, Lab, administer
from lab import why_not as why_no_lab
from nodes import SECRET, TOKEN, Cascade, ReachableNode, end, eventually

HERE = pathlib.Path(__file__).resolve().parent


def why_not() -> str:
    """Why there can be no battlefield here; empty: there can."""
    if reason := why_no_lab():
        return reason
    namespace = f"cascade-{os.getpid()}"
    administer("netns", "add", namespace)
    try:
        administer("-n", namespace, "link", "add", "name", "veth-a", "type", "veth", "peer", "name", "veth-b")
    except subprocess.CalledProcessError as error:
        return f"no veth: {error.stderr}"
    finally:
        administer("netns", "del", namespace)
    return ""


class Soldier(Host):
    """A host with more addresses than one, on which programs of this folder run. `descriptors`: what a process may have."""

    addresses: list[str]
    descriptors: int | None = None

    def command(self, *command, environment=None) -> list[str]:
        limit = ["prlimit", f"--nofile={self.descriptors}:{self.descriptors}"] if self.descriptors else []
        return super().command(*limit, *command, environment=environment)

    def start(self, program: str, *arguments, addresses: int = 1, nice: int = 0) -> subprocess.Popen:
        """`addresses`: how many of the host's the program may send from; it is told them first."""
        sources = ",".join(self.addresses[:addresses])
        command = self.command("nice", "-n", nice, sys.executable, HERE / program, sources, *arguments)
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def run(self, program: str, *arguments, **how) -> dict:
        """What the program says in the end: its last line."""
        return result(self.start(program, *arguments, **how))

    def received(self) -> int:
        """Bytes that have come in over cables, with their headers."""
        lines = subprocess.run(self.command("cat", "/proc/net/dev"), capture_output=True, text=True).stdout.splitlines()
        return sum(int(line.split(":")[1].split()[0]) for line in lines[2:] if not line.strip().startswith("lo:"))


def result(process: subprocess.Popen, seconds: float = 60) -> dict:
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"{process.args[-3:]}: {process.returncode}"
    return json.loads(output.splitlines()[-1])


class AttackedNode(ReachableNode):
    """A node of which the process is looked at."""

    @property
    def pid(self) -> int:
        """The node's own, also behind sudo."""
        for pid in administer("netns", "pids", self.host.namespace).split():
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if pathlib.Path(os.fsdecode(command[0])).name == self.role and self.name.encode() in command:
                return int(pid)
        raise AssertionError(f"{self.name} does not run")

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def memory(self) -> int:
        """Resident, in KiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, route: str, host=None) -> tuple[int, float]:
        """Status and milliseconds of a GET: of the internal listener, or from `host` of the public one. 0: no answer."""
        base = self.url if host else self.internal
        run = subprocess.run(
            (host or self.host).command(
                "curl", "--silent", "--output", "/dev/null", "--max-time", "5", "--write-out", "%{http_code} %{time_total}",
                base + route), capture_output=True, text=True)
        status, seconds = run.stdout.split()
        return int(status), float(seconds) * 1000


class Field(Lab):
    """`host` makes a host, `cascade` starts nodes."""

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self.started: list[Cascade] = []
        self.programs: list[subprocess.Popen] = []

    def soldier(self, name: str, addresses: int = 1) -> Soldier:
        host = self.host(name)
        host.__class__ = Soldier
        last = len(self.hosts)
        host.addresses = [host.address, *(f"10.77.{last}.{i}" for i in range(1, addresses))]
        for address in host.addresses:
            administer("-n", host.namespace, "address", "add", f"{address}/32", "dev", "lo")
        return host

    def wire(self, a: Soldier, b: Soldier):
        """A cable without delay and loss. Either host is reached at all of its addresses."""
        devices = [f"to-{b.name}"[:15], f"to-{a.name}"[:15]]
        administer("-n", a.namespace, "link", "add", "name", devices[0], "type", "veth",
                   "peer", "name", devices[1], "netns", b.namespace)
        administer("-n", a.namespace, "link", "set", devices[0], "up")
        administer("-n", b.namespace, "link", "set", devices[1], "up")
        for host, peer, device in ((a, b, devices[0]), (b, a, devices[1])):
            for address in peer.addresses:
                administer("-n", host.namespace, "route", "add", address, "dev", device, "src", host.address)

    def cascade(self, nodes: list[AttackedNode], start: bool = True, **options) -> Cascade:
        cascade = Cascade(self.folder, nodes=nodes, **options)
        cascade.environment["CASCADE_NODE_SECRET"] = SECRET
        self.started.append(cascade)
        if start:
            cascade.start()
        return cascade

    def origin(self, descriptors: int | None = None, **options) -> tuple[Cascade, AttackedNode]:
        """An origin at which people watch, on a host of its own that is wired to nobody yet."""
        node = AttackedNode("origin-1", "origin", host=self.soldier("node"))
        node.host.descriptors = descriptors
        return self.cascade([node], **options), node

    def probe(self, cascade: Cascade, host: Soldier, *arguments, log: str) -> subprocess.Popen:
        return cascade.run(*host.command(cascade.bin / "probe", *arguments), log=log)

    def publish(self, cascade: Cascade, node: AttackedNode, host: Soldier, clip, *more, name: str = "show"):
        self.probe(cascade, host, "publish", "--url", f"{node.url}/whip/{name}", "--token", TOKEN, "--file", clip, "--loop",
                   *more, log="publisher")
        eventually(lambda: f'"{name}"' in host.get(f"{node.url}/api/broadcasts"), 15,
                   f"{name} live: {cascade.log('publisher')}")

    def start(self, host: Soldier, program: str, *arguments, **how) -> subprocess.Popen:
        """As the host does; it is ended with the field."""
        process = host.start(program, *arguments, **how)
        self.programs.append(process)
        return process

    def close(self):
        for process in self.programs:
            end(process, 5)
        for cascade in self.started:
            cascade.stop()
        super().close()
