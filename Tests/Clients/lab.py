"""Hosts of a test's own: network namespaces, joined by cables that can be slow, lossy, or cut without a word.

Every host has one address, whichever cable it is reached by, and a route to the hosts at the other ends of its cables
and to nobody else. A host forwards packets only where a test makes it a router (`Lab.route`). Nothing is made outside of these namespaces, and they are
named for this process and removed at the end.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
IP = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or "ip"


def why_not() -> str:
    """Why there can be no lab here; empty: there can."""
    if not pathlib.Path(IP).exists():
        return "no iproute2"
    if not pathlib.Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    name = f"cascade-{os.getpid()}"
    try:
        administer("netns", "add", name)
        administer("netns", "del", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces need root, or sudo without a password: {getattr(error, 'stderr', error)}"
    return ""


def administer(*arguments) -> str:
    return subprocess.run(
        [*ROOT, IP, *map(str, arguments)], check=True, capture_output=True, text=True, timeout=20).stdout


class Host:
    def __init__(self, name: str, namespace: str, address: str, folder: pathlib.Path):
        self.name, self.namespace, self.address, self.folder = name, namespace, address, folder

    def command(self, *command, environment: dict[str, str] | None = None) -> list[str]:
        """`command` as it runs on this host. sudo lets no environment through."""
        assigned = ["env", *(f"{k}={v}" for k, v in (environment or {}).items())] if ROOT and environment else []
        return [*ROOT, IP, "netns", "exec", self.namespace, *assigned, *map(str, command)]

    def get(self, url: str) -> str:
        """As conftest's `get`, but from this host."""
        run = subprocess.run(
            self.command("curl", "--silent", "--show-error", "--fail", "--max-time", "5", url), capture_output=True, text=True)
        if run.returncode:
            raise OSError(run.stderr)
        return run.stdout

    def chromium(self) -> str:
        """A program that is Chromium on this host."""
        program = self.folder / f"chromium-{self.name}"
        start = " ".join(self.command("/usr/bin/chromium"))
        if ROOT:
            # Playwright talks by descriptors 3 and 4, and sudo closes them: named pipes carry them past it.
            program.write_text(textwrap.dedent(f"""\
                #!/bin/sh
                pipes=$(mktemp -d -p "{self.folder}") && mkfifo "$pipes/in" "$pipes/out"
                cat <&3 >"$pipes/in" &
                cat <"$pipes/out" >&4 &
                exec 3>&- 4>&-
                exec sudo -n sh -c 'exec 3<"$0/in" 4>"$0/out"; exec "$@"' "$pipes" {start.removeprefix("sudo -n ")} "$@"
                """))
        else:
            program.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        program.chmod(0o755)
        return str(program)


class Cable:
    def __init__(self, a: Host, b: Host):
        self.a, self.b = a, b
        # The limit of a device's name is 15 bytes.
        devices = [f"to-{b.name}"[:15], f"to-{a.name}"[:15]]
        program = pathlib.Path(__file__).with_name("wire.py")
        self.process = subprocess.Popen(
            [*ROOT, sys.executable, program, a.namespace, devices[0], b.namespace, devices[1]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.confirm()
        self.ends = [(a, b, devices[0]), (b, a, devices[1])]
        for host, peer, device in self.ends:
            # Always the one address of the host, and the peer's behind this device.
            administer("-n", host.namespace, "address", "add", host.address, "peer", peer.address, "dev", device)
            administer("-n", host.namespace, "link", "set", device, "up")

    def confirm(self):
        assert self.process.stdout.readline() == "ok\n", "the cable does not work"

    def set(self, what: str, value: float):
        self.process.stdin.write(f"{what} {value}\n")
        self.process.stdin.flush()
        self.confirm()

    def shape(self, delay_ms: float = 0, loss: float = 0, burst: float = 1):
        """For each direction. `burst`: the mean number of packets that are lost in a row."""
        self.set("delay", delay_ms)
        self.set("burst", burst)
        self.set("loss", loss)

    def limit(self, bits: float):
        """So many a second pass in each direction; of what waits no more than 300 ms."""
        self.set("rate", bits)

    def cut(self):
        """From when this returns nothing arrives at either end, and nobody is told."""
        self.set("loss", 1)

    def heal(self):
        self.set("loss", 0)

    def leave(self, host: Host):
        """The network goes away from `host`, which knows it: no address and no route is left on this cable."""
        administer("-n", host.namespace, "address", "flush", "dev", self.device(host))

    def arrive(self, host: Host, address: str):
        """Another network comes to `host`: a new address, which the other end knows the way to, and a default route."""
        peer = next(peer for end, peer, _ in self.ends if end is host)
        administer("-n", peer.namespace, "route", "replace", address, "dev", self.device(peer))
        host.address = address
        administer("-n", host.namespace, "address", "add", address, "peer", peer.address, "dev", self.device(host))
        administer("-n", host.namespace, "route", "replace", "default", "dev", self.device(host))

    def device(self, host: Host) -> str:
        return next(device for end, _, device in self.ends if end is host)

    def narrow(self, mtu: int):
        """Longer packets do not fit from now on: a router fragments them, or says that they are too long."""
        for host, _, device in self.ends:
            administer("-n", host.namespace, "link", "set", device, "mtu", mtu)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Lab:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.hosts, self.cables = folder, [], []

    def host(self, name: str) -> Host:
        address = f"10.77.0.{len(self.hosts) + 1}"
        host = Host(name, f"cascade-{os.getpid()}-{name}", address, self.folder)
        administer("netns", "add", host.namespace)
        self.hosts.append(host)
        administer("-n", host.namespace, "link", "set", "lo", "up")
        return host

    def join(self, a: Host, b: Host) -> Cable:
        cable = Cable(a, b)
        self.cables.append(cable)
        return cable

    def route(self, a: Host, router: Host, b: Host):
        """From now on `a` and `b` reach each other through `router`, which cables join to both."""
        subprocess.run(router.command("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"), check=True, timeout=20)
        for host, peer in ((a, b), (b, a)):
            administer("-n", host.namespace, "route", "replace", peer.address, "via", router.address)

    def close(self):
        """Also after a failure half-way. What still runs on the hosts is ended first: it would keep them alive."""
        for cable in self.cables:
            cable.close()
        for host in self.hosts:
            with contextlib.suppress(subprocess.CalledProcessError):
                left = administer("netns", "pids", host.namespace).split()
                if left:
                    subprocess.run([*ROOT, "kill", "-9", *left], stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.CalledProcessError):
                administer("netns", "del", host.namespace)
