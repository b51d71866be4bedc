"""New Connected App, and editing one."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from simorg.access.model import AppState, Policy
from tests.setup_ui.conftest import BASE, Document, Person, Setup

NEW = "/lightning/setup/ConnectedApplication/new"
GOOD = {
    "name": "Nightly Export",
    "contact_email": "ops@acme.example",
    "callback_urls": "https://example.com/callback\nhttp://localhost:1717/OauthRedirect",
    "scopes": ["api", "refresh_token"],
}


def certificate(key: Any = None) -> tuple[str, str]:
    """Certificate and private key, PEM."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nightly")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


@pytest.fixture(scope="module")
def pem() -> tuple[str, str]:
    return certificate()


def test_a_new_app_works_at_once(setup: Setup, admin: Person) -> None:
    page = admin.open(NEW)
    assert page.heading == "New Connected App"
    for label in ("Connected App Name", "Contact Email", "Callback URL", "digital signatures"):
        page.label(label)
    assert page.tree.xpath("//form[@method='post']/@enctype") == ["multipart/form-data"]
    done = admin.send(page, "Save", **GOOD)
    assert "was created" in done.note and done.heading == "Nightly Export"
    app = setup.connected("Nightly Export")
    assert app.state is AppState.INSTALLED and app.stored_policy is Policy.ALL
    assert app.callback_urls == tuple(str(GOOD["callback_urls"]).split())
    assert app.scopes == ("api", "refresh_token")
    assert app.consumer_key and app.consumer_key.startswith("3MVG9") and len(app.consumer_key) == 85
    assert app.consumer_secret and len(app.consumer_secret) == 64
    assert app.consumer_secret not in done.text
    shown = admin.send(done, "Manage Consumer Details")
    assert shown.words("//*[@id='consumer-secret']") == app.consumer_secret
    assert setup.trail()[-2] == "Created connected app Nightly Export"
    [item] = setup.rows("AppMenuItem", ApplicationId=app.id)
    assert item["Label"] == "Nightly Export"
    answer = admin.http.post(
        "/services/oauth2/token",
        base_url=BASE,
        data={
            "grant_type": "password",
            "client_id": app.consumer_key,
            "client_secret": app.consumer_secret,
            "username": setup.rows("User", FirstName="Stan")[0]["Username"],
            "password": "simorg123",
        },
    )
    assert answer.status_code == 200, answer.get_json()


def test_two_apps_have_different_keys(setup: Setup, admin: Person) -> None:
    for name in ("One", "Two"):
        admin.send(admin.open(NEW), "Save", **{**GOOD, "name": name})
    one, two = setup.connected("One"), setup.connected("Two")
    assert one.consumer_key != two.consumer_key and one.consumer_secret != two.consumer_secret


def test_certificate_by_paste(setup: Setup, admin: Person, pem: tuple[str, str]) -> None:
    done = admin.send(admin.open(NEW), "Save", **GOOD, certificate=pem[0])
    assert "CN=Nightly" in done.words() and "SHA-256" in done.words()
    assert setup.connected("Nightly Export").certificate == pem[0]


def test_certificate_by_upload(setup: Setup, admin: Person, pem: tuple[str, str]) -> None:
    upload = (io.BytesIO(pem[0].encode()), "nightly.pem")
    answer = admin.http.post(
        NEW, base_url=BASE, data={**GOOD, "csrf": admin.csrf, "certificate_file": upload}
    )
    assert answer.status_code == 303
    assert setup.connected("Nightly Export").certificate == pem[0]


def test_huge_upload(setup: Setup, admin: Person) -> None:
    upload = (io.BytesIO(b"-----BEGIN CERTIFICATE-----" + b"A" * 100_000), "huge.pem")
    before = setup.state()
    answer = admin.http.post(
        NEW, base_url=BASE, data={**GOOD, "csrf": admin.csrf, "certificate_file": upload}
    )
    assert "larger than 4 KB" in Document(answer, NEW).problem("certificate")
    assert setup.state() == before


def test_flows(setup: Setup, admin: Person) -> None:
    flags = {
        "isPkceRequired": "1",
        "isSecretRequiredForWebServer": None,
        "isClientCredentialEnabled": "1",
        "isIntrospectAllTokens": "1",
    }
    done = admin.send(admin.open(NEW), "Save", **GOOD, **flags)
    told = setup.connected("Nightly Export").config
    assert told["isPkceRequired"] and told["isConsumerSecretOptional"]
    assert told["isClientCredentialEnabled"] and told["isIntrospectAllTokens"]
    assert told["isSecretRequiredForRefreshToken"] and not told["isRefreshTokenRotationEnabled"]
    [link] = done.tree.xpath("//a[normalize-space()='Edit']/@href")
    form = admin.open(link)
    assert form.label("Require Secret for Web Server Flow").get("checked") is None
    assert form.label("Require Proof Key").get("checked") is not None


