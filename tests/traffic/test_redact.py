"""No secret leaves the journal, wherever it stood; equal secrets can be told to be equal."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.traffic.entry import Entry
from simorg.traffic.exchange import Exchange, Kept
from simorg.traffic.har import archive
from simorg.traffic.redact import Redactor

REDACTOR = Redactor(b"a key of this test")
OPAQUE = st.text("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789._", min_size=40, max_size=60)
SESSION = OPAQUE.map(lambda text: f"00D000000000001!{text}")
JWT = OPAQUE.map(lambda text: f"eyJhbGciOiJSUzI1NiJ9.{text.replace('.', '')}.sig")
REFRESH = OPAQUE.map(lambda text: f"5Aep00D000000000001{text}")
#: what a person may choose; long enough not to be found by chance, and no word of an entry's own
#: (hypothesis takes texts from our sources): ``ǂ`` stands in none of them
PASSWORD = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, blacklist_categories=("Cs", "Cc")),
    min_size=9,
    max_size=20,
).map(lambda text: f"{text[:4]}ǂ{text[4:]}".replace("\\", "/"))
SECRETS = st.one_of(SESSION, JWT, REFRESH, PASSWORD)

PARAMETERS = (
    "access_token refresh_token id_token token code sid password pw client_secret assertion"
    " client_assertion code_verifier subject_token actor_token device_code user_code oauth_token"
    " SAMLResponse csrf session_id newPassword delete_token"
).split()
MEMBERS = (
    "access_token refresh_token id_token sessionId sid password client_secret consumerSecret"
    " securityToken assertion code_verifier signature NewPassword privateKey"
).split()
ELEMENTS = "sessionId password newPassword oldPassword sid access_token securityToken".split()


def entry(
    *,
    method: str = "POST",
    path: str = "/services/data/v59.0/query",
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    kind: str = "",
    answer: bytes = b"",
    answered: list[tuple[str, str]] | None = None,
    status: str = "200 OK",
) -> Entry:
    """An entry as it comes about, without a server."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_URI": f"{path}?{query}" if query else path,
        "CONTENT_TYPE": kind,
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
    }
    environ |= {f"HTTP_{n.upper().replace('-', '_')}": v for n, v in (headers or {}).items()}
    exchange = Exchange(environ, "id", status=status, seconds=0.001)
    exchange.response_headers = answered or []
    request, response = Kept(1 << 16), Kept(1 << 16)
    request.add(body)
    response.add(answer)
    return Entry(exchange, environ, request, response)


def shown(made: Entry) -> str:
    """Everything that anybody can get of an entry."""
    full = made.full(REDACTOR)
    har = archive([{**full}], "1")
    return (
        f"{json.dumps(full, ensure_ascii=False)}\n{json.dumps(har, ensure_ascii=False)}\n{made!r}"
    )


def forms(secret: str) -> set[str]:
    """The ways to write a secret that can be read back."""
    in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    written = {secret, quote(secret), quote(secret, safe=""), escape(secret), in_json}
    return written | {base64.b64encode(secret.encode()).decode()}


def hidden(secret: str, made: Entry) -> None:
    text = shown(made)
    for written in forms(secret):
        assert written not in text, (secret, text)
    assert REDACTOR.digest(secret) in text


FORM = "application/x-www-form-urlencoded"


@settings(deadline=None, max_examples=40)
@given(SECRETS, st.sampled_from(PARAMETERS))
def test_parameters(secret: str, name: str) -> None:
    pair = urlencode({"a": "1", name: secret, "b": "2"})
    hidden(secret, entry(query=pair))
    hidden(secret, entry(body=pair.encode(), kind=FORM))
    hidden(secret, entry(headers={"Referer": f"http://localhost/x?{pair}"}))
    hidden(secret, entry(answered=[("Location", f"http://app/cb#{pair}")], status="302 Found"))
    hidden(secret, entry(body=pair.encode()))  # no content type told
    nested = urlencode({"startURL": f"/services/oauth2/authorize?{pair}"})
    hidden(secret, entry(body=nested.encode(), kind=FORM))


@settings(deadline=None, max_examples=40)
@given(SECRETS, st.sampled_from(MEMBERS), st.booleans())
def test_json_members(secret: str, name: str, pretty: bool) -> None:
    option = orjson.OPT_INDENT_2 if pretty else 0
    body = orjson.dumps({"rows": [{"a": 1, name: secret}], "more": "x" * 30}, option=option)
    answered = [("Content-Type", "application/json;charset=UTF-8")]
    hidden(secret, entry(answer=body, answered=answered))
    hidden(secret, entry(body=body, kind="application/json"))
    hidden(secret, entry(body=body))
    escaped = json.dumps({name: secret}).replace(name[0], f"\\u{ord(name[0]):04x}", 1)
    hidden(secret, entry(body=escaped.encode(), kind="application/json"))
    cut = body[: body.index(b"more")]  # kept in part: no JSON any more
    hidden(secret, entry(body=cut, kind="application/json"))


@settings(deadline=None, max_examples=40)
@given(SECRETS, st.sampled_from(ELEMENTS), st.sampled_from(["", "urn:", "n1:"]))
def test_xml_elements(secret: str, name: str, prefix: str) -> None:
    told = escape(secret)
    body = f'<e:Envelope><{prefix}{name} xmlns="x">{told}</{prefix}{name}></e:Envelope>'
    soap = "/services/Soap/u/59.0"
    hidden(secret, entry(path=soap, body=body.encode(), kind="text/xml"))
    hidden(secret, entry(path=soap, answer=body.encode(), answered=[("Content-Type", "text/xml")]))
    hidden(secret, entry(path=soap, body=body.encode("utf-16"), kind="text/xml"))
    cdata = f"<{prefix}{name}><![CDATA[{secret}]]></{prefix}{name}>"
    if "]]>" not in secret:
        hidden(secret, entry(path=soap, body=cdata.encode(), kind="text/xml"))
    cut = body[: body.index(told) + len(told)]
    hidden(secret, entry(path=soap, body=cut.encode(), kind="text/xml"))


