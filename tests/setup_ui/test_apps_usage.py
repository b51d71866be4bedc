"""Connected Apps OAuth Usage: the list, installing, blocking, revoking."""

from __future__ import annotations

from simorg.access import apps
from tests.setup_ui.conftest import Document, Person, Setup, missing

PATH = "/lightning/setup/ConnectedAppsUsage/home"
INSTALL = "/identity/app/AppInstallApprovalPage.apexp"


def buttons(page: Document, app: str) -> dict[str, bool]:
    """What a row offers: label -> whether it can be pressed."""
    [row] = page.tree.xpath(f"//tbody/tr[th[normalize-space()='{app}']]")
    found = {}
    for control in row.xpath(".//button|.//a[@role='button']"):
        words = control.text.strip()
        found[words] = control.get("disabled") is None
    return found


def install_url(page: Document, app: str) -> str:
    [url] = page.tree.xpath(f"//tr[th[normalize-space()='{app}']]//a[@role='button']/@href")
    return str(url)


def test_columns_and_rows(admin: Person) -> None:
    page = admin.open(PATH)
    assert page.heading == "Connected Apps OAuth Usage"
    columns = page.all("//thead//th")
    assert [c for c in columns if "simorg" not in c] == [
        "Connected App",
        "Manage App Policies",
        "User Count",
        "Actions",
    ]
    assert buttons(page, "Approved Integration") == {"Uninstall": True, "Block": True}
    assert buttons(page, "Uninstalled Tool") == {"Install": True, "Block": True}
    assert buttons(page, "Blocked Tool") == {"Uninstall": True, "Unblock": True}
    assert "Workbench" not in page.all("//tbody//th")