BAD: list[tuple[str, Any, str]] = [
    ("name", "", "You must enter a value"),
    ("name", "   ", "You must enter a value"),
    ("name", "x" * 81, "max length=80"),
    ("name", "self SERVICE", "exists already"),
    ("name", "a\x00b", "control characters"),
    ("contact_email", "", "You must enter a value"),
    ("contact_email", "nobody", "Invalid Email Address"),
    ("contact_email", "a@b@c.d", "Invalid Email Address"),
    ("contact_email", "<script>@x.y", "Invalid Email Address"),
    ("contact_email", "a\x00@b.example", "Invalid Email Address"),
    ("contact_email", "a" * 90 + "@b.example", "Invalid Email Address"),
    ("description", "d" * 257, "max length=256"),
    ("description", "a\x00b", "control characters"),
    ("callback_urls", "", "You must enter a value"),
    ("callback_urls", "nonsense", "must begin with"),
    ("callback_urls", "/relative", "must begin with"),
    ("callback_urls", "javascript:alert(1)", "must begin with"),
    ("callback_urls", "JavaScript:alert(1)", "must begin with"),
    ("callback_urls", "data:text/html,x", "must begin with"),
    ("callback_urls", "http://example.com/callback", "must use https"),
    ("callback_urls", "http://localhost.evil.example/cb", "must use https"),
    ("callback_urls", "https://", "names no host"),
    ("callback_urls", "https://example.com/#x", "no fragment"),
    ("callback_urls", "https://example.com:port/", "no valid URL"),
    ("callback_urls", "https://exämple.com/", "characters that no URL has"),
    ("callback_urls", "https://example.com/ok\njavascript:1", "must begin with"),
    ("callback_urls", "https://example.com/" + "x" * 2000, "max length=2000"),
    ("scopes", [], "choose at least one"),
    ("scopes", ["api", "everything"], "there is no scope everything"),
    ("scopes", ["<script>"], "there is no scope"),
    ("certificate", "hello", "PEM"),
    ("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no X.509"),
    ("certificate", "x" * 5000, "larger than 4 KB"),
]


def test_bad_input(setup: Setup, admin: Person) -> None:
    before = setup.state()
    form = admin.open(NEW)
    for field, value, problem in BAD:
        page = admin.send(form, "Save", **{**GOOD, field: value})
        assert page.status == 422 and problem in page.problem(field), (field, value)
        assert "Nothing was saved" in page.words("//*[@role='alert']")
        assert "<script>" not in page.text
        other = "contact_email" if field == "name" else "name"
        assert page.tree.xpath(f"//input[@name='{other}']/@value") == [GOOD[other]]
    assert setup.state() == before


def test_private_keys_and_other_keys(setup: Setup, admin: Person, pem: tuple[str, str]) -> None:
    before = setup.state()
    for text, problem in (
        (pem[1], "private key"),
        (pem[0] + pem[1], "private key"),
        (pem[0] + pem[0], "one X.509 certificate"),
        (certificate(ec.generate_private_key(ec.SECP256R1()))[0], "no RSA key"),
    ):
        page = admin.send(admin.open(NEW), "Save", **GOOD, certificate=text)
        assert problem in page.problem("certificate")
    assert setup.state() == before


def test_everything_wrong_at_once(setup: Setup, admin: Person) -> None:
    page = admin.post(NEW, csrf=admin.csrf)
    assert page.status == 422
    for field in ("name", "contact_email", "callback_urls", "scopes"):
        assert page.problem(field)


def test_hostile_names_are_escaped_everywhere(setup: Setup, admin: Person) -> None:
    name = "</title><script>alert(1)</script>\" onload='x"
    done = admin.send(admin.open(NEW), "Save", **{**GOOD, "name": name, "description": name})
    assert done.heading == name
    app = setup.connected(name)
    base = f"/lightning/setup/ConnectedApplication/{app.id}"
    for path in (
        base + "/view", base + "/edit", base + "/policies", base + "/profiles",
        "/lightning/setup/ConnectedApplication/home", "/lightning/setup/ConnectedAppsUsage/home",
        f"/lightning/setup/ConnectedAppsUsage/{app.id}/users",
        f"/identity/app/AppInstallApprovalPage.apexp?app_id={app.id}",
    ):  # fmt: skip
        page = admin.open(path)
        assert page.status == 200 and "<script>alert" not in page.text, path
        assert not page.tree.xpath("//@onload")
        assert name in page.tree.text_content()


def test_editing(setup: Setup, admin: Person) -> None:
    app = setup.connected("Self Service")
    path = f"/lightning/setup/ConnectedApplication/{app.id}/edit"
    page = admin.open(path)
    assert page.label("Connected App Name").get("value") == "Self Service"
    assert "http://localhost:1717/OauthRedirect" in page.label("Callback URL").text
    done = admin.send(page, "Save", contact_email="a@b.example", name="Serve Yourself")
    assert done.note == "Serve Yourself was saved."
    new = setup.connected("Serve Yourself")
    assert new.id == app.id and new.consumer_key == app.consumer_key
    assert set(new.scopes) == set(app.scopes) and new.callback_urls == app.callback_urls
    assert new.config["ipRelaxation"] == "ENFORCE"
    assert setup.rows("AppMenuItem", ApplicationId=app.id)[0]["Label"] == "Serve Yourself"
    assert setup.trail()[-1] == "Changed connected app Serve Yourself"
    before = setup.state()
    bad = admin.send(admin.open(path), "Save", name="Locked Down")
    assert "exists already" in bad.problem("name")
    assert setup.state() == before


def test_new_apps_under_the_preference(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True, newInstallPolicy="adminApproved")
    admin.send(admin.open(NEW), "Save", **GOOD)
    assert setup.connected("Nightly Export").stored_policy is Policy.ADMIN


def test_forged_forms(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for token in ({}, {"csrf": "0"}):
        assert admin.post(NEW, **GOOD, **token).status == 403
    admin.open(NEW, name="x")
    assert setup.state() == before
