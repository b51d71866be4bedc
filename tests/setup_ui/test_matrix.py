"""The access matrix: what it shows is what the gate says, at any size."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import explain, rows
from simorg.access.matrix import Matrix, Way, find_apps
from simorg.access.model import Flow
from simorg.setup_ui.access_matrix import FLOWS
from tests.rows import change_rows
from tests.setup_ui.conftest import Document, Person, Setup, missing

PATH = "/lightning/setup/SimorgAccessMatrix/home"


def cells(page: Document, user: str) -> dict[str, str]:
    """Column -> what the user's cell says aloud."""
    names = page.all("//thead/tr[1]/th")[1:]
    [row] = page.tree.xpath(f"//tbody/tr[contains(th, '{user}')]")
    said = [a.get("aria-label").split(": ", 1)[1] for a in row.xpath(".//td/a")]
    return dict(zip(names, said, strict=True))


def test_at_a_glance(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(PATH)
    assert page.heading == "Access Matrix simorg"
    integration = cells(page, "Ingrid")
    assert integration["Approved Integration"] == "let in"
    assert integration["Self Service"].startswith("refused at login by G5")
    assert cells(page, "Stan Standard")["Approved Integration"].startswith("refused at login by G5")
    assert cells(page, "Stan Standard")["SOAP login(), then REST"].startswith(
        "refused at call by G9"
    )
    assert cells(page, "Andy")["Uninstalled Tool"] != "let in"
    assert set(cells(page, "Ines").values()) != {"let in"}
    assert "let in" not in {v for k, v in cells(page, "Fred").items()}
    counts = page.all("//thead/tr[2]/td")
    assert counts and all(c.isdigit() for c in counts)
    setup.set(adminApprovedUsersOnly=False)
    assert cells(admin.open(PATH), "Stan Standard")["Self Service"] == "let in"


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"adminApprovedUsersOnly": True},
        {"externalUsersInstalledOnly": True},
        {"adminApprovedUsersOnly": True, "externalUsersInstalledOnly": True,
         "visualforceAllowed": True},
    ],
)  # fmt: skip
def test_every_cell_is_what_explain_says(setup: Setup, switches: dict[str, bool]) -> None:
    setup.set(**switches)
    setup.token("standard", "Self Service")
    setup.token("customer", "Uninstalled Tool")
    matrix = Matrix(setup.org)
    apps = find_apps(setup.org, first_party=True)
    ways = [Way(flow, app) for flow in FLOWS for app in (*apps[:2], *apps)]
    ways += [Way(Flow.SOAP_LOGIN), Way(Flow.UI)]
    for seat, found in matrix.rows(matrix.seats, ways):
        for way, cell in zip(ways, found, strict=True):
            told: dict[str, Any] = explain.explain(
                setup.org,
                seat.username,
                way.app.id if way.app else None,
                str(way.flow),
                "ui" if way.flow is Flow.UI else "rest",
            )
            assert cell.allowed == told["allowed"], (seat.username, way)
            if not cell.allowed:
                part = told["login"] if cell.at == "login" else told["call"]
                assert cell.rule == part["rule"]
                assert cell.reason == part["trail"][-1]["reason"]


