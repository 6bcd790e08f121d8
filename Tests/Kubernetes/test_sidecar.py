"""The EndpointSlice sidecar as in a pod: its script in BusyBox' shell, as its image has it, the real kubectl, a service account; the
API server is a stand-in."""

import json
import os
import pathlib
import subprocess
import time

import kubernetes_validate
import pytest
import yaml

from api_server import APIServer, endpoint_slice
from conftest import ROOT, TOOLS
from nodes import end, eventually

SYNC = ROOT / "deploy/helm/cascade/files/endpointslice-sync.sh"


class Sidecar:
    def __init__(self, folder: pathlib.Path, api: APIServer, **environment: str):
        self.folder, self.slices, self.account = folder, folder / "slices", folder / "account"
        self.account.mkdir()
        (self.account / "ca.crt").write_bytes((api.authority / "ca.crt").read_bytes())
        (self.account / "namespace").write_text(api.namespace)
        self.token("first-token")
        self.slices.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        subprocess.run(["busybox", "--install", "-s", programs], check=True)
        (programs / "kubectl").symlink_to(TOOLS / "kubectl")
        # A pod has no kubeconfig and no home, and no programs but its image's.
        self.environment = {
            "PATH": str(programs), "SERVICE": "origin", "DIRECTORY": str(self.slices),
            "KUBERNETES_SERVICE_HOST": api.host, "KUBERNETES_SERVICE_PORT": str(api.port),
            "SERVICE_ACCOUNT_DIRECTORY": str(self.account), **environment}
        self.process = None

    def start(self):
        log = open(self.folder / "sync.log", "ab")
        self.process = subprocess.Popen([self.environment["PATH"] + "/sh", SYNC], stdout=log, stderr=log, env=self.environment, cwd=self.folder)

    def token(self, text: str):
        (self.account / "token").write_text(text)

    @property
    def log(self) -> str:
        return (self.folder / "sync.log").read_text()

    def addresses(self) -> list[str] | None:
        """What an edge would read; nil: there is no file."""
        path = self.slices / "origin.json"
        if not path.exists():
            return None
        return sorted(address for item in json.loads(path.read_text())["items"]
                      for endpoint in item["endpoints"] for address in endpoint["addresses"])

    def becomes(self, expected, seconds: float = 20):
        eventually(lambda: self.addresses() == expected, seconds, f"{expected}, not {self.addresses()}; {self.log}")


@pytest.fixture
def api(authority):
    api = APIServer(authority)
    api.start()
    yield api
    api.stop()


@pytest.fixture
def sidecar(tmp_path, api):
    sidecar = Sidecar(tmp_path, api)
    yield sidecar
    if sidecar.process:
        end(sidecar.process, 5)


def watching(api, sidecar, count: int = 1):
    eventually(lambda: len(api.watches) >= count, 20, f"a watch: {api.requests} {sidecar.log}")


def test_writes_what_is_there_and_every_change(api, sidecar):
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    api.put(endpoint_slice("other-a", "10.9.9.9", service="other"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    api.put(endpoint_slice("origin-b", "10.0.0.2"))
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])
    api.put(endpoint_slice("origin-a", "10.0.0.3"))
    sidecar.becomes(["10.0.0.2", "10.0.0.3"])
    api.delete("origin-b")
    sidecar.becomes(["10.0.0.3"])
    assert [path.name for path in sidecar.slices.iterdir() if not path.name.startswith(".")] == ["origin.json"]


def test_stops_at_once_and_leaves_only_the_file(api, sidecar):
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    begin = time.monotonic()
    assert end(sidecar.process, 5) == 0
    assert time.monotonic() - begin < 1
    assert [path.name for path in sidecar.slices.iterdir()] == ["origin.json"]


