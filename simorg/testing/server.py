"""A server, in this process or elsewhere, through its control API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import urlencode

from simorg.testing.errors import ControlRefused, SimorgError
from simorg.testing.faults import Fault, FaultOptions, Faults
from simorg.testing.org import Org
from simorg.testing.requests import Requests
from simorg.testing.transport import Transport

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Simorg:
    """One server. Made by ``start()`` or ``connect()``; a context manager, closed at its end.

    ``http``, ``https``, ``proxy``: URLs of its listeners (None where there is none). ``ca``: the
    file that its clients trust.
    """

    def __init__(
        self,
        url: str,
        *,
        control_token: str | None = None,
        ca: str | Path | None = None,
        app: WSGIApplication | None = None,
    ) -> None:
        """``app``: of a server in this process."""
        self.transport = Transport(url, control_token=control_token, ca=ca)
        if app is not None:
            from simorg.testing.local import Local

            self.transport.nearby = Local(app, self.transport.url)
        self.url = self.transport.url
        self._closing: list[Callable[[], object]] = []
        self._ca: str | None = str(ca) if ca else None
        try:
            self._health: dict[str, Any] = self.transport.control("GET", "health")
            self._places: dict[str, Any] = self._org_data("default")["urls"]
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> str:
        """simorg's version over there."""
        return str(self._health["version"])

    @property
    def http(self) -> str | None:
        found: str | None = self._places["http"]
        return found

    @property
    def https(self) -> str | None:
        found: str | None = self._places["https"]
        return found

    @property
    def proxy(self) -> str | None:
        """The CONNECT proxy for clients with hard-coded hosts."""
        found: str | None = self._places["proxy"]
        return found

    @property
    def ca(self) -> str:
        """Path of the local CA's certificate; fetched if the server's files are not ours."""
        if self._ca is None:
            pem: str = self.transport.control("GET", "ca.pem")
            there = Path(self._health["ca"])
            try:
                shared = there.read_text() == pem
            except OSError:
                shared = False
            self._ca = str(there) if shared else self._keep(pem)
        return self._ca

    def _keep(self, pem: str) -> str:
        descriptor, name = tempfile.mkstemp(prefix="simorg-ca-", suffix=".pem")
        with os.fdopen(descriptor, "w") as file:
            file.write(pem)
        self.on_close(lambda: Path(name).unlink(missing_ok=True))
        return name

    def create(
        self,
        org: str | Path | Mapping[str, Any] | None = None,
        *,
        edition: str | None = None,
        name: str | None = None,
        snapshot: str | Path | None = None,
    ) -> Org:
        """A fresh org: a copy of the server's default one, or of a definition.

        ``org``: a path of a YAML file, YAML text (it has a line end), or the definition as a
        mapping. ``snapshot``: a file of ``Org.save()`` instead. ``Org.drop()`` deletes it, as
        does the end of a ``with`` block.
        """
        if snapshot is not None:
            if org is not None:
                raise TypeError("an org is made of a definition or of a snapshot, not of both")
            told = {"name": name, "edition": edition, "sessions": "false"}
            query = urlencode({key: value for key, value in told.items() if value is not None})
            made = self.transport.control("POST", f"orgs?{query}", Path(snapshot).read_bytes())
            return Org(self, made)
        asked: dict[str, Any] = {"name": name, "edition": edition, "definition": _definition(org)}
        asked |= {"sessions": False, "connectedApps": False}  # nobody may need them
        given = {key: value for key, value in asked.items() if value is not None}
        try:
            return Org(self, self.transport.control("POST", "orgs", given))
        except ControlRefused as refused:
            raise _by_file(refused, org) from None

    def org(self, id: str) -> Org:
        """An org that is there."""
        return Org(self, self._org_data(id))

    @property
    def default_org(self) -> Org:
        """The org of the server's first definition. Shared by all who use the server."""
        return self.org("default")

    def orgs(self) -> list[Org]:
        """All orgs, the default org first."""
        told = self.transport.control("GET", "orgs")["orgs"]
        return [self.org(one["id"]) for one in told]

    @cached_property
    def requests(self) -> Requests:
        """The journal: what all orgs were asked and answered, secrets redacted."""
        return Requests(self.transport)

    @cached_property
    def faults(self) -> Faults:
        """Calls that fail on purpose, whatever org they are for: list them, clear them."""
        return Faults(self.transport)

    def fail_next(self, what: str | int | None = None, **options: Unpack[FaultOptions]) -> Fault:
        """As ``Org.fail_next``, for the next call of any org."""
        return self.faults.fail_next(what, **options)

    def _org_data(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.transport.control("GET", f"orgs/{id}")
        return found

    def on_close(self, action: Callable[[], object]) -> None:
        """Have something done when this is closed; the last one first."""
        self._closing.append(action)

    def close(self) -> None:
        """Close the connections, and the server if ``start()`` made it."""
        self.transport.close()
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Simorg:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _definition(org: str | Path | Mapping[str, Any] | None) -> str | dict[str, Any] | None:
    if org is None:
        return None
    if isinstance(org, Mapping):
        return dict(org)
    if not isinstance(org, (str, Path)):
        raise TypeError(f"an org definition is a path, YAML text or a mapping, not {org!r}")
    if "\n" in str(org):
        return str(org)
    text = Path(org).read_text("utf-8")
    return _self_contained(text, str(org)) if "extends" in text else text


def _self_contained(text: str, file: str) -> str:
    from simorg.org.seeds.extending import self_contained
    from simorg.org.seeds.source import SeedError

    try:
        return self_contained(text, file)
    except SeedError as error:
        raise SimorgError(str(error)) from None


def _by_file(refused: ControlRefused, org: str | Path | Mapping[str, Any] | None) -> ControlRefused:
    """The refusal of a definition, by the lines of its file: the server tells those of the text."""
    if refused.path != "definition" or isinstance(org, Mapping) or org is None or "\n" in str(org):
        return refused
    from simorg.testing.definitions import complaints

    told = complaints(org)
    return (
        refused
        if told is None
        else ControlRefused(refused.status, refused.code, told, "definition")
    )
