"""deploy/helm/cascade and deploy/kubernetes: rendered by the real helm, checked object by object, and by the nodes themselves."""

import functools
import pathlib
import subprocess

import jsonschema
import pytest
import yaml

import kinds
from conftest import CHART, ROOT, TOOLS, helm, mounted, render
from nodes import bin_path

REGIONS = ROOT / "deploy/kubernetes/three-regions"
IMAGE = "image: { repository: registry.example.net/cascade, tag: '1', pullSecrets: [registry] }\n"

VALUES = {
    "smallest": "image: { repository: cascade }",
    "machines": IMAGE + """
region: eu
regions:
  - name: eu
    origins: { count: 2, url: "https://in.example.net", advertise: [203.0.113.1, 203.0.113.2] }
    edges: { count: 2, url: "https://eu.example.net", advertise: [203.0.113.1, 203.0.113.2] }
  - { name: us, hub: none, location: [39.04, -77.49], hostnames: [us.example.net], edges: { count: 1, advertise: [198.51.100.1] } }
auth: { publish: token, watch: token }
tls: { secretName: cascade-tls }
proxies: [10.0.0.0/8]
topology: { hold: 1m, on_conflict: replace, limits: { viewers: 1000000, sessions: 1000000, request_timeout: 5s }, logging: { addresses: masked } }
media: { expose: hostPort }
origin: { workers: 2, viewers: true, hostPort: 8443, nodeSelector: { role: media }, tolerations: [{ operator: Exists }] }
edge: { workers: 4, hostPort: 443, service: { type: ClusterIP } }
""",
    "balancers": IMAGE + """
region: eu
regions:
  - { name: eu, origins: { count: 1, advertise: [203.0.113.1] }, edges: { count: 2, max: 3, advertise: [203.0.113.2, 203.0.113.3, 203.0.113.4] } }
media: { expose: loadBalancer, annotations: { example.net/pool: media } }
edge: { service: { annotations: { example.net/pool: public } }, autoscaling: { enabled: true } }
networkPolicy: { internalFrom: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }] }
drainSeconds: 600
""",
    "stunner": IMAGE + """
region: us
regions:
  - { name: eu, origins: { count: 1 }, edges: { count: 1, max: 2 } }
  - { name: us, origins: { count: 0 }, edges: { count: 1, max: 4 } }
auth: { publish: open, watch: token }
listen: "::"
clusterMesh: { enabled: true, clusters: [eu, us] }
stunner: { enabled: true, annotations: { example.net/pool: turn } }
edge: { autoscaling: { enabled: true, metric: egress, target: 50M } }
podDisruptionBudget: { enabled: false }
networkPolicy: { enabled: false }
""",
}
THREE = ["eu", "us", "ap"]
# The three differ in one word; what each of them is told apart by is looked at in all.
SETS = [*VALUES, "eu"]
ALL = [*VALUES, *THREE]


def files(name: str) -> tuple[str, ...]:
    return (str(REGIONS / "values.yaml"), str(REGIONS / name / "values.yaml")) if name in THREE else ()


def arguments(name: str) -> list[str]:
    return [part for file in files(name) for part in ("--values", file)]


@functools.cache
def text(name: str) -> str:
    return render("template", "cascade", CHART, "--namespace", "media", *arguments(name), values=VALUES.get(name, ""))


@functools.cache
def rendered(name: str) -> list[dict]:
    return [thing for thing in yaml.safe_load_all(text(name)) if thing]


def of_kind(name: str, kind: str) -> list[dict]:
    return [thing for thing in rendered(name) if thing["kind"] == kind]


def pods(name: str):
    """Name of the StatefulSet, how many of it, and its pod."""
    for thing in of_kind(name, "StatefulSet"):
        yield thing["metadata"]["name"], thing["spec"].get("replicas", 1), thing["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", SETS)
def test_nothing_to_find_fault_with(name):
    done = helm("lint", "--strict", CHART, *arguments(name), values=VALUES.get(name, ""))
    said = done.stdout + done.stderr
    assert "[" not in said and "1 chart(s) linted, 0 chart(s) failed" in said, said


@pytest.mark.parametrize("name", ALL)
def test_every_object_is_what_its_definition_allows(name):
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in rendered(name)]
    assert len(set(names)) == len(names), names
    for thing in rendered(name):
        kinds.validate(thing)


@pytest.mark.parametrize("name", ["machines", "eu"])
def test_the_same_values_are_the_same_bytes(name):
    first = text(name)
    text.cache_clear()
    assert text(name) == first


