"""A battlefield: a host with a node, and others that are joined to it by fast cables, each with addresses of its own. The
node's processes and well-behaved clients are those of `Tests/Clients`."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "Clients"
sys.path.insert(0, str(CLIENTS))

# Under a name of its own: this file is a conftest, too.
specification = importlib.util.spec_from_file_location("nodes", CLIENTS / "conftest.py")
nodes = sys.modules["nodes"] = importlib.util.module_from_spec(specification)
specification.loader.exec_module(nodes)

from field import Field, why_not  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "cheap: some seconds at most; part of `make test`")


@pytest.fixture
def field(tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    field = Field(tmp_path)
    yield field
    field.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> pathlib.Path:
    """Three seconds of a small moving picture, 30 fps, a keyframe every second: about 300 kbit/s."""
    path = tmp_path_factory.mktemp("clips") / "clip.ivf"
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30",
         "-t", "3", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", "-g", "30", path],
        check=True)
    return path


@pytest.fixture(scope="session")
def tone(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("clips") / "tone.ogg"
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "sine=440:sample_rate=48000",
         "-t", "10", "-c:a", "libopus", "-b:a", "32k", "-ac", "2", path], check=True)
    return path
