"""REST hot paths in process, without sockets: ``python -m benchmarks.rest_micro``.

Processor time, not the clock's, so that a busy machine changes little. The bare route's cost has
no server in it here, so these ratios are harder than the budgets'.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response
from werkzeug.test import EnvironBuilder

from simorg.access import behaviour
from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.rest import Application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROWS = 2_000
FIELDS = "Id, Name, Phone, BillingCity, Industry, NumberOfEmployees, CreatedDate, IsDeleted"


def median(work: Callable[[], object], *, times: int) -> float:
    """Median processor seconds of one call."""
    for _ in range(20):
        work()
    taken = []
    for _ in range(times):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return statistics.median(taken)


def bare() -> Flask:
    """An app with one JSON route."""
    app = Flask(__name__)

    @app.get("/bare")
    def show() -> Response:
        return Response(orjson.dumps({"ok": True}), 200, [("Content-Type", "application/json")])

    return app


def application() -> tuple[Application, str, str]:
    """The REST API; a token; an account's id."""
    catalogue = OrgCatalogue(CatalogueConfig(), behaviour())
    org = catalogue.default
    system = org.system_caller()
    from simorg.org import records

    made = records.create(
        system,
        [
            (
                "Account",
                {
                    "Name": f"Bench {n}",
                    "Phone": "+47 123",
                    "BillingCity": "Oslo",
                    "Industry": "Energy",
                    "NumberOfEmployees": n,
                },
            )
            for n in range(ROWS)
        ],
        limit=None,
    )
    token = open_session(org, system.user_id, Flow.SOAP_LOGIN, scopes=("api",)).token
    return Application(catalogue), token, str(made[0].id)


def caller_of(app: WSGIApplication, path: str, token: str) -> Callable[[], Any]:
    """One GET through the WSGI application."""
    environ = EnvironBuilder(path, headers=[("Authorization", f"Bearer {token}")]).get_environ()

    def call() -> bytes:
        status: list[str] = []

        def start(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            status.append(line)
            return lambda data: None

        body = b"".join(app(dict(environ), start))
        if not status[0].startswith("200"):
            raise RuntimeError(body.decode())
        return body

    return call


def same_rows() -> Callable[[], bytes]:
    """The page's baseline: fetch with sqlite3, dump with orjson."""
    path = Path(tempfile.mkdtemp()) / "base.sqlite"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE a (i TEXT, n TEXT, p TEXT, c TEXT, d TEXT, e INT, t TEXT, x INT)")
    base.executemany(
        "INSERT INTO a VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                f"001Hp{n:010}AAA",
                f"Bench {n}",
                "+47 123",
                "Oslo",
                "Energy",
                n,
                "2026-11-21T20:16:26.000+0000",
                0,
            )
            for n in range(ROWS)
        ],
    )
    base.commit()
    return lambda: orjson.dumps(base.execute("SELECT * FROM a").fetchall())


def main() -> None:
    app, token, account = application()
    v = "/services/data/v60.0"
    least = median(caller_of(bare().wsgi_app, "/bare", token), times=3000)
    row = median(caller_of(app, f"{v}/sobjects/Account/{account}", token), times=3000)
    short = median(caller_of(app, f"{v}/sobjects/Account/{account}?fields=Name", token), times=3000)
    print(f"bare {least * 1e6:.0f} us, row {row * 1e6:.0f} us, one field {short * 1e6:.0f} us")
    query = f"SELECT+{FIELDS.replace(', ', ',')}+FROM+Account+WHERE+BillingCity='Oslo'+LIMIT+{ROWS}"
    page = median(caller_of(app, f"{v}/query?q={query}", token), times=60)
    base = median(same_rows(), times=60)
    print(f"page {page * 1e3:.2f} ms, baseline {base * 1e3:.2f} ms, ratio {page / base:.2f}")


if __name__ == "__main__":
    main()
