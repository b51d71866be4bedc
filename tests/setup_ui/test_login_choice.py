"""One click on a user logs in, for test use on this machine only."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import directory
from simorg.org.catalogue import OrgCatalogue
from tests.setup_ui.conftest import BASE, HOME, Document, flask_app

LOCAL = ["http://127.0.0.1:8080", "http://localhost:8080", "https://localhost", "http://[::1]:80"]


def login_page(http: Any, base: str = BASE, address: str = "127.0.0.1", start: str = HOME) -> Any:
    path = f"/login?startURL={start}"
    return Document(http.get(path, base_url=base, environ_overrides={"REMOTE_ADDR": address}), path)


def choose(http: Any, user: str, base: str = BASE, address: str = "127.0.0.1", **form: str) -> Any:
    page = login_page(http, base, address)
    data = dict(page.tree.xpath("//form[@id='login_form']")[0].form_values())
    data |= {"choose": user} | form
    return http.post("/login", base_url=base, data=data,
                     environ_overrides={"REMOTE_ADDR": address})  # fmt: skip


@pytest.fixture
def http(catalogue: OrgCatalogue) -> Any:
    return flask_app(catalogue).test_client()


def offered(page: Document) -> list[str]:
    found: list[str] = page.tree.xpath("//button[@name='choose']/@value")
    return found


@pytest.mark.parametrize("base", LOCAL)
def test_active_users_are_offered(http: Any, base: str) -> None:
    names = offered(login_page(http, base))
    assert names[0] == "admin@acme.example"
    assert {"standard@acme.example", "partner@acme.example"} <= set(names)
    assert not {"inactive@acme.example", "frozen@acme.example"} & set(names)


def test_one_click(http: Any, catalogue: OrgCatalogue) -> None:
    answer = choose(http, "admin@acme.example")
    assert answer.status_code == 302 and answer.headers["Location"] == HOME
    page = Document(http.get(HOME, base_url=BASE), HOME)
    assert page.status == 200 and "admin@acme.example" in page.words("//header")
    assert directory.find_user(catalogue.default, "admin@acme.example")


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("http://127.0.0.1:8080", "192.0.2.7"),
        ("http://login.salesforce.com", "127.0.0.1"),
        ("http://evil.example", "127.0.0.1"),
        ("http://localhost.evil.example", "127.0.0.1"),
        ("http://192.0.2.1", "127.0.0.1"),
    ],
)
def test_nobody_is_offered_elsewhere(http: Any, base: str, address: str) -> None:
    assert offered(login_page(http, base, address)) == []
    answer = choose(http, "admin@acme.example", base, address)
    assert answer.status_code == 200 and "sid" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("user", ["inactive@acme.example", "frozen@acme.example", "nobody", "\x00"])
def test_others_cannot_be_chosen(http: Any, user: str) -> None:
    answer = choose(http, user)
    assert answer.status_code == 200
    assert "Please check your username" in answer.get_data(as_text=True)


def test_choice_needs_the_pages_own_form(http: Any) -> None:
    assert choose(http, "admin@acme.example", csrf="0" * 32).status_code == 403
    assert choose(http, "admin@acme.example", csrf="").status_code == 403


def test_open_redirects_are_refused(http: Any) -> None:
    answer = choose(http, "admin@acme.example", startURL="//evil.example")
    assert answer.headers["Location"] == "/"