def test_is_the_pods_service_account_and_reads_a_new_token(api, sidecar):
    """kubernetes/kubernetes#93474: a flag such as --request-timeout, and kubectl forgets that it is in a pod."""
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    identity = (sidecar.slices / ".origin.kubeconfig").read_text()
    assert "first-token" not in identity and f'tokenFile: "{sidecar.account}/token"' in identity
    api.tokens = {"second-token"}
    sidecar.token("second-token")
    api.put(endpoint_slice("origin-b", "10.0.0.2"))
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])
    assert api.count("list", 401) == 0


def test_reaches_a_server_by_ipv6(authority, tmp_path):
    api = APIServer(authority, host="::1")
    api.start()
    sidecar = Sidecar(tmp_path, api)
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    try:
        sidecar.start()
        sidecar.becomes(["10.0.0.1"])
    finally:
        end(sidecar.process, 5)
        api.stop()


def test_a_kubeconfig_that_is_given_counts(api, tmp_path):
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "c",
              "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": api.namespace}}],
              "clusters": [{"name": "c", "cluster": {
                  "server": f"https://{api.host}:{api.port}", "certificate-authority": str(api.authority / "ca.crt")}}],
              "users": [{"name": "u", "user": {"token": "first-token"}}]}
    (tmp_path / "config").write_text(json.dumps(config))
    sidecar = Sidecar(tmp_path, api, KUBECONFIG=str(tmp_path / "config"), KUBERNETES_SERVICE_PORT="1")
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    try:
        sidecar.start()
        sidecar.becomes(["10.0.0.1"])
    finally:
        end(sidecar.process, 5)


def test_no_file_rather_than_an_empty_one(api, sidecar):
    api.tokens = set()
    sidecar.start()
    eventually(lambda: "could not list" in sidecar.log, 20, "the failure is said")
    assert sidecar.addresses() is None
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    api.tokens = {"first-token"}
    sidecar.becomes(["10.0.0.1"])


def test_rights_that_are_taken_and_given_back(api, sidecar):
    """The watch lives on meanwhile, and says nothing more: what failed is tried again by itself."""
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    api.refusals = {"list": 403}
    api.put(endpoint_slice("origin-b", "10.0.0.2"))
    eventually(lambda: api.count("list", 403) == 1, 20, "the list is refused")
    assert sidecar.addresses() == ["10.0.0.1"], "the file stays as it was"
    api.refusals = {}
    # The watch would end after a minute.
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])


def test_the_last_slice_goes_between_list_and_watch(api, sidecar):
    """Nobody is left whom a watch could name when it begins."""
    api.put(endpoint_slice("origin-a", "10.0.0.1"))

    def go():
        api.before_watch = None
        api.delete("origin-a")

    api.before_watch = go
    sidecar.start()
    sidecar.becomes([])


def test_a_second_outage_is_not_paid_for_by_the_first(api, sidecar):
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    api.refusals = {"list": 403}
    sidecar.start()
    # After the third the next pause would be 8 s.
    eventually(lambda: api.count("list", 403) >= 3, 20, "three refusals")
    api.refusals = {}
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    # A word is heard: success.
    api.put(endpoint_slice("origin-b", "10.0.0.2"))
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])
    api.refusals = {"list": 403}
    refused = api.count("list", 403)
    api.put(endpoint_slice("origin-c", "10.0.0.3"))
    eventually(lambda: api.count("list", 403) > refused, 20, "the list is refused")
    api.refusals = {}
    sidecar.becomes(["10.0.0.1", "10.0.0.2", "10.0.0.3"], 6)


def test_a_server_that_is_killed_and_comes_back(api, sidecar):
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    api.stop()
    eventually(lambda: "could not list" in sidecar.log, 20, "the outage is said")
    api.put(endpoint_slice("origin-b", "10.0.0.2"))
    assert sidecar.addresses() == ["10.0.0.1"]
    api.start()
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])


def test_a_version_that_is_too_old(api, sidecar):
    """410 as an event of a watch that runs, and as the answer to one that begins."""
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)

    def age():
        api.before_watch = None
        api.put(endpoint_slice("origin-b", "10.0.0.2"))
        api.compact()

    api.before_watch = age
    api.compact()
    eventually(lambda: api.count("watch", 410) == 1, 20, f"a watch from the past: {api.requests}")
    sidecar.becomes(["10.0.0.1", "10.0.0.2"])


