"""Faults: calls that fail on purpose, as Salesforce and its networks fail.

``Faults`` stands between a request and its surface. Faults are asked in the order they were set;
the first whose turn it is answers, and later ones do not see that call (one that only delays or
throttles lets them see it). docs/faults.md.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from simorg.errors import MalformedId, RecordError
from simorg.org import ids
from simorg.org.caller import STRIKE
from simorg.traffic.exchange import Exchange
from simorg.traffic.fault_book import Book, Fault, LocalBook, SharedBook
from simorg.traffic.fault_codes import ERROR_ID, SAVES
from simorg.traffic.fault_names import fits

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue
    from simorg.traffic.fault_answers import Words
    from simorg.traffic.fault_rules import Match, Rule
    from simorg.traffic.identity import Identity

#: what a refusal of one record is: its place in the call and its id, if it has one
Strike = Callable[[int, "str | None"], "RecordError | None"]

_ORG_IN_TOKEN = re.compile(rb"(?:5Aep|aPrx)(00D[A-Za-z0-9]{12})")
_OBJECT_IN_PATH = re.compile(r"/(?:sobjects|tree)/([A-Za-z]\w*)")
_OBJECT_IN_BODY = re.compile(rb'(?:"type"\s*:\s*"|<(?:[\w.-]+:)?type(?:\s[^>]*)?>\s*)([A-Za-z]\w*)')
_OBJECT_IN_SOQL = re.compile(r"\bfrom\s+([A-Za-z]\w*)", re.I)


class Faults:
    """The faults of a server; an interceptor of its traffic."""

    def __init__(self, catalogue: OrgCatalogue, book: Book) -> None:
        self._catalogue = catalogue
        self.book = book
        #: how surfaces word errors; the server hands it in, since surfaces are above this
        self.words: Words | None = None
        self._stopping = threading.Event()

    def intercept(self, exchange: Exchange, app: WSGIApplication) -> WSGIApplication:
        """``app``, or what answers in its place."""
        armed = self.book.armed
        return self._considered(armed, exchange, app) if armed else app

    def _considered(
        self, armed: Iterable[Fault], exchange: Exchange, app: WSGIApplication
    ) -> WSGIApplication:
        asked = _Asked(self._catalogue, exchange.environ)
        if asked.untouchable:
            return app
        passing: list[tuple[Fault, int]] = []
        for fault in armed:
            if not asked.fits(fault.rule):
                continue
            taken = self.book.take(fault)
            if taken is None or not taken.hit:
                continue
            passing.append((fault, taken.call))
            if not _lets_through(fault.rule):
                break
        for fault, call in reversed(passing):
            app = self._struck(fault.rule, call, asked, app)
        if passing:
            exchange.notes["fault"] = passing[-1][0].id
        return app

    def _struck(
        self, rule: Rule, call: int, asked: _Asked, app: WSGIApplication
    ) -> WSGIApplication:
        from simorg.traffic import fault_answers

        answer, replacement = rule.answer, None
        if answer.error is not None:
            if _by_record(rule, asked):
                asked.environ[STRIKE] = _strike(rule)
            else:
                replacement = self._error(rule, asked.surface)
        elif answer.status is not None:
            replacement = fault_answers.plain(answer)
        return fault_answers.Struck(
            app, answer, replacement, delay=answer.wait(call), stopping=self._stopping
        )

    def _error(self, rule: Rule, surface: str) -> WSGIApplication:
        from simorg.traffic.fault_answers import Told
        from simorg.traffic.fault_rules import known

        answer, words = rule.answer, self.words
        if words is None:
            raise RuntimeError("nobody told the faults how to word an error")
        code = known(answer)
        told = Told(
            code,
            _message(rule, surface),
            answer.status,
            tuple(answer.fields or ()),
            tuple((answer.headers or {}).items()),
        )
        return lambda environ, start_response: words(environ, start_response, surface, told)

    # -- what the control API does ---------------------------------------------------------------

    def add(self, rules: Iterable[Rule]) -> list[Fault]:
        """Set faults: all of them, or none."""
        return self.book.add(rules)

    def all(self, org: str | None = None) -> list[Fault]:
        """With their counts, in the order they were set; those of one org."""
        found = self.book.all()
        return [f for f in found if org is None or f.rule.match.org == org]

    def get(self, id: str) -> Fault | None:
        return next((fault for fault in self.book.all() if fault.id == id), None)

    def remove(self, id: str) -> bool:
        """Whether it was there."""
        return self.book.remove([id]) == 1

    def clear(self, org: str | None = None) -> int:
        """Remove all, or one org's; how many there were."""
        gone = [fault.id for fault in self.all(org)]
        return self.book.remove(gone) if gone else 0

    def stop(self) -> None:
        """The server stops: whoever waits is let go at once."""
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        self.book.close()


