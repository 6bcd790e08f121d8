"""What `probe topology render` writes is read by the programs it is for."""

import shutil
import subprocess

import hcl2
import pytest
import yaml
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from conftest import bin_path

TOPOLOGY = """
version: 1
auth: { publish: open, watch: open, node: open }
dns:
  zone: example.net
  name: live.example.net
  publish: in.example.net
  name_servers: [{ name: ns1.example.net, addresses: [192.0.2.53] }, { name: ns2.example.net, addresses: [192.0.2.54] }]
regions:
  - { name: eu, location: [50.11, 8.68], clients: { networks: [10.1.0.0/16] } }
  - { name: us, location: [39.04, -77.49], clients: { networks: [10.2.0.0/16] } }
nodes:
"""
NODE = """
  - name: {name}
    role: {role}
    region: {region}
    public: {{ listen: "0.0.0.0:443", url: "https://{name}.example.net", addresses: [{addresses}],
              tls: {{ certificate: c, key: k }} }}
    internal: {{ listen: "10.0.0.{last}:9080" }}
"""
TARGETS = ["gdnsd", "route53", "azure-tm", "coredns", "prometheus", "systemd", "compose"]


def node(name: str, role: str, region: str, last: int) -> str:
    text = NODE.format(
        name=name, role=role, region=region, last=last, addresses=f'192.0.2.{last}, "2001:db8::{last}"')
    return text + ("    upstream: { static: [origin-1] }\n" if role == "edge" else "")


@pytest.fixture
def render(tmp_path):
    """The folder with what is rendered for a target."""
    topology = tmp_path / "topology.yaml"
    topology.write_text(TOPOLOGY + node("origin-1", "origin", "eu", 10) + "".join(
        node(name, "edge", name[5:7], 11 + i) for i, name in enumerate(["edge-eu-1", "edge-eu-2", "edge-us-1"])))

    def run(target: str, *arguments: str):
        folder = tmp_path / target
        subprocess.run(
            [bin_path() / "probe", "topology", "render", topology, "--target", target, "--out", folder, *arguments],
            check=True, capture_output=True, text=True)
        return folder

    return run


@pytest.mark.parametrize("target", TARGETS)
def test_rendering_twice_gives_the_same_bytes(render, target):
    first = {path: path.read_bytes() for path in render(target).rglob("*") if path.is_file()}
    assert first and all(b"Rendered by `probe topology render" in text.split(b"\n")[0] for text in first.values())
    shutil.rmtree(next(iter(first)).parents[0])
    assert {path: path.read_bytes() for path in render(target).rglob("*") if path.is_file()} == first
    render(target, "--verify")


def test_verify_names_what_is_stale(render):
    folder = render("compose")
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "old.yaml").write_text("")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        render("compose", "--verify")
    assert failure.value.returncode == 1
    assert failure.value.stderr.splitlines() == [f"stale: {folder}/compose.yaml", f"foreign: {folder}/old.yaml"]


def test_gdnsd_takes_it(render):
    check = subprocess.run(
        ["/usr/sbin/gdnsd", "-S", "-c", render("gdnsd"), "checkconf"], capture_output=True, text=True)
    assert check.returncode == 0 and "error" not in check.stderr, check.stderr


# Network, continent, country, latitude, longitude.
EARTH = [
    ("10.4.0.0/16", "EU", "DE", 52.5, 13.4), ("10.5.0.0/16", "NA", "US", 37.4, -122.1), ("10.6.0.0/16", "NA", "US", 40.7, -74.0),
    ("10.7.0.0/16", "NA", "GL", 64.2, -51.7),
]


def database(path, kind: str):
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=f"GeoLite2-{kind}", float_type="f64")
    for network, continent, country, latitude, longitude in EARTH:
        place = {"continent": {"code": continent}, "country": {"iso_code": country}}
        if kind == "City":
            place["location"] = {"latitude": latitude, "longitude": longitude}
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(path))


