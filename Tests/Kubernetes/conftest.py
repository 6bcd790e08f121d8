"""What deploys Cascade on Kubernetes, with the real tools: `helm` and `kubectl`, and the programs' own `--check`."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(sys.executable).parent
CLIENTS = ROOT / "Tests/Clients"
sys.path.insert(0, str(CLIENTS))

# Under a name of its own: this file is a conftest, too.
specification = importlib.util.spec_from_file_location("nodes", CLIENTS / "conftest.py")
nodes = sys.modules["nodes"] = importlib.util.module_from_spec(specification)
specification.loader.exec_module(nodes)

import clips  # noqa: E402

CHART = ROOT / "deploy/helm/cascade"


def helm(*arguments, values: str = "", check: bool = True) -> subprocess.CompletedProcess:
    """`values`: YAML, after those of files that `arguments` name."""
    if values:
        arguments += ("--values", "-")
    done = subprocess.run([TOOLS / "helm", *arguments], input=values, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done


def render(*arguments, values: str = "") -> str:
    done = helm(*arguments, values=values)
    assert done.stderr == ""
    return done.stdout


def mounted(things: list[dict], pod: dict, container: dict, folder: pathlib.Path, secrets: dict[str, dict[str, str]]):
    """Folders by mount path, with the files of a container's projected volumes. `things`: what the chart makes, ConfigMaps among
    them; `secrets`: what an operator has made."""
    maps = {thing["metadata"]["name"]: thing["data"] for thing in things if thing["kind"] == "ConfigMap"}
    places = {}
    for mount in container["volumeMounts"]:
        volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        place = places[mount["mountPath"]] = folder / mount["name"]
        place.mkdir(parents=True, exist_ok=True)
        for source in volume.get("projected", {}).get("sources", []):
            [(kind, its)] = source.items()
            data = (maps if kind == "configMap" else secrets)[its["name"]]
            for item in its.get("items", [{"key": key, "path": key} for key in data]):
                path = place / item["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(data[item["key"]])
    return places


@pytest.fixture
def lab(tmp_path):
    from lab import Lab, why_not

    if reason := why_not():
        pytest.skip(reason)
    lab = Lab(tmp_path)
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> pathlib.Path:
    return clips.picture(tmp_path_factory.mktemp("clips") / "clip.ivf", "160x90", 1, "200k")


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> pathlib.Path:
    """A folder with `ca.crt`, which has signed itself for 127.0.0.1 and ::1, and its key."""
    folder = tmp_path_factory.mktemp("authority")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1",
         "-keyout", folder / "ca.key", "-out", folder / "ca.crt"], check=True, capture_output=True)
    return folder