@pytest.mark.parametrize("name", ALL)
def test_nodes_accept_their_command_lines_and_topology(name, authority, tmp_path):
    """`--check` of the real programs, for every pod, with what its volumes would have and nothing else."""
    secrets = {
        "cascade": {"node-secret": "n" * 40, "publish-token": "publish", "watch-token": "watch"},
        "cascade-tls": {"tls.crt": (authority / "ca.crt").read_text(), "tls.key": (authority / "ca.key").read_text()}}
    checked = []
    for set_name, replicas, pod in pods(name):
        [container] = pod["containers"]
        places = mounted(rendered(name), pod, container, tmp_path / set_name, secrets)
        [program] = container["command"]
        command = [str(bin_path() / program.removeprefix("cascade-"))]
        for argument in container["args"]:
            for path, place in places.items():
                argument = argument.replace(path, str(place))
            command.append(argument)
        scaler = [thing["spec"]["maxReplicas"] for thing in of_kind(name, "HorizontalPodAutoscaler")
                  if thing["spec"]["scaleTargetRef"]["name"] == set_name]
        for ordinal in range(scaler[0] if scaler else replicas):
            pod_name = f"{set_name}-{ordinal}"
            done = subprocess.run([*command, "--check"], env={"NODE_NAME": pod_name}, capture_output=True, text=True)
            assert done.returncode == 0, f"{pod_name}: {done.stderr}"
            checked.append(pod_name)
    assert checked


def topology(name: str) -> dict:
    [found] = [thing["data"]["topology.yaml"] for thing in of_kind(name, "ConfigMap") if "topology.yaml" in thing["data"]]
    return yaml.safe_load(found)


@pytest.mark.parametrize("name", SETS)
def test_ports_and_probes_are_the_topologys(name):
    nodes = {node["name"]: node for node in topology(name)["nodes"]}
    for set_name, _, pod in pods(name):
        [container] = pod["containers"]
        node = nodes[f"{set_name}-0"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert node["public"]["listen"].endswith(f":{ports['public']}")
        assert node["internal"]["listen"].endswith(f":{ports['internal']}")
        media = [port["containerPort"] for port in container["ports"] if port["protocol"] == "UDP"]
        assert media == list(range(node["media"]["port"], node["media"]["port"] + node["media"]["workers"]))
        for probe, path in ("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"):
            assert container[probe]["httpGet"] == {"path": path, "port": "internal"}


@pytest.mark.parametrize("name", SETS)
def test_pods_may_do_nothing_that_they_need_not(name):
    for _, _, pod in pods(name):
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod.get("initContainers", []) + pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
            assert {"requests", "limits"} <= container["resources"].keys()
            account = any("serviceaccount" in mount["mountPath"] for mount in container["volumeMounts"])
            assert account == (container["name"] == "endpointslice-sync"), "the sidecar alone asks the API"
        text_of_pod = yaml.safe_dump(pod)
        if pod["containers"][0]["name"] == "edge":
            assert "publish-token" not in text_of_pod
    [role] = of_kind(name, "Role")
    assert role["rules"] == [
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}]


@pytest.mark.parametrize("name", SETS)
def test_a_pod_has_the_time_that_its_drain_takes(name):
    deadline = int(topology(name)["drain_deadline"].removesuffix("s"))
    for _, _, pod in pods(name):
        before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        # And the five seconds that requests under way have (docs/operating.md, Shutdown).
        assert pod["terminationGracePeriodSeconds"] > before + deadline + 5


@pytest.mark.parametrize("name", SETS)
def test_what_selects_pods_selects_those_that_there_are(name):
    labels = [thing["spec"]["template"]["metadata"]["labels"] for thing in of_kind(name, "StatefulSet")]
    sets = {thing["metadata"]["name"] for thing in of_kind(name, "StatefulSet")}
    services = {thing["metadata"]["name"] for thing in of_kind(name, "Service")}
    for thing in of_kind(name, "Service"):
        selector = dict(thing["spec"]["selector"])
        selector.pop("statefulset.kubernetes.io/pod-name", None)
        headless = thing["spec"].get("clusterIP") == "None"
        # A global Service is there without pods of this cluster.
        assert headless or any(selector.items() <= each.items() for each in labels), thing
    for thing in of_kind(name, "PodDisruptionBudget"):
        assert any(thing["spec"]["selector"]["matchLabels"].items() <= each.items() for each in labels)
    for thing in of_kind(name, "HorizontalPodAutoscaler"):
        assert thing["spec"]["scaleTargetRef"]["name"] in sets
    for thing in of_kind(name, "StatefulSet"):
        assert thing["spec"]["serviceName"] in services
    for thing in of_kind(name, "UDPRoute"):
        assert {ref["name"] for rule in thing["spec"]["rules"] for ref in rule["backendRefs"]} <= services


