"""Messages that are wrong before any org is asked: Salesforce's own faults, within bounds."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.soap import application

from .wire import ENVELOPE, Wire

QUERY = ENVELOPE.format(
    headers="", body="<urn:query><urn:queryString>SELECT Id FROM User</urn:queryString></urn:query>"
)


class NoOrgs:
    """A catalogue without an org."""

    def get(self, _id: str) -> None:
        return None

    def find_user(self, _name: str) -> None:
        return None


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire(application(NoOrgs()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "version", ["19.0", "68.0", "0", "", "v59.0", "59.0.0", "fifty", "-1", "9999999999.0"]
)
def test_versions_that_are_not_served(wire: Wire, version: str) -> None:
    assert wire.post(QUERY, f"/services/Soap/u/{version}").fault == (
        "sf:UNSUPPORTED_API_VERSION",
        "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL",
        "UnexpectedErrorFault",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/services/Soap/u/20.0",
        "/services/Soap/u/67.0",
        "/services/Soap/u/59.0/",
        "/services/Soap/u/59",
        "/services/Soap/u/59.0/00D000000000001",
        "/services/Soap/u/59.0/anything/at/all",
        "/services/soap/u/59.0",
    ],
)
def test_paths_that_are_served(wire: Wire, path: str) -> None:
    assert wire.post(QUERY, path).fault[0] == "sf:INVALID_SESSION_ID"


@pytest.mark.parametrize("path", ["/services/Soap/x/59.0", "/services/Soap/", "/services/Soap/U/5"])
def test_apis_that_are_not_there(wire: Wire, path: str) -> None:
    answer = wire.post(QUERY, path)
    assert answer.status == 404
    assert answer.one("//soapenv:Fault/faultcode") == "soapenv:Client"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
def test_other_verbs(wire: Wire, method: str) -> None:
    answer = wire.request(method, "/services/Soap/u/59.0", QUERY.encode())
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "{}",
        "<",
        "<a>",
        "<a></b>",
        QUERY[:-1],
        QUERY.replace("</urn:query>", ""),
        "<a>&nope;</a>",
        QUERY.replace("User", "A & B"),
        "\x00",
        "<a>\x01</a>",
        QUERY + QUERY,
        '<?xml version="1.0" encoding="nope"?><a/>',
        b"<a>\xff</a>",
    ],
)
def test_xml_that_is_not_well_formed(wire: Wire, body: str | bytes) -> None:
    code, text, detail = wire.post(body).fault
    assert (code, detail) == ("sf:UNKNOWN_EXCEPTION", "UnexpectedErrorFault")
    assert "lxml" not in text and "string>" not in text


@pytest.mark.parametrize("root", ["<a/>", "<Envelope/>", "<x:Envelope xmlns:x='urn:x'/>"])
def test_no_envelope(wire: Wire, root: str) -> None:
    code, text, _ = wire.post(root).fault
    assert code in ("soapenv:Client", "soapenv:VersionMismatch")
    assert "invalid at this location" in text


def test_an_envelope_without_operation(wire: Wire) -> None:
    assert wire.call("").fault[0] == "soapenv:Client"
    bare = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>'
    assert wire.post(bare).fault[0] == "soapenv:Client"


def test_an_unknown_operation(wire: Wire) -> None:
    assert wire.call("<urn:frobnicate/>").fault == (
        "soapenv:Client",
        "No operation available for request {urn:partner.soap.sforce.com}frobnicate, please check"
        " the WSDL for the service.",
        None,
    )
    assert "{}frobnicate" in wire.call("<frobnicate/>").fault[1]
    # an operation of the other API is none of this one
    assert "readMetadata" in wire.call("<urn:readMetadata/>").fault[1]


def test_operation_names_keep_their_case(wire: Wire) -> None:
    assert wire.call("<urn:Query/>").fault[0] == "soapenv:Client"


def test_an_unknown_argument(wire: Wire) -> None:
    body = "<urn:query><item>x</item></urn:query>"
    assert wire.call(body, "x").fault == (
        "soapenv:Client",
        "Element {}item invalid at this location",
        None,
    )
    nested = "<urn:query><urn:queryString><b>x</b></urn:queryString></urn:query>"
    assert wire.call(nested, "x").fault[1] == "Element {}b invalid at this location"


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (
            "<urn:AllOrNoneHeader><urn:allOrNone>perhaps</urn:allOrNone></urn:AllOrNoneHeader>",
            "'perhaps' is not a valid value for the type xsd:boolean",
        ),
        (
            "<urn:QueryOptions><urn:batchSize>many</urn:batchSize></urn:QueryOptions>",
            "'many' is not a valid value for the type xsd:int",
        ),
    ],
)
def test_header_values_of_the_wrong_type(wire: Wire, headers: str, text: str) -> None:
    operation = "create" if "AllOrNone" in headers else "query"
    assert wire.call(f"<urn:{operation}/>", "x", headers).fault == ("soapenv:Client", text, None)


def test_headers_nobody_knows_are_passed_over_unless_they_must_be_understood(wire: Wire) -> None:
    known = wire.call("<urn:query/>", "x", "<urn:Other/>").fault
    assert known[0] == "sf:INVALID_SESSION_ID"
    must = wire.call("<urn:query/>", "x", '<urn:Other soapenv:mustUnderstand="1"/>').fault
    assert must[0] == "sf:INVALID_SOAP_HEADER"


@pytest.mark.parametrize("token", [None, "", "   ", "garbage", "00D000000000001", "é" * 400])
def test_no_session(wire: Wire, token: str | None) -> None:
    assert wire.call("<urn:getUserInfo/>", token).fault == (
        "sf:INVALID_SESSION_ID",
        "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session",
        "UnexpectedErrorFault",
    )


def test_a_session_of_an_org_that_is_not_here(wire: Wire) -> None:
    code, text, _ = wire.call("<urn:getUserInfo/>", "00D000000000001!abc").fault
    assert code == "sf:INVALID_SESSION_ID"
    assert "Illegal Session. Session not found, missing session hash: " in text
    assert text.endswith("This error usually occurs after a session expires or a user logs out.")


def test_login_of_nobody(wire: Wire) -> None:
    for body in ("<urn:login/>", "<urn:login><urn:username>x</urn:username></urn:login>"):
        assert wire.call(body).fault == (
            "sf:INVALID_LOGIN",
            "INVALID_LOGIN: Invalid username, password, security token; or user locked out.",
            "LoginFault",
        )


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;">]>' + QUERY.replace("SELECT", "&c;")
)


@pytest.mark.parametrize(
    "body",
    [
        BILLION,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + QUERY,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + QUERY.replace("User", "&x;"),
        "<!-- a --><?pi b?>\n<!DOCTYPE a>" + QUERY,
        "\ufeff<!DOCTYPE a>" + QUERY,
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a>' + QUERY).encode("utf-16"),
        ("<!--" + "x" * 9000 + "--><!DOCTYPE a>" + QUERY),
    ],
)
def test_a_doctype_is_refused(wire: Wire, body: str | bytes) -> None:
    assert wire.post(body).fault[:2] == (
        "sf:UNKNOWN_EXCEPTION",
        "UNKNOWN_EXCEPTION: DOCTYPE is not allowed in a SOAP message",
    )


def test_a_doctype_in_a_value_is_just_text(wire: Wire) -> None:
    body = "<urn:query><urn:queryString><![CDATA[<!DOCTYPE html>]]></urn:queryString></urn:query>"
    assert wire.call(body).fault[0] == "sf:INVALID_SESSION_ID"


@pytest.mark.parametrize("depth", [100, 5000, 200_000])
def test_deep_nesting_is_refused(wire: Wire, depth: int) -> None:
    body = "<a>" * depth + "</a>" * depth
    assert wire.post(ENVELOPE.format(headers="", body=body)).fault[0] == "sf:UNKNOWN_EXCEPTION"


def test_utf_16_and_a_declared_latin_1_are_read(wire: Wire) -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        text = f'<?xml version="1.0" encoding="{encoding}"?>' + QUERY.replace("User", "é")
        assert wire.post(text.encode(encoding)).fault[0] == "sf:INVALID_SESSION_ID"


@pytest.mark.parametrize("length", [str(51 * 1024 * 1024), "-1", "ten", "1e3"])
def test_too_large_or_absurd_lengths(wire: Wire, length: str) -> None:
    answer = wire.post(QUERY, CONTENT_LENGTH=length)
    assert answer.status == 413
    assert answer.one("//soapenv:Fault/faultcode") == "sf:EXCEEDED_MAX_SIZE_REQUEST"


def test_a_short_gzip_body_may_not_unfold_into_a_huge_one(wire: Wire) -> None:
    bomb = gzip.compress(b" " * (51 * 1024 * 1024))
    assert wire.post(bomb, HTTP_CONTENT_ENCODING="gzip").status == 413


def test_gzip_and_chunked_bodies_are_read(wire: Wire) -> None:
    packed = gzip.compress(QUERY.encode())
    zipped = wire.post(packed, HTTP_CONTENT_ENCODING="gzip")
    assert zipped.fault[0] == "sf:INVALID_SESSION_ID"
    assert wire.post(b"no gzip", HTTP_CONTENT_ENCODING="gzip").fault[0] == "soapenv:Client"
    chunked: dict[str, Any] = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert wire.post(QUERY, **chunked).fault[0] == "sf:INVALID_SESSION_ID"
    chunked["wsgi.input_terminated"] = False
    assert wire.post(QUERY, **chunked).fault[0] == "sf:UNKNOWN_EXCEPTION"


def test_faults_of_the_metadata_api_have_no_detail(wire: Wire) -> None:
    answer = wire.call("<urn:readMetadata/>", path="/services/Soap/m/59.0")
    assert answer.fault[0] == "sf:INVALID_SESSION_ID"
    assert answer.fault[2] is None
    assert answer.root.nsmap["sf"] == "http://soap.sforce.com/2006/04/metadata"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_mutation_of_a_message_breaks_the_service(wire: Wire, data: st.DataObject) -> None:
    """Whatever is cut out of or put into a message, the answer is a fault in shape."""
    body = QUERY.encode()
    at = data.draw(st.integers(0, len(body)))
    cut = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=12) | st.sampled_from([b"<", b">", b"&", b"]]>", b"<!--"]))
    wire.post(body[:at] + put + body[at + cut :]).fault  # noqa: B018
