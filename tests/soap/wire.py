"""Calling the SOAP application in process, and reading what it answers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from lxml import etree

NAMESPACES = {
    "soapenv": "http://schemas.xmlsoap.org/soap/envelope/",
    "p": "urn:partner.soap.sforce.com",
    "sf": "urn:sobject.partner.soap.sforce.com",
    "f": "urn:fault.partner.soap.sforce.com",
    "m": "http://soap.sforce.com/2006/04/metadata",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:urn="urn:partner.soap.sforce.com" xmlns:so="urn:sobject.partner.soap.sforce.com">'
    "<soapenv:Header>{headers}</soapenv:Header><soapenv:Body>{body}</soapenv:Body>"
    "</soapenv:Envelope>"
)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def root(self) -> Any:
        return etree.fromstring(self.body)

    def find(self, path: str) -> list[Any]:
        return self.root.xpath(path, namespaces=NAMESPACES)

    def texts(self, path: str) -> list[str]:
        return [e.text or "" for e in self.find(path)]

    def one(self, path: str) -> str:
        (text,) = self.texts(path)
        return text

    @property
    def fault(self) -> tuple[str, str, str | None]:
        """(faultcode, faultstring, name of the detail's child), shape checked."""
        assert self.status == 500, self.text
        (fault,) = self.find("/soapenv:Envelope/soapenv:Body/soapenv:Fault")
        names = [child.tag for child in fault]
        assert names in (["faultcode", "faultstring"], ["faultcode", "faultstring", "detail"])
        detail = None
        if len(fault) == 3:
            (typed,) = fault[2]
            detail = etree.QName(typed).localname
            assert typed.get(f"{{{NAMESPACES['xsi']}}}type") == f"sf:{detail}"
            message = typed.findtext(f"{{{NAMESPACES['f']}}}exceptionMessage")
            code = typed.findtext(f"{{{NAMESPACES['f']}}}exceptionCode")
            assert fault[1].text == f"{code}: {message}"
            assert fault[0].text == f"sf:{code}"
        return fault[0].text, fault[1].text, detail


class Wire:
    """POSTs envelopes to a WSGI application."""

    def __init__(self, app: Any, *, host: str = "org.example:8443", scheme: str = "https") -> None:
        self.app = app
        self.host = host
        self.scheme = scheme

    def request(
        self, method: str, path: str, body: bytes = b"", query: str = "", **environ: Any
    ) -> Answer:
        seen: list[Any] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_HOST": self.host,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "text/xml; charset=UTF-8",
            "HTTP_SOAPACTION": '""',
            **environ,
        }
        pieces = self.app(environ, lambda status, headers: seen.append((status, headers)))
        status, headers = seen[0]
        return Answer(int(status.split()[0]), dict(headers), b"".join(pieces))

    def post(
        self, body: str | bytes, path: str = "/services/Soap/u/59.0", **environ: Any
    ) -> Answer:
        data = body if isinstance(body, bytes) else body.encode()
        return self.request("POST", path, data, **environ)

    def call(
        self,
        body: str,
        session: str | None = None,
        headers: str = "",
        *,
        path: str = "/services/Soap/u/59.0",
    ) -> Answer:
        if session is not None:
            headers += (
                f"<urn:SessionHeader><urn:sessionId>{session}</urn:sessionId></urn:SessionHeader>"
            )
        return self.post(ENVELOPE.format(headers=headers, body=body), path)

    def login(self, username: str, password: str = "simorg123", version: str = "59.0") -> str:
        answer = self.call(
            f"<urn:login><urn:username>{username}</urn:username>"
            f"<urn:password>{password}</urn:password></urn:login>",
            path=f"/services/Soap/u/{version}",
        )
        assert answer.status == 200, answer.text
        return answer.one("//p:loginResponse/p:result/p:sessionId")