@pytest.mark.parametrize("name", SETS)
def test_edges_follow_the_slices_of_the_origins_service(name):
    for set_name, _, pod in pods(name):
        if "edge" not in set_name:
            continue
        [sidecar] = pod["initContainers"]
        environment = {variable["name"]: variable["value"] for variable in sidecar["env"]}
        upstream = next(node for node in topology(name)["nodes"] if node["name"] == f"{set_name}-0")["upstream"]["endpoint_slices"]
        assert (environment["SERVICE"], environment["DIRECTORY"]) == (upstream["service"], upstream["directory"])
        assert upstream["service"] in {thing["metadata"]["name"] for thing in of_kind(name, "Service")}
        script = next(thing for thing in of_kind(name, "ConfigMap") if "endpointslice-sync.sh" in thing["data"])
        assert script["data"]["endpointslice-sync.sh"].rstrip() == (CHART / "files/endpointslice-sync.sh").read_text().rstrip()


@pytest.mark.parametrize("name", [name for name in SETS if name != "stunner"])
def test_the_internal_listener_is_for_nodes(name):
    policies = of_kind(name, "NetworkPolicy")
    assert len(policies) == 2
    for policy in policies:
        assert policy["spec"]["policyTypes"] == ["Ingress"]
        for rule in policy["spec"]["ingress"]:
            if "from" not in rule:
                assert 9080 not in [port["port"] for port in rule["ports"]]
            else:
                assert [port["port"] for port in rule["ports"]] == [9080] and all(rule["from"])


def test_the_three_regions_are_one_deployment():
    assert topology("eu") == topology("us") == topology("ap")
    sets = [{thing["metadata"]["name"] for thing in of_kind(name, "StatefulSet")} for name in THREE]
    assert len(set.union(*sets)) == sum(map(len, sets)), "names of nodes are one cluster's"
    services = [sorted(thing["metadata"]["name"] for thing in of_kind(name, "Service")) for name in THREE]
    assert services[0] == services[1] == services[2]
    for name in THREE:
        headless = [thing for thing in of_kind(name, "Service") if thing["spec"].get("clusterIP") == "None"]
        assert len(headless) == 2
        for thing in headless:
            assert thing["metadata"]["annotations"] == {
                "service.cilium.io/global": "true", "service.cilium.io/global-sync-endpoint-slices": "true"}


def test_the_three_clusters_do_not_share_what_is_their_own():
    seen = set()
    for name in THREE:
        k3s, cilium = (yaml.safe_load((REGIONS / name / f"{which}.yaml").read_text()) for which in ("k3s", "cilium"))
        assert k3s["flannel-backend"] == "none" and k3s["disable-kube-proxy"] and k3s["disable-network-policy"]
        assert cilium["ipam"]["operator"]["clusterPoolIPv4PodCIDRList"] == [k3s["cluster-cidr"]]
        assert cilium["cluster"]["name"] == name
        own = {k3s["cluster-cidr"], k3s["service-cidr"], k3s["node-external-ip"], cilium["cluster"]["id"]}
        assert not own & seen
        seen |= own
        region = next(region for region in yaml.safe_load((REGIONS / "values.yaml").read_text())["regions"] if region["name"] == name)
        assert region["edges"]["advertise"] == [k3s["node-external-ip"]]
    values = yaml.safe_load((REGIONS / "values.yaml").read_text())
    assert values["clusterMesh"]["clusters"] == THREE


@pytest.mark.parametrize("name", THREE)
def test_flux_gives_each_cluster_its_region(name):
    things = list(yaml.safe_load_all((REGIONS / name / "flux.yaml").read_text()))
    for thing in things:
        kinds.validate(thing)
    kustomization = next(thing for thing in things if thing["kind"] == "Kustomization")["spec"]
    assert kustomization["postBuild"]["substitute"] == {"region": name}
    built = subprocess.run(
        [TOOLS / "kubectl", "kustomize", ROOT / kustomization["path"]], capture_output=True, text=True, check=True).stdout
    things = list(yaml.safe_load_all(built.replace("${region}", name)))
    for thing in things:
        kinds.validate(thing)
    release = next(thing for thing in things if thing["kind"] == "HelmRelease")["spec"]["chart"]["spec"]
    assert (ROOT / release["chart"]).resolve() == CHART
    given = [(ROOT / file).resolve() for file in release["valuesFiles"]]
    assert given == [CHART / "values.yaml", *map(pathlib.Path, files(name))]


