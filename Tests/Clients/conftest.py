"""A cascade of real processes on free ports, and real browsers and encoders to use it with."""

import contextlib
import functools
import itertools
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

import pytest

import clips

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "publish-token-of-the-client-tests"
SECRET = "node-secret-of-the-client-tests-0123456789abcdef"

# What browsers refuse to send UDP to, as the server's own check has it.
RESTRICTED = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6697, 10080}


def bin_path() -> pathlib.Path:
    if "CASCADE_BIN" in os.environ:
        return pathlib.Path(os.environ["CASCADE_BIN"])
    shown = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, capture_output=True, text=True, check=True)
    return pathlib.Path(shown.stdout.strip())


class PortBlock:
    """The ports that this run gives to its tests, below the range that the kernel takes client ports from (32768 on, if
    nobody changed it) and beside that of the Swift tests. Runs that share a machine have a block each: a port that was
    free when it was looked at stays free until a node binds it."""

    LENGTH = 1000

    def __init__(self):
        for first in range(10_000, 20_000, self.LENGTH):
            # Whoever listens on a block's first port has the block, until its process ends.
            self.claim = socket.socket()
            with contextlib.suppress(OSError):
                self.claim.bind(("127.0.0.1", first))
                self.claim.listen()
                self.ports = itertools.cycle(range(first + 1, first + self.LENGTH))
                return
            self.claim.close()
        raise RuntimeError("no block of ports is left")

    def next(self, kind: int) -> int:
        for port in self.ports:
            with socket.socket(socket.AF_INET, kind) as s, contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                if port not in RESTRICTED:
                    return port


@functools.cache
def port_block() -> PortBlock:
    return PortBlock()


def free_port(kind: int) -> int:
    """Of this kind nobody has it at the moment, and no other test gets it before some hundred others are used."""
    return port_block().next(kind)


class Node:
    """`host`: a host of a lab that it runs on; none: this machine's loopback."""

    def __init__(self, name: str, role: str, upstream: str | None = None, viewers: bool = True, region: str = "here",
                 host=None):
        self.name, self.role, self.upstream, self.viewers = name, role, upstream, viewers
        self.region, self.host = region, host
        self.public_port = free_port(socket.SOCK_STREAM)
        self.internal_port = free_port(socket.SOCK_STREAM)
        self.media_port = free_port(socket.SOCK_DGRAM)
        self.process: subprocess.Popen | None = None
        # None: the cascade's.
        self.topology: pathlib.Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.public_port}"

    @property
    def address(self) -> str:
        return self.host.address if self.host else "127.0.0.1"

    @property
    def internal(self) -> str:
        return f"http://{self.address}:{self.internal_port}"

    def get(self, url: str) -> str:
        return self.host.get(url) if self.host else get(url)

    def yaml(self) -> str:
        lines = [
            f"  - name: {self.name}", f"    role: {self.role}", f"    region: {self.region}",
            # Pages of 127.0.0.1 may use a camera.
            f'    public: {{ listen: "127.0.0.1:{self.public_port}", url: "{self.url}" }}',
            f'    internal: {{ listen: "{self.address}:{self.internal_port}", url: "{self.internal}" }}',
            f'    media: {{ listen: "0.0.0.0", port: {self.media_port}, workers: 1 }}',
        ]
        # An upstream in braces is the whole section, a bare one the name of a node.
        section = self.upstream if (self.upstream or "").startswith("{") else f"{{ static: [{self.upstream}] }}"
        lines.append(f"    viewers: {str(self.viewers).lower()}" if self.role == "origin" else f"    upstream: {section}")
        return "\n".join(lines)

    def metrics(self) -> dict[str, float]:
        """Samples by their text up to the value, e.g. 'sfu_sessions{kind="relay"}'."""
        text = self.get(self.internal + "/metrics")
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.read().decode()


def eventually(condition, seconds: float, what: str):
    """The first true value of `condition`, looked at ten times a second."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class ReachableNode(Node):
    """A node whose public listener is on its host's address."""

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.public_port}"

    def yaml(self) -> str:
        return super().yaml().replace('"127.0.0.1:', f'"{self.address}:').replace(
            "workers: 1", f'workers: 1, advertise: ["{self.address}"]')