@pytest.mark.parametrize("kind, places, expected", [
    # By distance.
    ("City", {}, {"10.4.0.1": "eu", "10.5.0.1": "us", "10.6.0.1": "us", "10.7.0.1": "us"}),
    ("Country", {"eu": "EU, NA/GL", "us": "NA"}, {"10.4.0.1": "eu", "10.5.0.1": "us", "10.7.0.1": "eu"}),
])
def test_gdnsd_finds_the_region_in_a_database(render, tmp_path, kind, places, expected):
    database(tmp_path / "geo.mmdb", kind)
    topology = (tmp_path / "topology.yaml").read_text().replace("  zone:", f"  geoip2: {tmp_path}/geo.mmdb\n  zone:")
    for region, codes in places.items():
        head, networks = f"name: {region}, location", "clients: { networks:"
        before, after = topology.split(head)
        topology = before + head + after.replace(networks, f"clients: {{ places: [{codes}], networks:", 1)
    (tmp_path / "topology.yaml").write_text(topology)
    folder = render("gdnsd")

    def region(address: str) -> str:
        shown = subprocess.run(
            ["gdnsd_geoip_test", "-c", folder, "viewers", address], check=True, capture_output=True, text=True).stdout
        return shown.splitlines()[-1].split("=>")[-1].split(",")[0].strip()

    assert {address: region(address) for address in expected} == expected
    # What the topology says of a network wins.
    assert (region("10.1.0.1"), region("10.2.0.1")) == ("eu", "us")


def blocks(folder, kind: str) -> dict:
    """Of all Terraform files: bodies by type and name."""
    found = {}
    for path in folder.glob("*.tf"):
        for block in hcl2.loads(path.read_text()).get(kind, []):
            for name, body in block.items():
                for inner, fields in (body.items() if kind == "resource" else [("", body)]):
                    found[(name.strip('"'), inner.strip('"'))] = fields
    return found


def references(value) -> list[str]:
    if isinstance(value, dict):
        return [r for v in value.values() for r in references(v)]
    if isinstance(value, list):
        return [r for v in value for r in references(v)]
    if isinstance(value, str) and value.startswith("${"):
        return [value[2:-1]]
    return []


@pytest.mark.parametrize("target, kinds", [
    ("route53", {"aws_route53_health_check": 8, "aws_route53_record": 8 + 6 + 8}),
    ("azure-tm", {"azurerm_traffic_manager_profile": 5, "azurerm_traffic_manager_nested_endpoint": 3,
                  "azurerm_traffic_manager_external_endpoint": 8}),
])
def test_terraform_reads_it_and_every_reference_leads_somewhere(render, target, kinds):
    resources = blocks(render(target), "resource")
    counted = {kind: sum(1 for found, _ in resources if found == kind) for kind in kinds}
    assert counted == kinds
    known = {f"{kind}.{name}" for kind, name in resources}
    used = {".".join(r.split(".")[:2]) for body in resources.values() for r in references(body)
            if not r.startswith(("data.", "var."))}
    assert used and used <= known


@pytest.mark.skipif(not shutil.which("terraform"), reason="no terraform")
@pytest.mark.parametrize("target", ["route53", "azure-tm"])
def test_terraform_would_not_lay_it_out_otherwise(render, target):
    check = subprocess.run(["terraform", "fmt", "-check", "-diff", render(target)], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout


def test_prometheus_and_compose_are_yaml(render):
    jobs = yaml.safe_load((render("prometheus") / "prometheus.yml").read_text())["scrape_configs"]
    assert [t["labels"]["node"] for t in jobs[0]["static_configs"]] == ["origin-1", "edge-eu-1", "edge-eu-2", "edge-us-1"]
    rules = yaml.safe_load((render("prometheus") / "cascade.rules.yml").read_text())["groups"][0]["rules"]
    assert all({"alert", "expr", "for", "labels", "annotations"} == set(rule) for rule in rules)
    services = yaml.safe_load((render("compose") / "compose.yaml").read_text())["services"]
    assert services["edge-us-1"]["cap_drop"] == ["ALL"] and services["edge-us-1"]["cap_add"] == ["NET_BIND_SERVICE"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
def test_prometheus_takes_it(render):
    check = subprocess.run(
        ["promtool", "check", "config", render("prometheus") / "prometheus.yml"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_takes_it(render):
    """The programs themselves are elsewhere here."""
    for unit in render("systemd").glob("*.service"):
        unit.write_text(unit.read_text().replace("/usr/local/bin/cascade-", f"{bin_path()}/"))
        check = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        assert check.returncode == 0 and not check.stderr, check.stderr