def test_the_issuer_is_what_cert_manager_takes():
    kinds.validate(yaml.safe_load((REGIONS / "issuer.yaml").read_text()))


@pytest.mark.parametrize("wrong, said", [
    ("drainSeconds: 60s", "at '/drainSeconds': got string, want integer"),
    ("origin: { workers: 0 }", "at '/origin/workers': minimum: got 0, want 1"),
    ("origin: { workers: two }", "at '/origin/workers': got string, want integer"),
    ("edge: { hostPort: 70000 }", "at '/edge/hostPort': maximum"),
    ("edge: { worker: 2 }", "additional properties 'worker' not allowed"),
    ("regions: { name: eu }", "at '/regions': got object, want array"),
    ("regions: [{ name: EU }]", "at '/regions/0/name': 'EU' does not match pattern"),
    ("regions: [{ name: local, location: [1] }]", "at '/regions/0/location': minItems: got 1, want 2"),
    ("regions: [{ name: local, edges: { count: many } }]", "at '/regions/0/edges/count': got string, want integer"),
    ("regions: [{ name: local, edges: { count: 1, url: example.net } }]", "at '/regions/0/edges/url'"),
    ("regions: [{ name: local, edges: { count: 1, advertise: 203.0.113.1 } }]", "got string, want array"),
    ("auth: { publish: secret }", "at '/auth/publish': value must be one of 'token', 'open'"),
    ("media: { expose: nodePort }", "at '/media/expose': value must be one of"),
    ("topology: { nodes: [] }", "additional properties 'nodes' not allowed"),
    ("topology: { hold: 30 }", "at '/topology/hold': got number, want string"),
    ("stunner: { enabled: 'yes' }", "at '/stunner/enabled': got string, want boolean"),
    ("networkPolicy: { internalFrom: [{}] }", "at '/networkPolicy/internalFrom/0': minProperties"),
    ("edge: { autoscaling: { enabled: true, target: 10 } }", "at '/edge/autoscaling/target': got number, want string"),
    # What only the whole can tell.
    ("region: nowhere", 'region: "nowhere" is none of regions (local)'),
    ("regions: [{ name: local, edges: { count: 1 } }, { name: local }]", "regions: two are called local"),
    ("image: { repository: '' }", "image.repository: where your image of Cascade is"),
    ("media: { expose: hostPort }", "origins of local need `advertise`, since media.expose is hostPort"),
    ("regions: [{ name: local, edges: { count: 2, advertise: [203.0.113.1] } }]\nmedia: { expose: loadBalancer }",
     "edges of local need 2 addresses in `advertise`, one for each pod"),
    ("edge: { autoscaling: { enabled: true } }", "edges of local need `max`, at least their count"),
    (f"regions: [{{ name: {'long' * 12}, edges: {{ count: 1 }} }}]", "longer than 52 characters"),
])
def test_wrong_values_are_refused_and_named(wrong, said):
    values = wrong if wrong.startswith("image") else f"image: {{ repository: cascade }}\n{wrong}"
    done = helm("template", "cascade", CHART, values=values, check=False)
    assert done.returncode != 0 and said in done.stderr, done.stderr or done.stdout


@pytest.mark.parametrize("name, path, value", [
    ("stunner", "UDPRoute/spec/rules/0/backendRefs/0/prot", 1),
    ("stunner", "Gateway/spec/listeners/0/port", "3478"),
    ("stunner", "GatewayClass/spec/parametersRef/nam", "x"),
    ("smallest", "StatefulSet/spec/template/spec/containers/0/livenes", {}),
])
def test_a_field_that_there_is_not_is_found(name, path, value):
    """The tables themselves: what a cluster would lose without a word."""
    kind, *steps = path.split("/")
    thing = yaml.safe_load(yaml.safe_dump(of_kind(name, kind)[0]))
    place = thing
    for step in steps[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[steps[-1]] = value
    with pytest.raises((jsonschema.ValidationError, kinds.kubernetes_validate.ValidationError)):
        kinds.validate(thing)


def test_shell_scripts_have_no_findings():
    scripts = sorted((ROOT / "deploy").rglob("*.sh"))
    assert CHART / "files/endpointslice-sync.sh" in scripts
    done = subprocess.run([TOOLS / "shellcheck", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_has_no_findings():
    done = subprocess.run([TOOLS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
