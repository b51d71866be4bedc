"""Query pages in process: the whole WSGI application against the least that could be done."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson
from lxml import etree

from benchmarks.report import Row, at_most, paired
from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org import records
from simorg.org.org import Org

ROWS = 2_000
FIELDS = tuple("Id Name Phone BillingCity Industry NumberOfEmployees CreatedDate IsDeleted".split())
SOQL = f"SELECT {', '.join(FIELDS)} FROM Account WHERE Phone = '+47 123' LIMIT {ROWS}"
SF = "urn:sobject.partner.soap.sforce.com"
PARTNER = "urn:partner.soap.sforce.com"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def fill(org: Org) -> None:
    """2,000 accounts of eight fields."""
    wanted = [
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
    ]
    saved = records.create(org.system_caller(), wanted, limit=None)
    assert all(result.success for result in saved)


def fetch(org: Org) -> Callable[[], list[tuple[Any, ...]]]:
    """The same rows by the driver alone."""
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    space = "" if org.store.namespace is None else f'"{org.store.namespace}".'
    sql = f'SELECT {columns} FROM {space}"Account" WHERE "Phone" = \'+47 123\' LIMIT {ROWS}'

    def run() -> list[tuple[Any, ...]]:
        with org.store.reading() as reader:
            found: list[tuple[Any, ...]] = reader.connection.execute(sql).fetchall()
            return found

    return run


def call(app: Any, environ: dict[str, Any], body: bytes = b"") -> bytes:
    """One WSGI call; the whole answer, which must be 200."""
    status: list[str] = []
    full = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
        **environ,
    }
    if body:
        full["CONTENT_LENGTH"] = str(len(body))
    answer = app(full, lambda line, headers, exc=None: status.append(line))
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert status[0].startswith("200"), content[:300]
    return content


def token(org: Org) -> str:
    system = org.system_caller()
    return open_session(org, system.user_id, Flow.CONTROL, scopes=("full",)).token


def rest_page(app: Any, org: Org) -> Row:
    environ = {
        "PATH_INFO": "/services/data/v59.0/query",
        "QUERY_STRING": f"q={quote(SOQL)}",
        "HTTP_AUTHORIZATION": f"Bearer {token(org)}",
    }
    rows = fetch(org)
    assert orjson.loads(call(app, environ))["totalSize"] == ROWS
    ours, least = paired(lambda: call(app, environ), lambda: orjson.dumps(rows()))
    detail = f"{ours * 1000:.1f} ms against {least * 1000:.1f} ms (fetch + orjson.dumps of tuples)"
    return at_most("REST query page, 2,000 rows x 8 fields", ours / least, 2.5, detail)


def soap_page(app: Any, org: Org) -> Row:
    body = (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns="{PARTNER}"><s:Header><SessionHeader><sessionId>'
        f"{token(org)}</sessionId></SessionHeader><QueryOptions><batchSize>{ROWS}</batchSize>"
        f"</QueryOptions></s:Header><s:Body><query><queryString>"
        f"{SOQL}</queryString></query></s:Body></s:Envelope>"
    ).encode()
    environ = {"PATH_INFO": "/services/Soap/u/59.0", "CONTENT_TYPE": "text/xml"}
    answer = etree.fromstring(call(app, environ, body))
    assert len(answer.findall(f".//{{{PARTNER}}}records")) == ROWS
    rows = fetch(org)
    ours, least = paired(lambda: call(app, environ, body), lambda: plain_xml(rows()), times=20)
    detail = f"{ours * 1000:.1f} ms against {least * 1000:.1f} ms (fetch + lxml building the same)"
    return at_most("SOAP query, same page", ours / least, 3, detail)


def plain_xml(rows: list[tuple[Any, ...]]) -> bytes:
    """The same response built element by element with lxml."""
    names: Any = {"soapenv": ENVELOPE, None: PARTNER, "xsi": XSI, "sf": SF}
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=names)
    sub = etree.SubElement
    response = sub(sub(envelope, f"{{{ENVELOPE}}}Body"), f"{{{PARTNER}}}queryResponse")
    result = sub(response, f"{{{PARTNER}}}result")
    sub(result, f"{{{PARTNER}}}done").text = "true"
    sub(result, f"{{{PARTNER}}}queryLocator").set(f"{{{XSI}}}nil", "true")
    tags = [f"{{{SF}}}{name}" for name in FIELDS]
    for row in rows:
        record = sub(result, f"{{{PARTNER}}}records")
        record.set(f"{{{XSI}}}type", "sf:sObject")
        sub(record, f"{{{SF}}}type").text = "Account"
        for tag, value in zip(tags, row, strict=True):
            element = sub(record, tag)
            if value is None:
                element.set(f"{{{XSI}}}nil", "true")
            else:
                element.text = str(value)
    sub(result, f"{{{PARTNER}}}size").text = str(len(rows))
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
