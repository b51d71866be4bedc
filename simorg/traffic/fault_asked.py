"""A request as faults see it: told once, and only what one of them needs to know."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.traffic import names
from simorg.traffic.body import head_of
from simorg.traffic.fault_codes import BY_RECORD, SAVES
from simorg.traffic.fault_names import fits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue
    from simorg.traffic.fault_rules import Match, Rule
    from simorg.traffic.identity import Identity

_ORG_IN_TOKEN = re.compile(rb"(?:5Aep|aPrx)(00D[A-Za-z0-9]{12})")
_OBJECT_IN_PATH = re.compile(r"/(?:sobjects|tree)/([A-Za-z]\w*)")
_OBJECT_IN_BODY = re.compile(rb'(?:"type"\s*:\s*"|<(?:[\w.-]+:)?type(?:\s[^>]*)?>\s*)([A-Za-z]\w*)')
_OBJECT_IN_SOQL = re.compile(r"\bfrom\s+([A-Za-z]\w*)", re.I)


class Asked:
    """One request."""

    def __init__(self, catalogue: OrgCatalogue, environ: WSGIEnvironment) -> None:
        self._catalogue = catalogue
        self.environ = environ
        self.path = names.path_of(environ)
        self.surface = names.surface_of_path(self.path)
        self._operation: str | None = None
        self._identity: Identity | None = None
        self._objects: frozenset[str] | None = None

    @property
    def untouchable(self) -> bool:
        """Whoever set a fault can always take it back."""
        return self.surface == "control" and self.path.startswith("/_simorg/faults")

    @property
    def _body(self) -> bytes:
        return head_of(self.environ)

    @property
    def operation(self) -> str:
        if self._operation is None:
            body = self._body if self.surface in ("soap", "metadata") else b""
            self._operation = names.operation_of(self.environ, body)
        return self._operation

    @property
    def identity(self) -> Identity:
        from simorg.traffic.identity import identify

        if self._identity is None:
            body = self._body if self.surface in ("soap", "metadata", "oauth") else b""
            self._identity = identify(self._catalogue, self.environ, body)
        return self._identity

    @property
    def objects(self) -> frozenset[str]:
        """sObject types that the path, a query or the body's beginning names, in lower case."""
        if self._objects is None:
            text = unquote_plus(self.environ.get("QUERY_STRING", ""))
            found = {*_OBJECT_IN_PATH.findall(self.path), *_OBJECT_IN_SOQL.findall(text)}
            body = self._body if self.surface in ("rest", "soap", "bulk") else b""
            found.update(name.decode() for name in _OBJECT_IN_BODY.findall(body))
            if self.surface == "soap":
                found.update(_OBJECT_IN_SOQL.findall(body.decode("utf-8", "replace")))
            self._objects = frozenset(name.lower() for name in found)
        return self._objects

    def fits(self, rule: Rule) -> bool:
        """Whether the request is one of those a fault is for, cheapest questions first."""
        match = rule.match
        return (
            self._fits_place(match)
            and self._fits_usual_place(rule)
            and (match.operation is None or fits(match.operation, self.operation))
            and (match.object is None or match.object.lower() in self.objects)
            and self._fits_sender(match)
        )

    def _fits_place(self, match: Match) -> bool:
        if match.surface is None:
            if self.surface == "control":
                return False
        elif match.surface != self.surface:
            return False
        method = self.environ.get("REQUEST_METHOD", "GET")
        if match.method is not None and match.method.upper() != method:
            return False
        return match.path is None or fnmatchcase(self.path, match.path)

    def _fits_usual_place(self, rule: Rule) -> bool:
        """An error that names no place occurs where Salesforce has it."""
        code, match = rule.code, rule.match
        saves = SAVES if match.operation is None else BY_RECORD
        if rule.answer.records is not None and self.operation not in saves:
            return False
        if code is None or match.path is not None:
            return True
        if match.surface is None and self.surface not in code.surfaces:
            return False
        free = match.operation is not None or match.surface is not None
        return free or not code.operations or self.operation in code.operations

    def _fits_sender(self, match: Match) -> bool:
        if match.org is None and match.user is None and match.app is None:
            return True
        sender = self.identity
        if match.org is not None and match.org != (sender.org_id or self._org(match.org)):
            return False
        if match.app is not None and match.app.lower() != (sender.app or "").lower():
            return False
        if match.user is None:
            return True
        wanted, known = match.user.lower(), (sender.username or "").lower()
        return known == wanted or ("@" not in wanted and known.partition("@")[0] == wanted)

    def _org(self, wanted: str) -> str | None:
        """The org that a refresh token, a code or a My Domain host names, if nobody else does."""
        if self.surface == "oauth":
            text = self._body + self.environ.get("QUERY_STRING", "").encode()
            for found in _ORG_IN_TOKEN.findall(text):
                try:
                    return ids.normalise(found.decode())
                except MalformedId:
                    continue
        org = self._catalogue.get(wanted)
        host: str = self.environ.get("HTTP_HOST", "").lower()
        return wanted if org is not None and host.startswith(f"{org.my_domain.lower()}.") else None