class Cascade:
    def __init__(self, folder: pathlib.Path, hold: str = "30s", simulation: bool = False, nodes: list[Node] | None = None,
                 drain_deadline: str = "1s", drain_window: str = "1s", watch: str = "open", limits: str = "",
                 linger: str = "10s", extra: str = "", networks: dict[str, str] | None = None):
        """`extra`: further sections of the topology. `networks`: those whose clients are sent to a region."""
        self.folder, self.bin = folder, bin_path()
        self.nodes = nodes or [
            Node("origin-1", "origin"), Node("edge-eu", "edge", "origin-1"),
            # Of another region: the two have nothing to do with each other.
            Node("edge-us", "edge", "origin-1", region="there")]
        self.origin = next(node for node in self.nodes if node.role == "origin")
        self.edges = [node for node in self.nodes if node.role == "edge"]
        self.helpers: list[subprocess.Popen] = []
        self.topology = folder / "topology.yaml"
        self.topology.write_text("\n".join([
            "version: 1",
            "auth:",
            "  publish: { token_env: CASCADE_PUBLISH_TOKEN }",
            f"  watch: {watch}",
            "  node: { secret_env: CASCADE_NODE_SECRET }",
            f"hold: {hold}",
            f"linger: {linger}",
            f"drain_deadline: {drain_deadline}",
            f"drain_window: {drain_window}",
            f"simulation: {str(simulation).lower()}",
            f"limits: {{ {limits} }}",
            extra,
            "regions:",
            *(f"  - {{ name: {region}, location: [{50.11 - 10 * i:.2f}, 8.68]"
              + (f", clients: {{ networks: [{networks[region]}] }} }}" if networks else " }")
              for i, region in enumerate(dict.fromkeys(node.region for node in self.nodes))),
            "nodes:",
            *(node.yaml() for node in self.nodes),
        ]) + "\n")
        self.secrets = {"CASCADE_PUBLISH_TOKEN": TOKEN, "CASCADE_NODE_SECRET": SECRET}
        self.environment = dict(os.environ, **self.secrets)

    def start(self):
        for node in self.nodes:
            self.start_node(node)

    def start_node(self, node: Node, route: str = "/readyz"):
        """Waits until `route` of the internal listener is 200: `/healthz` for a node that has nobody above it yet."""
        log = open(self.folder / f"{node.name}.log", "ab")
        topology = node.topology or self.topology
        command = [self.bin / node.role, "--topology", topology, "--node", node.name, "--log-level", "debug"]
        if node.host:
            command = node.host.command(*command, environment=self.secrets)
        node.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

        def ready():
            assert node.process.poll() is None, self.log(node.name)
            with contextlib.suppress(OSError):
                return node.get(node.internal + route)

        eventually(ready, 20, f"{node.name} ready")

    def run(self, *command, log: str, **environment) -> subprocess.Popen:
        output = open(self.folder / f"{log}.log", "ab")
        process = subprocess.Popen(
            [str(part) for part in command], env=dict(self.environment, **environment), stdout=output, stderr=output)
        self.helpers.append(process)
        return process

    def probe(self, *arguments, log: str = "probe") -> subprocess.Popen:
        return self.run(self.bin / "probe", *arguments, log=log)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def live(self, node: Node, name: str) -> bool:
        return f'"{name}"' in node.get(node.url + "/api/broadcasts")

    def wait_live(self, name: str, seconds: float = 15):
        eventually(lambda: self.live(self.origin, name), seconds, f"{name} live: {self.log('publisher')}")

    def stop(self):
        for process in self.helpers:
            end(process)
        for node in reversed(self.nodes):
            if node.process:
                node.exit_code = end(node.process)


def end(process: subprocess.Popen, seconds: float = 15) -> int:
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -9


@pytest.fixture
def make_cascade(tmp_path):
    made = []

    def make(start: bool = True, **options) -> Cascade:
        cascade = Cascade(tmp_path, **options)
        made.append(cascade)
        if start:
            cascade.start()
        return cascade

    yield make
    for cascade in made:
        cascade.stop()


@pytest.fixture
def lab(tmp_path):
    """Before `make_cascade`, so that nodes end before their hosts."""
    from lab import Lab, why_not

    if reason := why_not():
        pytest.skip(reason)
    lab = Lab(tmp_path)
    yield lab
    lab.close()


@pytest.fixture
def cascade(make_cascade) -> Cascade:
    return make_cascade()


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> pathlib.Path:
    """Ten seconds of moving VP8 picture."""
    return clips.picture(tmp_path_factory.mktemp("clips") / "clip.ivf", "640x360", 10, "800k")


@pytest.fixture(scope="session")
def tone(tmp_path_factory) -> pathlib.Path:
    return clips.tone(tmp_path_factory.mktemp("clips") / "tone.ogg", "64k")


@pytest.fixture
def chromium():
    from chromium import Chromium

    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def modules():
    """A page that may import the pages' modules, without a node."""
    from chromium import Chromium
    from pages import Pages

    pages = Pages()
    with Chromium() as browser:
        yield browser.open(f"{pages.url}/columns.js")
    pages.close()