@settings(deadline=None, max_examples=30)
@given(SECRETS.filter(str.isascii).filter(lambda s: not set(s) & set(';,"')))
def test_headers(secret: str) -> None:
    hidden(secret, entry(headers={"Authorization": f"Bearer {secret}"}))
    hidden(secret, entry(headers={"Authorization": f"OAuth {secret}"}))
    hidden(secret, entry(headers={"Authorization": secret}))
    hidden(secret, entry(headers={"Cookie": f"a=1; sid={secret}; x={secret}"}))
    hidden(secret, entry(answered=[("Set-Cookie", f"sid={secret}; Path=/; HttpOnly")]))
    hidden(secret, entry(headers={"X-SFDC-Session": secret}))
    hidden(secret, entry(headers={"X-Api-Key": secret}))
    basic = base64.b64encode(f"key:{secret}".encode()).decode()
    text = shown(entry(headers={"Authorization": f"Basic {basic}"}))
    assert basic not in text and secret not in text


@settings(deadline=None, max_examples=30)
@given(st.one_of(SESSION, JWT, REFRESH))
def test_tokens_are_known_by_their_looks(secret: str) -> None:
    hidden(secret, entry(body=f"see {secret} here".encode(), kind="text/plain"))
    hidden(secret, entry(answer=f'<p data-x="{secret}">{secret}</p>'.encode()))
    hidden(secret, entry(body=orjson.dumps({"Description": f"it is {secret}"})))
    hidden(secret, entry(headers={"X-Anything": secret}))
    hidden(secret, entry(query=urlencode({"q": f"SELECT Id FROM X WHERE A = '{secret}'"})))
    hidden(secret, entry(path=f"/services/data/v59.0/{secret}"))


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabcdef\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("text", [KEY, KEY[:60], f"x\n{KEY}\ny"])
def test_private_keys(text: str) -> None:
    for body in (text.encode(), orjson.dumps({"pem": text})):
        told = shown(entry(answer=body))
        assert "MIIEow" not in told and "redacted:" in told


@settings(deadline=None, max_examples=20)
@given(PASSWORD, st.sampled_from([FORM, "application/json", "text/plain", "text/xml"]))
def test_bodies_that_are_not_what_they_are_called(secret: str, kind: str) -> None:
    secret = f"{secret}&a=b;{secret}"
    hidden(secret, entry(body=json.dumps({"password": secret}).encode(), kind=kind))
    hidden(secret, entry(body=f"<p><password>{escape(secret)}</password>".encode(), kind=kind))


HOSTILE = {
    "names": "token_" * 10_000 + "=",
    "tags": "<" + "a" * 65_000,
    "attributes": "<x:password " * 5_000,
    "inputs": "<input name=" * 5_000,
    "elements": "<password>" * 6_000,
    "members": '"password":"' * 5_000,
    "quotes": '"' * 65_000 + ":",
    "escapes": '"password":"' + "\\" * 60_000,
    "parts": 'form-data; name="password"x\n' * 2_000,
    "keys": "-----BEGIN PRIVATE KEY-----" * 2_000,
    "encoded": "%3Fsid%3D" * 7_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_takes_long(name: str) -> None:
    """Milliseconds; a net that looks twice at a place takes seconds."""
    begun = time.thread_time()
    REDACTOR.body(HOSTILE[name], "text/html")
    assert time.thread_time() - begun < 0.5


def test_parameters_of_a_path() -> None:
    hidden("hush-hush", entry(path="/services/x;sid=hush-hush", query="a=b"))


def test_pages() -> None:
    for page in (
        '<input type="hidden" name="csrf" value="hush hush">',
        '<dd><code id="consumer-secret">hush hush</code></dd>',
        'Content-Disposition: form-data; name="password"\r\n\r\nhush hush\r\n',
    ):
        hidden("hush hush", entry(answer=page.encode()))


def test_what_is_no_secret_stays() -> None:
    query = urlencode({"q": "SELECT Id, Name FROM Account WHERE Name = 'a&b'"})
    body = b'{"Name": "Token Ltd", "Description": "a password is asked for",  "n": 1.50}'
    made = entry(query=query, body=body, kind="application/json", headers={"Accept": "*/*"})
    told = made.full(REDACTOR)
    assert told["url"] == f"http://localhost/services/data/v59.0/query?{query}"
    assert told["request"]["body"]["text"] == body.decode()
    assert "redacted" not in shown(made)


def test_equal_secrets_have_equal_digests_per_server() -> None:
    session = "00D000000000001!" + "a" * 40
    digest = REDACTOR.digest(session)
    assert digest == REDACTOR.header("Authorization", f"Bearer {session}").split()[1]
    assert digest in REDACTOR.form(f"sid={quote(session)}")
    assert digest in REDACTOR.text(f"<sessionId>{session}</sessionId>")
    assert digest != REDACTOR.digest(session + "b")
    assert digest != Redactor(b"another server").digest(session)
    assert REDACTOR.digest(digest) == digest


@settings(deadline=None, max_examples=60)
@given(st.text(), st.sampled_from([FORM, "application/json", "text/xml", ""]))
def test_any_text_is_taken(text: str, kind: str) -> None:
    once = REDACTOR.body(text, kind)
    REDACTOR.headers([("X", text), ("Cookie", text), ("Authorization", text)])
    assert REDACTOR.body(once, kind) == once
