"""A battlefield: a host with a node, and others that are joined to it by fast cables, each with addresses of its own. The
node's processes and well-behaved clients are those of `Tests/Clients`."""

import importlib.util
import pathlib
import sys

import pytest

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "Clients"
sys.path.insert(0, str(CLIENTS))

# Under a name of its own: this file is a conftest, too.
specification = importlib.util.spec_from_file_location("nodes", CLIENTS / "conftest.py")
nodes = sys.modules["nodes"] = importlib.util.module_from_spec(specification)
specification.loader.exec_module(nodes)

import clips  # noqa: E402
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
    """Three seconds of a small moving picture."""
    return clips.picture(tmp_path_factory.mktemp("clips") / "clip.ivf", "320x180", 3, "300k")


@pytest.fixture(scope="session")
def tone(tmp_path_factory) -> pathlib.Path:
    return clips.tone(tmp_path_factory.mktemp("clips") / "tone.ogg", "32k")