def faults(catalogue: OrgCatalogue, config: ServerConfig, folder: Path | None) -> Faults:
    """The faults of a server: in memory, or in its folder for all its worker processes."""
    shared = config.workers > 1 and folder is not None
    return Faults(catalogue, SharedBook(folder) if shared and folder else LocalBook())


class _Asked:
    """A request as faults see it; names and sender are told once, and only if one needs them."""

    def __init__(self, catalogue: OrgCatalogue, environ: WSGIEnvironment) -> None:
        from simorg.traffic import names

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
        from simorg.traffic.body import head_of

        return head_of(self.environ)

    @property
    def operation(self) -> str:
        from simorg.traffic.names import operation_of

        if self._operation is None:
            body = self._body if self.surface in ("soap", "metadata") else b""
            self._operation = operation_of(self.environ, body)
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
        if rule.answer.records is not None and self.operation not in SAVES:
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


def _lets_through(rule: Rule) -> bool:
    """Whether the real answer follows, and with it the faults set later."""
    answer = rule.answer
    return not answer.replaces and answer.truncate is None and not answer.malformed


def _by_record(rule: Rule, asked: _Asked) -> bool:
    """Whether records carry the error: told so, or one that Salesforce reports by record."""
    answer, code = rule.answer, rule.code
    if answer.records is not None:
        return True
    whole = answer.status is not None or answer.handled or bool(answer.headers)
    return code is not None and code.record and not whole and asked.operation in SAVES


def _strike(rule: Rule) -> Strike:
    """Which records of the call are refused, and with what."""
    from simorg.traffic.fault_rules import Every, known

    answer, code = rule.answer, known(rule.answer)
    chosen, message = answer.records, _message(rule, "rest")
    listed = frozenset(chosen) if isinstance(chosen, list) else None
    every = chosen.every if isinstance(chosen, Every) else 1
    fields = tuple(answer.fields or ())
    names_record = code.code == "UNABLE_TO_LOCK_ROW" and answer.message is None

    def strike(index: int, id: str | None) -> RecordError | None:
        if index not in listed if listed is not None else (index + 1) % every:
            return None
        text = f"{message} or 1 records: {id}" if names_record and id else message
        return RecordError(code.code, text, fields)

    return strike


def _message(rule: Rule, surface: str) -> str:
    from simorg.traffic.fault_rules import known

    code, answer = known(rule.answer), rule.answer
    if answer.message is not None:
        return answer.message
    if surface in ("soap", "metadata") and code.soap_message is not None:
        return code.soap_message
    message = code.message or ""
    if code.code == "UNKNOWN_EXCEPTION" and surface in ("rest", "bulk"):
        ticket = f"{secrets.randbelow(10**9)}-{secrets.randbelow(10**5)}"
        return ERROR_ID.format(message=message, ticket=ticket)
    return message


def told(found: Iterable[Fault]) -> dict[str, Any]:
    """``{faults: [...]}`` as the control API answers."""
    return {"faults": [fault.told() for fault in found]}
