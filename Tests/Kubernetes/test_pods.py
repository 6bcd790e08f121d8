"""Pods of two clusters, as far as there can be any without a cluster: the chart's command lines and files, each node in a network
namespace with an address of its own, without capabilities and on a read-only root; the sidecar with the real kubectl; slices as
Cilium's operator mirrors them. Names of pods do not resolve here: slices alone tell."""

import json
import pathlib
import shutil
import subprocess

import pytest
import yaml

from api_server import APIServer
from conftest import CHART, mounted, render
from nodes import bin_path, end, eventually
from test_sidecar import Sidecar

VALUES = """
image: { repository: cascade }
regions:
  - { name: eu, origins: { count: 1 } }
  - { name: us, edges: { count: 1 } }
clusterMesh: { enabled: true, clusters: [eu, us] }
drainSeconds: 2
"""
SECRETS = {"cascade": {"node-secret": "n" * 40, "publish-token": "publish"}}
# What a pod's security context takes away. `ip netns exec` has given it mounts of its own.
LOCKED = 'mount -o remount,bind,ro / && exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all "$@"'


def mirrored(name: str, cluster: str, address: str) -> dict:
    return {
        "metadata": {"name": f"{name}-{cluster}", "labels": {
            "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "endpointslice-mesh-controller.cilium.io",
            "multicluster.kubernetes.io/source-cluster": cluster}},
        "addressType": "IPv4", "ports": None,
        "endpoints": [{"addresses": [address], "hostname": f"{name}-{cluster}-0", "conditions": {"ready": True}}]}


class Pod:
    def __init__(self, host, folder: pathlib.Path, region: str, role: str):
        things = render("template", "cascade", CHART, "--namespace", "media", "--set", f"region={region}", values=VALUES)
        things = [thing for thing in yaml.safe_load_all(things) if thing]
        [its] = [thing for thing in things if thing["kind"] == "StatefulSet"]
        self.host, self.name, self.folder = host, f"{its['metadata']['name']}-0", folder
        pod = its["spec"]["template"]["spec"]
        self.grace = pod["terminationGracePeriodSeconds"]
        [container] = pod["containers"]
        places = mounted(things, pod, container, folder, SECRETS)
        text = " ".join(container["args"])
        for path, place in places.items():
            text = text.replace(path, str(place))
        topology = places["/etc/cascade"] / "topology.yaml"
        self.slices = folder / "slices"
        topology.write_text(topology.read_text().replace("/slices", str(self.slices)))
        self.command = [str(bin_path() / role), *text.split()]

    def start(self):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            self.host.command("sh", "-c", LOCKED, "sh", *self.command, environment={"NODE_NAME": self.name}),
            env={"NODE_NAME": self.name, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdout=log, stderr=log)

    def url(self, port: int, path: str) -> str:
        return f"http://{self.host.address}:{port}{path}"

    def answers(self, path: str) -> bool:
        try:
            return bool(self.host.get(self.url(9080, path)))
        except OSError:
            return False

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def test_an_edge_of_one_cluster_plays_what_an_origin_of_another_has(lab, authority, clip, tmp_path):
    if not shutil.which("setpriv"):
        pytest.skip("no setpriv")
    machines = [lab.host(name) for name in ("origin", "edge", "viewer")]
    lab.join(machines[0], machines[1])
    lab.join(machines[1], machines[2])
    folders = [tmp_path / name for name in ("eu", "us", "sidecar")]
    for folder in folders:
        folder.mkdir()
    origin, edge = Pod(machines[0], folders[0], "eu", "origin"), Pod(machines[1], folders[1], "us", "edge")
    api = APIServer(authority, namespace="media")
    api.start()
    sidecar = Sidecar(folders[2], api, SERVICE="cascade-origin", DIRECTORY=str(edge.slices))
    running = []
    try:
        for pod in (origin, edge):
            pod.start()
            running.append(pod.process)
        sidecar.start()
        running.append(sidecar.process)
        eventually(lambda: origin.answers("/readyz"), 20, f"the origin is ready: {origin.log}")
        eventually(lambda: edge.answers("/healthz"), 20, f"the edge lives: {edge.log}")
        assert not edge.answers("/readyz"), "nobody is above it yet"
        api.put(mirrored("cascade-origin", "eu", origin.host.address))
        eventually(lambda: edge.answers("/readyz"), 5, f"the edge is ready: {edge.log} {sidecar.log}")
        above = [node for node in json.loads(edge.host.get(edge.url(9080, "/api/nodes"))) if node.get("kind") == "above"]
        assert [(node["name"], node["region"]) for node in above] == [(origin.name, "eu")]
        probe = str(bin_path() / "probe")
        running.append(subprocess.Popen(origin.host.command(
            probe, "publish", "--url", origin.url(8080, "/whip/show"), "--file", clip, "--loop", "--token", "publish"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        viewer = subprocess.run(machines[2].command(
            probe, "watch", "--url", edge.url(8080, "/whep/show"), "--seconds", "4", "--json"), capture_output=True, text=True, timeout=60)
        assert viewer.returncode == 0, f"{viewer.stderr} {edge.log}"
        assert json.loads(viewer.stdout.splitlines()[-1])["video"]["frames"] > 60
        edge.process.terminate()
        assert edge.process.wait(edge.grace) == 0, edge.log
    finally:
        for process in reversed(running):
            end(process)
        api.stop()
