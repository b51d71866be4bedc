"""Faults: calls that fail on purpose, as Salesforce and its networks fail.

``Faults`` stands between a request and its surface. Faults are asked in the order they were set;
the first whose turn it is answers, and later ones do not see that call (one that only delays or
throttles lets them see it). docs/faults.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from simorg.org.caller import STRIKE
from simorg.traffic.exchange import FAULT, Exchange
from simorg.traffic.fault_book import Book, Fault, LocalBook, SharedBook

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue
    from simorg.traffic.fault_answers import Words
    from simorg.traffic.fault_asked import Asked
    from simorg.traffic.fault_rules import Rule


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
        from simorg.traffic.fault_asked import Asked

        asked = Asked(self._catalogue, exchange.environ)
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
            exchange.notes[FAULT] = passing[-1][0].id
        return app

    def _struck(self, rule: Rule, call: int, asked: Asked, app: WSGIApplication) -> WSGIApplication:
        from simorg.traffic import fault_answers, fault_errors

        answer, replacement = rule.answer, None
        if answer.error is not None:
            if fault_errors.by_record(rule, asked.operation):
                asked.environ[STRIKE] = fault_errors.RecordStrike(rule)
            else:
                replacement = self._error(rule, asked.surface)
        elif answer.status is not None:
            replacement = fault_answers.plain(answer)
        return fault_answers.Struck(
            app, answer, replacement, delay=answer.wait(call), stopping=self._stopping
        )

    def _error(self, rule: Rule, surface: str) -> WSGIApplication:
        from simorg.traffic.fault_answers import Told
        from simorg.traffic.fault_errors import message
        from simorg.traffic.fault_rules import known

        answer, words = rule.answer, self.words
        if words is None:
            raise RuntimeError("nobody told the faults how to word an error")
        code = known(answer)
        told = Told(
            code,
            message(rule, surface),
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


def _lets_through(rule: Rule) -> bool:
    """Whether the real answer follows, and with it the faults set later."""
    answer = rule.answer
    return not answer.replaces and answer.truncate is None and not answer.malformed