def test_bookmarks_are_not_asked_for_and_equal_slices_are_not_written_again(api, tmp_path):
    sidecar = Sidecar(tmp_path, api, LONGEST_WATCH="1")
    api.put(endpoint_slice("origin-a", "10.0.0.1"))
    try:
        sidecar.start()
        sidecar.becomes(["10.0.0.1"])
        written = (sidecar.slices / "origin.json").stat()
        # The cluster's version grows.
        api.put(endpoint_slice("other-a", "10.9.9.9", service="other"))
        api.bookmark()
        lists = api.count("list")
        eventually(lambda: api.count("list") >= lists + 2, 30, "it is listed again when the watch ends")
        assert (sidecar.slices / "origin.json").stat().st_ino == written.st_ino
    finally:
        end(sidecar.process, 5)


def test_a_burst_is_one_list(api, sidecar):
    api.put(endpoint_slice("origin-0", "10.0.0.1"))
    sidecar.start()
    sidecar.becomes(["10.0.0.1"])
    watching(api, sidecar)
    lists = api.count("list")
    for i in range(1, 501):
        api.put(endpoint_slice(f"origin-{i}", f"10.1.{i // 250}.{i % 250}"))
    eventually(lambda: len(sidecar.addresses()) == 501, 30, "all 501")
    assert api.count("list") - lists <= 10, api.requests
    assert "Terminated" not in sidecar.log, "what goes well is not said"


def test_does_not_press_an_api_that_refuses_to_be_watched(api, sidecar):
    api.refusals = {"watch": 403}
    sidecar.start()
    eventually(lambda: api.count("watch", 403) >= 1, 20, "a refusal")
    begin = time.monotonic()
    eventually(lambda: api.count("watch", 403) >= 3, 30, "three refusals")
    assert time.monotonic() - begin > 1 + 2 - 0.5


EDGE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: edge }
spec:
  serviceName: edge
  selector: { matchLabels: { app: cascade-edge } }
  template:
    metadata: { labels: { app: cascade-edge } }
    spec:
      containers: [{ name: edge, image: cascade }]
"""


@pytest.mark.parametrize("services", [[], ["service.yaml"]])
def test_is_merged_into_edges_of_ones_own(tmp_path, services):
    """Patch and resources of the folder, as its comments say. The origins' service may be somebody else's."""
    folder = ROOT / "deploy/kubernetes/endpointslice-sync"
    for name in ("sidecar.yaml", "service.yaml", "rbac.yaml", "sync.sh"):
        (tmp_path / name).write_text((folder / name).read_text())
    (tmp_path / "edge.yaml").write_text(EDGE)
    (tmp_path / "kustomization.yaml").write_text(json.dumps({
        "resources": ["edge.yaml", *services, "rbac.yaml"], "patches": [{"path": "sidecar.yaml"}],
        "configMapGenerator": [{"name": "endpointslice-sync", "files": ["sync.sh"]}]}))
    built = subprocess.run([TOOLS / "kubectl", "kustomize", tmp_path], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    objects = {(o["kind"], o["metadata"]["name"].split("-")[0]): o for o in yaml.safe_load_all(built.stdout)}
    pod = objects["StatefulSet", "edge"]["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["edge", "endpointslice-sync"]
    assert objects["ConfigMap", "endpointslice"]["data"]["sync.sh"] == SYNC.read_text()
    for built_object in objects.values():
        kubernetes_validate.validate(built_object, "1.37", strict=True)


def test_says_how_it_is_used():
    environment = {key: value for key, value in os.environ.items() if key != "SERVICE"}
    for arguments, code in ([], 64), (["x"], 64), (["--help"], 0):
        done = subprocess.run(["sh", SYNC, *arguments], env=environment, capture_output=True, text=True, timeout=5)
        assert done.returncode == code and "usage: SERVICE=name" in done.stdout + done.stderr