def test_unblock_is_disabled_for_apps_not_approved(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    page = admin.open(PATH)
    assert buttons(page, "Uninstalled Tool") == {"Install": True, "Unblock": False}
    assert buttons(page, "Blocked Tool") == {"Uninstall": True, "Unblock": True}
    apps.block(setup.org.system_caller(), setup.connected("Uninstalled Tool"))
    before = setup.state()
    page = admin.post(PATH, csrf=admin.csrf, app=setup.connected("Uninstalled Tool").id,
                      do="unblock")  # fmt: skip
    assert "install it to approve it" in page.note
    assert setup.state() == before


def test_an_app_somebody_tried_gets_a_row(setup: Setup, admin: Person) -> None:
    setup.set(adminApprovedUsersOnly=True)
    assert "Salesforce CLI" not in admin.open(PATH).all("//tbody//th")
    apps.note_attempt(setup.org, setup.connected("Salesforce CLI"))
    page = admin.open(PATH)
    assert buttons(page, "Salesforce CLI") == {"Install": True, "Unblock": False}
    assert "Blocked by API Access Control" in page.words("//tr[th='Salesforce CLI']")


def test_an_app_refused_by_the_usage_restrictions_gets_a_row(setup: Setup, admin: Person) -> None:
    """Without the preference nothing marks the app; its failed login does."""
    answer = setup.person("standard").open(
        "/services/oauth2/authorize",
        response_type="code",
        client_id="PlatformCLI",
        redirect_uri="http://localhost:1717/OauthRedirect",
    )
    assert "app+must+be+installed" in answer.response.headers["Location"]
    assert buttons(admin.open(PATH), "Salesforce CLI") == {"Install": True, "Block": True}


def test_install_and_uninstall(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    url = install_url(page, "Uninstalled Tool")
    assert url.startswith(INSTALL + "?app_id=0Ci")
    ask = admin.open(url)
    assert ask.heading == "Install connected app?"
    assert not setup.connected("Uninstalled Tool").installed
    done = admin.send(ask, "Install")
    assert "was installed" in done.note and done.path == PATH
    assert setup.connected("Uninstalled Tool").installed
    assert setup.trail()[-1] == "Installed connected app Uninstalled Tool"
    assert buttons(done, "Uninstalled Tool") == {"Uninstall": True, "Block": True}
    [link] = done.tree.xpath("//tr[th='Uninstalled Tool']//a[contains(., 'Manage App Policies')]")
    assert setup.connected("Uninstalled Tool").id in link.get("href")
    assert "installed already" in admin.open(url).words()
    again = admin.post(INSTALL, csrf=admin.csrf, app_id=setup.connected("Uninstalled Tool").id)
    assert "installed already" in again.note
    gone = admin.send(done, "Uninstall", near="Uninstalled Tool")
    assert "was uninstalled" in gone.note
    assert not setup.connected("Uninstalled Tool").installed


def test_block_ends_sessions_and_unblock_lets_in_again(setup: Setup, admin: Person) -> None:
    token = setup.token("standard", "Self Service")
    assert setup.works(token)
    done = admin.send(admin.open(PATH), "Block", near="Self Service")
    assert "was blocked" in done.note and not setup.works(token)
    assert setup.trail()[-1] == "Blocked connected app Self Service"
    done = admin.send(done, "Unblock", near="Self Service")
    assert "was unblocked" in done.note
    assert not setup.works(token)
    assert setup.works(setup.token("standard", "Self Service"))


def test_users_of_an_app(setup: Setup, admin: Person) -> None:
    mine, other = setup.token("standard", "Self Service"), setup.token("admin", "Self Service")
    setup.token("standard", "Self Service")
    listed = admin.open(PATH)
    [link] = listed.tree.xpath("//tr[th='Self Service']//a[contains(@href, '/users')]")
    assert link.text == "2" and link.get("aria-label") == "2 users of Self Service"
    page = admin.open(link.get("href"))
    assert page.all("//thead//th") == [
        "User", "First Used", "Most Recently Used", "Use Count", "Tokens", "Actions",
    ]  # fmt: skip
    row = page.words("//tbody/tr[contains(., 'standard@')]")
    assert "Stan Standard" in row and " 22 Revoke" in row
    done = admin.send(page, "Revoke", near="standard@")
    assert "Revoked" in done.note and "standard@" not in done.words("//tbody")
    assert not setup.works(mine) and setup.works(other)
    assert "standard@" in setup.trail()[-1]
    done = admin.send(done, "Revoke All")
    assert done.words("//tbody") == "Nobody has used this app."
    assert not setup.works(other)
    assert setup.rows("OauthToken", simorg_AppId=setup.connected("Self Service").id) == []


def test_revoking_what_is_gone(setup: Setup, admin: Person) -> None:
    path = f"/lightning/setup/ConnectedAppsUsage/{setup.connected('Self Service').id}/users"
    before = setup.state()
    for user in ("", "005000000000000AAA", "' OR 1=1"):
        page = admin.post(path, csrf=admin.csrf, do="one", user=user)
        assert "has no token of Self Service" in page.note
    assert setup.state() == before


def test_unknown_apps(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for app in ("", "0H4000000000000AAA", "<script>", "' --"):
        answer = admin.post(PATH, csrf=admin.csrf, app=app, do="block")
        assert "no such connected app" in answer.note
        assert admin.open(INSTALL, app_id=app).status == 404
        assert admin.post(INSTALL, csrf=admin.csrf, app_id=app).status == 404
        if app:
            assert admin.open(f"/lightning/setup/ConnectedAppsUsage/{app}/users").status == 404
    assert setup.state() == before


def test_another_orgs_install_address(setup: Setup, admin: Person) -> None:
    app_id = setup.connected("Uninstalled Tool").id
    assert admin.open(INSTALL, app_id=app_id, app_org_id="00D000000000001").status == 404


def test_unknown_action(setup: Setup, admin: Person) -> None:
    before = setup.state()
    app = setup.connected("Self Service").id
    assert "no such action" in admin.post(PATH, csrf=admin.csrf, app=app, do="explode").note
    assert setup.state() == before


def test_who_may_look(setup: Setup) -> None:
    for path in (
        PATH,
        f"/lightning/setup/ConnectedAppsUsage/{setup.connected('Workbench').id}/users",
    ):
        assert missing(setup.person("standard").open(path)) == ["Manage Users"]
    assert missing(setup.person("customer").open(PATH)) == [
        "View Setup and Configuration",
        "Manage Users",
    ]


def test_who_may_act(setup: Setup) -> None:
    setup.grant("standard", "ManageUsers")
    reader = setup.person("standard")
    page = reader.open(PATH)
    assert page.status == 200 and buttons(page, "Self Service") == {}
    before = setup.state()
    app = setup.connected("Self Service").id
    lacking = ["Customize Application", "Modify All Data or Manage Connected Apps"]
    for do in ("block", "unblock", "uninstall"):
        assert missing(reader.post(PATH, csrf=reader.csrf, app=app, do=do)) == lacking
    assert missing(reader.post(INSTALL, csrf=reader.csrf, app_id=app)) == lacking
    assert setup.state() == before


def test_forged_forms(setup: Setup, admin: Person) -> None:
    app = setup.connected("Self Service").id
    before = setup.state()
    for path, form in (
        (PATH, {"app": app, "do": "block"}),
        (INSTALL, {"app_id": setup.connected("Uninstalled Tool").id}),
        (f"/lightning/setup/ConnectedAppsUsage/{app}/users", {"do": "all"}),
    ):
        for token in ({}, {"csrf": "f" * 64}):
            assert admin.post(path, **form, **token).status == 403
    assert setup.state() == before


def test_looking_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    app = setup.connected("Self Service").id
    admin.open(PATH, do="block", app=app)
    admin.open(INSTALL, app_id=setup.connected("Uninstalled Tool").id)
    admin.open(f"/lightning/setup/ConnectedAppsUsage/{app}/users", do="all")
    assert setup.state() == before


def test_names_are_escaped_and_found(setup: Setup, admin: Person) -> None:
    from sqlalchemy import update

    table = setup.org.store.table("ConnectedApplication")
    name = "<script>alert(1)</script>\"'"
    statement = update(table).where(table.c.Id == setup.connected("Self Service").id)
    with setup.org.store.writing() as tx:
        tx.execute(setup.org.store.prepare(statement.values(Name=name)))
        tx.touch_access()
    page = admin.open(PATH)
    assert name in page.all("//tbody//th") and "<script>alert" not in page.text
    assert admin.open(PATH, find="ALERT(").all("//tbody//th") == [name]
    done = admin.post(PATH, csrf=admin.csrf, app=setup.connected(name).id, do="block")
    assert name in done.note and "<script>alert" not in done.text


def test_packaged_apps_ask_for_one_more_permission(setup: Setup, admin: Person) -> None:
    from sqlalchemy import update

    table = setup.org.store.table("ConnectedApplication")
    app = setup.connected("Uninstalled Tool").id
    statement = update(table).where(table.c.Id == app).values(simorg_Config='{"packaged": true}')
    with setup.org.store.writing() as tx:
        tx.execute(setup.org.store.prepare(statement))
        tx.touch_access()
    setup.grant("admin", "InstallPackaging", revoke=True)
    page = admin.post(INSTALL, csrf=admin.csrf, app_id=app)
    assert missing(page) == ["Download AppExchange Packages"]
    setup.grant("admin", "InstallPackaging")
    assert "was installed" in admin.post(INSTALL, csrf=admin.csrf, app_id=app).note
