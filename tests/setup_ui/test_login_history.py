"""Login History in Setup: columns, filters, pages, who may look."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from simorg.access import history
from simorg.access.history import Origin
from simorg.access.model import Flow
from simorg.org.clock import to_text
from tests.conftest import username
from tests.setup_ui.conftest import Document, Person, Setup, missing

PATH = "/lightning/setup/OrgLoginHistory/home"


def user_id(setup: Setup, name: str) -> str:
    [row] = setup.rows("User", Username=username(setup.org, name))
    return str(row["Id"])


def logins(page: Document) -> list[list[str]]:
    rows = page.tree.xpath("//tbody/tr[th]")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


@pytest.fixture
def logged(setup: Setup) -> Setup:
    """Three logins: a SOAP one, an OAuth one, a refused one."""
    org = setup.org
    soap = Origin("192.0.2.7", "login.example/services/Soap/u/60.0", "SOAP Partner", "60.0")
    history.record(org, user_id(setup, "standard"), Flow.SOAP_LOGIN, origin=soap)
    odd = Origin("198.51.100.2", browser="<script>alert(1)</script>", tls=True)
    history.record(org, user_id(setup, "integration"), Flow.JWT_BEARER, origin=odd,
                   application="JWT Robot")  # fmt: skip
    history.record(org, user_id(setup, "frozen"), Flow.UI, "User is frozen", application="Browser")
    return setup


def test_columns_newest_first(logged: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    assert page.heading == "Login History"
    columns = (
        "Username, Login Time, Source IP, Login Type, Status, Application, Browser, Platform,"
        " Client Version, API Type, API Version, Login URL, TLS Protocol, Login Subtype"
    )
    assert page.all("//thead//th") == columns.split(", ")
    found = logins(page)
    assert [row[0] for row in found] == [
        username(logged.org, name) for name in ("frozen", "integration", "standard")
    ]
    assert found[0][3:6] == ["Application", "User is frozen", "Browser"]
    assert found[1][2:6] == ["198.51.100.2", "Remote Access 2.0", "Success", "JWT Robot"]
    assert found[1][12:] == ["TLS 1.3", "OauthJwtBearer"]
    assert found[2][9:12] == ["SOAP Partner", "60.0", "login.example/services/Soap/u/60.0"]
    assert "<script>alert" not in page.text


def test_filters(logged: Setup, admin: Person) -> None:
    assert len(logins(admin.open(PATH, find="INTEGRATION@"))) == 1
    assert [r[4] for r in logins(admin.open(PATH, outcome="failure"))] == ["User is frozen"]
    assert [r[4] for r in logins(admin.open(PATH, outcome="success"))] == ["Success", "Success"]
    one = admin.open(PATH, user=user_id(logged, "standard"), outcome="success")
    assert len(logins(one)) == 1
    assert one.tree.xpath("//input[@type='hidden'][@name='user']")
    for odd in ("%", "'", "\x00zz", "_%_"):
        assert logins(admin.open(PATH, find=odd)) == []
    assert len(logins(admin.open(PATH, outcome="x", user="nonsense"))) == 3


def test_ten_thousand_logins_come_in_pages(setup: Setup, admin: Person) -> None:
    """One statement for the count and one for the page, however many there are."""
    org = setup.org
    person = user_id(setup, "standard")
    table = org.store.table("LoginHistory")
    start = org.clock.now() - timedelta(days=30)
    with org.store.writing() as tx:
        ids = tx.new_ids("0Ya", 10_000)
        given = [
            {"Id": i, "UserId": person, "LoginTime": to_text(start + timedelta(seconds=n)),
             "Status": "Success", "OptionsIsGet": False, "OptionsIsPost": True}
            for n, i in enumerate(ids)
        ]  # fmt: skip
        insert = table.insert().values({key: sa.bindparam(key, None) for key in given[0]})
        tx.execute_many(org.store.prepare(insert), given)
    page = admin.open(PATH)
    assert len(logins(page)) == 50 and "Page 1 of 200, 10000 in all" in page.words()
    last = admin.open(PATH, page="200")
    assert len(logins(last)) == 50 and "Page 200 of 200" in last.words()
    assert last.text.count("<tr") < 60


def test_users_that_are_gone_keep_their_rows(setup: Setup, admin: Person) -> None:
    history.record(setup.org, "005000000000000AAA", Flow.UI, "Invalid login")
    assert logins(admin.open(PATH))[0][0] == "Unknown user"


def test_who_may_look(setup: Setup) -> None:
    assert missing(setup.person("standard").open(PATH)) == ["Manage Users or Monitor Login History"]
    setup.grant("standard", "MonitorLoginHistory")
    assert setup.person("standard").open(PATH).status == 200


def test_a_real_login_shows(setup: Setup, admin: Person) -> None:
    stranger = setup.stranger()
    login = stranger.open("/login")
    data = dict(login.tree.xpath("//form[@id='login_form']")[0].form_values())
    data |= {"username": username(setup.org, "standard"), "pw": "wrong"}
    stranger.http.post("/login", data=data, base_url="http://127.0.0.1:8080")
    assert logins(admin.open(PATH))[0][4] == "Invalid password"


def test_looking_changes_nothing_and_takes_no_posts(logged: Setup, admin: Person) -> None:
    before = logged.state()
    admin.open(PATH, find="x")
    assert admin.post(PATH, csrf=admin.csrf).status == 405
    assert logged.state() == before
