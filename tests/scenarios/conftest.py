"""Scenarios against a server in this process, on the database under test."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from simorg.scenarios import reference
from simorg.scenarios.catalogue import shipped
from simorg.scenarios.clients import FunctionClient, Main
from simorg.scenarios.parse import ScenarioFile, parse
from tests.clients.conftest import node as node  # jsforce, or a skip
from tests.servers import server_fixture

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "examples" / "check"
SHIPPED = {file.scenario.name: file for file in shipped()}
REFERENCE = FunctionClient(reference.main, "reference")


server = server_fixture("package")


def adapter(name: str) -> FunctionClient:
    """A client of ``examples/check``, in this process."""
    spec = importlib.util.spec_from_file_location(name, ADAPTERS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Main = module.main
    return FunctionClient(main, name)


def scenario(text: str, head: str = "") -> ScenarioFile:
    """A scenario of our own: its runs, below a head that is not the point."""
    start = "name: mine\ntitle: Mine\ntrouble: none\ncorrect: anything\n"
    return parse(f"{start}{head}{text}", "mine.yaml")
