"""The pytest plugin: an isolated Salesforce org per test.

``simorg_org`` is a fresh org for one test; ``simorg_server`` the server it is on, one per session
(with pytest-xdist, per worker). Nothing of simorg is loaded before a test asks for one of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simorg.testing.org import Org
    from simorg.testing.server import Simorg

_MARKER = (
    "simorg(org=None, edition=None, name=None): the org of `simorg_org`: a definition file"
    " (beside the test's file, or below the root), its edition, its name"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "simorg_url", "a running server for the tests, instead of one in process", default=""
    )
    parser.addini("simorg_org", "definition file of `simorg_org`, below the root", default="")
    parser.addini("simorg_edition", "edition of `simorg_org`", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    _import_simorg_as_it_is(config)


def _import_simorg_as_it_is(config: pytest.Config) -> None:
    """pytest rewrites the assertions of whatever package a plugin comes from: here a whole server,
    imported late and in many threads, which costs time, and on Python 3.11 parsing in several
    threads at once can fail (https://github.com/python/cpython/issues/106905)."""
    hook = getattr(config.pluginmanager, "rewrite_hook", None)
    marked = getattr(hook, "_must_rewrite", None)
    if marked is not None:
        marked.discard("simorg")
        getattr(hook, "_marked_for_rewrite_cache", {}).clear()


def pytest_report_header(config: pytest.Config) -> list[str]:
    url = _url(config)
    return [f"simorg: {url}"] if url else []


def _url(config: pytest.Config) -> str:
    return os.environ.get("SIMORG_URL") or str(config.getini("simorg_url"))


@pytest.fixture(scope="session")
def simorg_server(pytestconfig: pytest.Config) -> Iterator[Simorg]:
    """The server: the one of ``SIMORG_URL`` or ``simorg_url``, else in this process on free ports.

    ``SIMORG_CONTROL_TOKEN`` and ``SIMORG_CA`` go with the first.
    """
    import simorg.testing

    url = _url(pytestconfig)
    if url:
        server = simorg.testing.connect(
            url,
            control_token=os.environ.get("SIMORG_CONTROL_TOKEN"),
            ca=os.environ.get("SIMORG_CA"),
        )
    else:
        server = simorg.testing.start()
    with server:
        yield server


@pytest.fixture
def simorg_org(request: pytest.FixtureRequest, simorg_server: Simorg) -> Iterator[Org]:
    """A fresh org for this test, deleted after it. ``@pytest.mark.simorg`` chooses which."""
    with simorg_server.create(**_wanted(request)) as org:
        yield org


def _wanted(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Arguments of ``Simorg.create``: the nearest marker's before the configuration's."""
    config = request.config
    found: dict[str, Any] = {}
    if path := str(config.getini("simorg_org")):
        found["org"] = config.rootpath / path
    if edition := str(config.getini("simorg_edition")):
        found["edition"] = edition
    for marker in reversed(list(request.node.iter_markers("simorg"))):
        if marker.args or marker.kwargs.keys() - {"org", "edition", "name"}:
            raise pytest.UsageError("the marker is simorg(org=..., edition=..., name=...)")
        found.update(marker.kwargs)
        if isinstance(org := marker.kwargs.get("org"), (str, Path)) and "\n" not in str(org):
            beside = request.path.parent / org
            found["org"] = beside if beside.exists() else config.rootpath / org
    file = found.get("org")
    if isinstance(file, Path) and not file.exists():
        raise pytest.UsageError(
            f"there is no org definition {file.name}: not beside the test, not as {file}"
        )
    return found