def test_cells_open_their_rules(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(PATH)
    [link] = page.tree.xpath("//a[contains(@aria-label, 'Stan Standard, Self Service')]")
    assert link.text == "G5" and "no" in link.get("class")
    told = admin.open(link.get("href"))
    assert told.status == 200 and told.heading.startswith("Refused: standard@")
    assert "invalid_app_access" in told.words() or "OAUTH_APP_ACCESS_DENIED" in told.words()
    assert "refused by G5" in told.words()
    steps = told.tree.xpath("//ol[@class='trail'][1]/li")
    assert [s.get("class") for s in steps][-1] == "stopped"
    assert all(a.startswith("https://") for a in told.tree.xpath("//ol//a/@href"))
    alone = page.tree.xpath("//a[contains(@aria-label, 'Stan Standard, SOAP')]/@href")[0]
    assert "G9" in admin.open(alone).words()


def test_filters(setup: Setup, admin: Person) -> None:
    assert len(admin.open(PATH, user="stan standard").all("//tbody/tr")) == 1
    page = admin.open(PATH, profile="System Administrator", app="self", flow="jwt_bearer")
    assert all("System Administrator" in row for row in page.all("//tbody/tr/th"))
    assert page.all("//thead/tr[1]/th")[1] == "Self Service"
    assert page.words("//select[@name='flow']/option[@selected]") == "JWT bearer"
    assert "Workbench" not in page.all("//thead/tr[1]/th")
    page = admin.open(PATH, own="1", app="work")
    assert page.all("//thead/tr[1]/th")[1] == "Workbench"
    assert "No users match" in admin.open(PATH, user="nobody at all").words()


HOSTILE = ["<script>alert(1)</script>", "%", "' OR '1'='1", "\x00", "é" * 100, "-1", "9" * 30]


def test_hostile_filters(setup: Setup, admin: Person) -> None:
    before = setup.state()
    stan = {"user": setup.rows("User", FirstName="Stan")[0]["Username"], "flow": "web_server"}
    for text in HOSTILE:
        for name in ("user", "profile", "app", "flow", "page", "apps", "own"):
            page = admin.open(PATH, **{name: text})
            assert page.status == 200 and "<script>alert" not in page.text
        for name in ("user", "app", "flow"):
            told = admin.open(PATH.replace("home", "why"), **{**stan, name: text})
            assert told.status == 404 and "<script>alert" not in told.text
    assert setup.state() == before


def test_who_may_look(setup: Setup) -> None:
    for path in (PATH, PATH.replace("home", "why")):
        assert missing(setup.person("standard").open(path)) == ["Manage Users"]


def crowd(setup: Setup, users: int, apps: int) -> None:
    """More users and apps."""
    org = setup.org
    profile = setup.rows("User", FirstName="Stan")[0]["ProfileId"]
    sets = [row["Id"] for row in setup.rows("PermissionSet", IsOwnedByProfile=False)]
    with org.store.writing() as tx:
        for n in range(users):
            values = {"Username": f"u{n:04}@crowd.example", "Name": f"User {n:04}",
                      "LastName": f"{n:04}", "IsActive": n % 9 != 0, "UserType": "Standard",
                      "ProfileId": profile}  # fmt: skip
            user_id = rows.insert(org, tx, "User", values)
            given = {
                "AssigneeId": user_id,
                "PermissionSetId": sets[n % len(sets)],
                "IsActive": True,
            }
            rows.insert(org, tx, "PermissionSetAssignment", given)
        for n in range(apps):
            values = {"Name": f"App {n:03}", "simorg_ConsumerKey": f"key{n}",
                      "simorg_Installed": n % 3 != 0}  # fmt: skip
            app_id = rows.insert(org, tx, "ConnectedApplication", values)
            access = {"ParentId": sets[n % len(sets)], "SetupEntityId": app_id,
                      "SetupEntityType": "ConnectedApplication"}  # fmt: skip
            rows.insert(org, tx, "SetupEntityAccess", access)
        tx.touch_access()


def test_a_big_org_takes_no_more_statements(
    setup: Setup, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.set(adminApprovedUsersOnly=True)
    admin.open(PATH)
    counted = 0
    with setup.org.store.reading() as reader:
        kind = type(reader)
    original = kind.rows

    def counting(self: Any, *arguments: Any) -> Any:
        nonlocal counted
        counted += 1
        return original(self, *arguments)

    monkeypatch.setattr(kind, "rows", counting)
    admin.open(PATH)
    few, counted = counted, 0
    crowd(setup, 120, 40)
    admin.open(PATH)  # reads apps and settings again after the change
    counted = 0
    page = admin.open(PATH)
    assert counted <= few + 1
    assert len(page.all("//tbody/tr")) == 50 and len(page.all("//thead/tr[1]/th")) == 15
    assert len(page.text) < 400_000
    nexts = page.tree.xpath("//a[@rel='next']/@href")
    assert len(nexts) == 2
    second = admin.open(nexts[0])
    assert second.words("//nav[@aria-label='Users']/span").startswith("Page 2 of 3")
    assert not set(second.all("//tbody/tr/th")) & set(page.all("//tbody/tr/th"))
    other = admin.open(second.tree.xpath("//nav[@aria-label='Apps']/a[@rel='next']/@href")[0])
    assert other.words("//nav[@aria-label='Users']/span").startswith("Page 2 of 3")
    assert other.words("//nav[@aria-label='Apps']/span").startswith("Page 2 of")
    assert admin.open(PATH, page="999", apps="999").status == 200


def test_expired_and_revoked_assignments_do_not_count(setup: Setup) -> None:
    setup.set(adminApprovedUsersOnly=True)
    way = Way(Flow.WEB_SERVER, setup.connected("Approved Integration"))

    def ingrid() -> bool:
        matrix = Matrix(setup.org)
        [seat] = [s for s in matrix.seats if s.name.startswith("Ingrid")]
        return matrix.cell(seat, way).allowed

    assert ingrid()
    user = setup.rows("User", FirstName="Ingrid")[0]["Id"]
    for change, back in (
        ({"ExpirationDate": "2020-01-01T00:00:00.000+0000"}, {"ExpirationDate": None}),
        ({"IsActive": False}, {"IsActive": True}),
        ({"IsRevoked": True}, {"IsRevoked": False}),
    ):
        for values, expected in ((change, False), (back, True)):
            change_rows(setup.org, "PermissionSetAssignment", values, AssigneeId=user)
            assert ingrid() is expected
