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


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> pathlib.Path:
    """A folder with `ca.crt`, which has signed itself for 127.0.0.1 and ::1, and its key."""
    folder = tmp_path_factory.mktemp("authority")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1",
         "-keyout", folder / "ca.key", "-out", folder / "ca.crt"], check=True, capture_output=True)
    return folder
