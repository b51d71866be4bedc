"""Coming in, being kept out, and what every page has."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from simorg.setup_ui import pages
from tests.setup_ui.conftest import BASE, HOME, Document, Person, Setup


def test_strangers_log_in_and_come_back(setup: Setup) -> None:
    stranger = setup.stranger()
    page = stranger.open(HOME + "?setupSearch=api%20access")
    assert page.status == 302
    target = page.response.headers["Location"]
    assert target == "/login?ec=302&startURL=" + quote(
        HOME + "?setupSearch=api access", safe=""
    ).replace("%20", "%2520")
    login = stranger.open(target)
    assert login.words("//button[@id='Login']") == "Log In"
    from tests.conftest import username

    form = login.tree.forms[0]
    data = dict(form.form_values())
    data |= {"username": username(setup.org, "admin"), "pw": "simorg123"}
    answer = stranger.http.post(form.get("action"), base_url=BASE, data=data)
    assert answer.status_code == 302
    found = stranger.open(answer.headers["Location"])
    assert found.status == 200 and found.heading == "Setup Home"


@pytest.mark.parametrize(
    "start", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere(setup: Setup, admin: Person, start: str) -> None:
    for person in (setup.stranger(), admin):
        answer = person.open("/", startURL=start)
        assert answer.status == 302
        assert answer.response.headers["Location"] == "/login?startURL=%2F"


def test_start_url(setup: Setup, admin: Person) -> None:
    assert admin.open("/", startURL=HOME).response.headers["Location"] == HOME
    answer = setup.stranger().open("/", startURL=HOME)
    assert answer.response.headers["Location"] == "/login?startURL=" + quote(HOME, safe="")


def test_front_page(setup: Setup, admin: Person) -> None:
    guest = setup.stranger().open("/")
    assert guest.status == 200 and "/services/data" in guest.text
    assert guest.tree.xpath("//a[text()='Log In']/@href") == [f"/login?startURL={HOME}"]
    assert admin.open("/").tree.xpath("//a[text()='Setup']/@href") == [HOME]


@pytest.mark.parametrize("path", ["/lightning", "/lightning/page/home", "/lightning/setup"])
def test_short_addresses(admin: Person, path: str) -> None:
    assert admin.open(path).response.headers["Location"] == HOME


def test_dead_session_is_no_session(setup: Setup) -> None:
    person = setup.stranger()
    person.http.set_cookie("sid", setup.org.id[:15] + "!nonsense", domain="127.0.0.1")
    assert person.open(HOME).status == 302


def test_headers(admin: Person) -> None:
    headers = admin.open(HOME).response.headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "style-src 'self'", "script-src 'self'",
                 "form-action 'self'", "frame-ancestors 'none'"):  # fmt: skip
        assert part in policy
    assert "unsafe" not in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]


def test_static_files(setup: Setup) -> None:
    client = setup.stranger().http
    for name, kind in (("setup.css", "text/css"), ("quick_find.js", "javascript")):
        with client.get(f"/setup-static/{name}") as answer:
            assert answer.status_code == 200 and kind in answer.mimetype
    assert client.get("/setup-static/../views.py").status_code == 404


def test_without_view_setup(setup: Setup) -> None:
    page = setup.person("partner").open(HOME)
    assert page.status == 403 and page.heading == "Insufficient Privileges"
    assert page.all("//ul[@id='missing']/li") == ["View Setup and Configuration"]


def test_unknown_page(admin: Person) -> None:
    page = admin.open("/lightning/setup/Nonsense/home")
    assert page.status == 404 and page.heading == "Page not found"
    assert page.tree.xpath("//nav[@aria-label='Setup']")


def test_home_takes_no_posts(setup: Setup, admin: Person) -> None:
    before = setup.state()
    assert admin.post(HOME).status == 405
    assert setup.state() == before


def quick_find(person: Person, words: str) -> list[str]:
    page: Document = person.open(HOME, setupSearch=words)
    return page.all("//nav[@aria-label='Setup']//section//li/a")


def test_quick_find_without_script(admin: Person) -> None:
    assert quick_find(admin, "zebra") == []
    everything = quick_find(admin, "")
    for label in everything:
        assert label in quick_find(admin, label.upper())
    text = admin.open(HOME, setupSearch='"><script>alert(1)</script>').text
    assert "<script>alert" not in text


def test_registry_is_sound() -> None:
    assert len({page.path for page in pages.PAGES}) == len(pages.PAGES)
    listed = {page.path for page in pages.PAGES if page.section}
    for page in pages.PAGES:
        assert page.section is None or page.section in pages.SECTIONS
        assert page.under is None or page.under in listed, page.path
        assert callable(pages.resolve(page.view))
        assert page.action is None or callable(pages.resolve(page.action))
        assert page.listed is None or callable(pages.resolve(page.listed))
