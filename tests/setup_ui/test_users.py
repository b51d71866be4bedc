"""Users: the list, one user, freezing, deactivating, passwords, permission sets, tokens."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access.login import password_matches
from simorg.org import records
from simorg.org.mailbox import Mailbox
from tests.conftest import username
from tests.setup_ui.conftest import Document, Person, Setup, missing

PATH = "/lightning/setup/ManageUsers/home"
USERS = ["Manage Users or Manage Internal Users"]


def user(setup: Setup, name: str) -> dict[str, Any]:
    [row] = setup.rows("User", Username=username(setup.org, name))
    return row


def view(setup: Setup, name: str, rest: str = "view") -> str:
    return f"/lightning/setup/ManageUsers/{user(setup, name)['Id']}/{rest}"


def login(setup: Setup, name: str) -> dict[str, Any]:
    [row] = setup.rows("UserLogin", UserId=user(setup, name)["Id"])
    return row


def listed(page: Document) -> list[str]:
    return page.all("//tbody//th")


def many_users(setup: Setup, count: int) -> None:
    standard = user(setup, "standard")
    locale = ("TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey", "EmailEncodingKey")
    made = [
        (
            "User",
            {
                "LastName": f"Crowd {n:03}",
                "Alias": f"c{n}",
                "Email": f"crowd{n}@example.com",
                "Username": f"crowd{n}@{setup.org.id}.example",
                "ProfileId": standard["ProfileId"],
                "IsActive": False,
                **{key: standard[key] for key in locale},
            },
        )
        for n in range(count)
    ]
    for start in range(0, count, 200):
        results = records.create(setup.org.system_caller(), made[start : start + 200])
        assert all(result.success for result in results), results[0]


def test_columns_and_views(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH)
    assert page.heading == "All Users"
    columns = "Full Name, Alias, Username, Last Login, State, Profile, Action"
    assert page.all("//thead//th") == columns.split(", ")
    assert len(listed(page)) == 9 and listed(page)[0] == "Ada Admin"
    assert listed(admin.open(PATH, view="inactive")) == ["Ines Inactive"]
    assert listed(admin.open(PATH, view="frozen")) == ["Fred Frozen"]
    assert listed(admin.open(PATH, view="external")) == ["Carl Customer", "Petra Partner"]
    assert "Ines Inactive" not in listed(admin.open(PATH, view="active"))
    assert len(listed(admin.open(PATH, view="nonsense"))) == 9


@pytest.mark.parametrize("find", ["PARTNER", "petra", "partner@"])
def test_find(admin: Person, find: str) -> None:
    assert listed(admin.open(PATH, find=find)) == ["Petra Partner"]


@pytest.mark.parametrize("find", ["%", "_", "\\", "'", '"><script>alert(1)</script>', "\x00zz"])
def test_find_takes_text_as_text(admin: Person, find: str) -> None:
    page = admin.open(PATH, find=find)
    assert page.status == 200 and page.words("//tbody") == "No users to show."
    assert "<script>alert" not in page.text


def test_users_of_a_profile(setup: Setup, admin: Person) -> None:
    page = admin.open(PATH, profile=user(setup, "noapi")["ProfileId"])
    assert listed(page) == ["Nora Noapi"] and "Users of the profile No API" in page.words()
    assert listed(admin.open(PATH, profile="00e000000000000")) == []
    assert len(listed(admin.open(PATH, profile="nonsense"))) == 9


def test_hundreds_of_users_come_in_pages(setup: Setup, admin: Person) -> None:
    many_users(setup, 510)
    page = admin.open(PATH, view="inactive", find="crowd")
    assert len(listed(page)) == 50 and "Page 1 of 11, 510 in all" in page.words()
    [following] = page.tree.xpath("//a[@rel='next']/@href")
    second = admin.open(following)
    assert "Page 2 of 11" in second.words() and listed(second)[0] == "Crowd 050"
    assert len(listed(admin.open(PATH, find="crowd", page="11"))) == 10
    for odd in ("0", "-1", "99", "x", "9" * 30):
        assert admin.open(PATH, find="crowd", page=odd).status == 200


def test_without_manage_users_the_list_is_for_reading(setup: Setup) -> None:
    reader = setup.person("standard")
    page = reader.open(PATH)
    assert len(listed(page)) == 9
    assert not page.tree.xpath(
        "//main//a[normalize-space()='New User']|//main//td/a[text()='Edit']"
    )
    one = reader.open(view(setup, "partner"))
    assert one.status == 200 and not one.tree.xpath("//main//button|//main//a[@role='button']")
    # logins and tokens of others are not for everybody
    assert "Login History" not in one.all("//h2") and "OAuth Connected Apps" not in one.all("//h2")
    own = reader.open(view(setup, "standard"))
    assert "Login History" in own.all("//h2") and "OAuth Connected Apps" in own.all("//h2")


def test_details(setup: Setup, admin: Person) -> None:
    page = admin.open(view(setup, "integration"))
    assert page.heading == "Ingrid Integration"
    words = page.words("//section[@aria-label='User Detail']")
    for part in (username(setup.org, "integration"), "Standard User", "Salesforce", "Active"):
        assert part in words
    sets = page.tree.xpath("//h2[.='Permission Set Assignments']/following::table[1]")[0]
    assert "Integration_Access" in sets.text_content()


@pytest.mark.parametrize("wrong", ["005000000000000", "00e000000000000AAA", "nonsense", "%00", "5"])
def test_no_such_user(admin: Person, wrong: str) -> None:
    for rest in ("view", "edit", "permissionsets", "password"):
        path = f"/lightning/setup/ManageUsers/{wrong}/{rest}"
        assert admin.open(path).status == 404
        assert admin.post(path, csrf=admin.csrf).status == 404
    assert admin.open("/lightning/setup/ManageUsers/page", address=f"/{wrong}").status == 404


def test_salesforces_own_address_of_a_user(setup: Setup, admin: Person) -> None:
    found = user(setup, "standard")["Id"]
    for address in (f"/{found}", f"/{found[:15]}?noredirect=1"):
        page = admin.open("/lightning/setup/ManageUsers/page", address=address)
        assert page.response.headers["Location"] == view(setup, "standard")


# -- what happens to a login ---------------------------------------------------------------------


def test_freeze_and_unfreeze(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    assert setup.works(token)
    page = admin.send(admin.open(view(setup, "integration")), "Freeze")
    assert page.note == "Ingrid Integration was frozen. Live sessions have ended."
    assert login(setup, "integration")["IsFrozen"] and not setup.works(token)
    assert "Frozen" in page.words("//section[@aria-label='User Detail']")
    named = f"Ingrid Integration (UserID: [{user(setup, 'integration')['Id'][:15]}])"
    assert setup.trail()[-1] == f"Froze user {named}"
    page = admin.send(page, "Unfreeze")
    assert page.note == "Ingrid Integration was unfrozen."
    assert not login(setup, "integration")["IsFrozen"] and "Unfroze user" in setup.trail()[-1]


def test_deactivate_and_activate(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    page = admin.send(admin.open(view(setup, "integration")), "Deactivate")
    assert not user(setup, "integration")["IsActive"] and not setup.works(token)
    assert setup.trail()[-1] == "Deactivated user Ingrid Integration"
    admin.send(page, "Activate")
    assert user(setup, "integration")["IsActive"]
    assert setup.trail()[-1] == "Activated user Ingrid Integration"


@pytest.mark.parametrize(("button", "words"), [("Freeze", "freeze"), ("Deactivate", "deactivate")])
def test_nobody_shuts_themselves_out(setup: Setup, admin: Person, button: str, words: str) -> None:
    before = setup.state()
    page = admin.send(admin.open(view(setup, "admin")), button)
    assert page.note == f"You cannot {words} yourself"
    assert setup.state() == before


def test_unlock(setup: Setup, admin: Person) -> None:
    assert not admin.open(view(setup, "standard")).tree.xpath("//button[.='Unlock']")
    locked = setup.org.store.table("UserLogin")
    with setup.org.store.writing() as tx:
        tx.execute(setup.org.store.prepare(
            locked.update().where(locked.c.UserId == user(setup, "standard")["Id"])
            .values(IsPasswordLocked=True)
        ))  # fmt: skip
        tx.touch_access()
    page = admin.send(admin.open(view(setup, "standard")), "Unlock")
    assert page.note == "Stan Standard was unlocked."
    assert not login(setup, "standard")["IsPasswordLocked"]


def test_reset_password_is_shown_once(setup: Setup, admin: Person) -> None:
    page = admin.send(admin.open(view(setup, "standard")), "Reset Password")
    password = page.words("//code[@id='password']")
    standard = user(setup, "standard")["Id"]
    assert password_matches(setup.org, standard, password)
    assert user(setup, "standard")["simorg_PasswordExpired"]
    assert "no-store" in page.response.headers["Cache-Control"]
    assert password not in admin.open(view(setup, "standard")).text
    assert password not in "".join(setup.trail()) and "Reset password" in setup.trail()[-1]
    (mail,) = Mailbox(setup.org).all()
    assert (mail.kind, mail.user) == ("passwordReset", standard)
    assert "/secur/resetpassword?c=" in (mail.text or "") and password not in (mail.text or "")


def test_set_password(setup: Setup, admin: Person) -> None:
    form = admin.open(view(setup, "standard", "password"))
    page = admin.send(form, "Save", password=" spaced Passw0rd ", again=" spaced Passw0rd ")
    assert page.note == "The password of Stan Standard was set."
    assert password_matches(setup.org, user(setup, "standard")["Id"], " spaced Passw0rd ")
    assert not user(setup, "standard")["simorg_PasswordExpired"]


@pytest.mark.parametrize(
    ("password", "again", "field", "message"),
    [
        ("abc", "abc", "password", "at least 8 characters"),
        ("onlyletters", "onlyletters", "password", "letters and numbers"),
        ("simorg123", "simorg123", "password", "invalid repeated password"),
        ("Passw0rd1", "Passw0rd2", "again", "do not match"),
        ("", "", "password", "at least 8 characters"),
    ],
)
def test_bad_passwords(
    setup: Setup, admin: Person, password: str, again: str, field: str, message: str
) -> None:
    before = setup.state()
    form = admin.open(view(setup, "standard", "password"))
    page = admin.send(form, "Save", password=password, again=again)
    assert page.status == 422 and message in page.problem(field)
    assert not password or password not in page.text
    assert setup.state() == before


@pytest.mark.parametrize(
    ("do", "lacking"),
    [
        ("freeze", "Manage Users or Freeze Users"),
        ("unfreeze", "Manage Users or Freeze Users"),
        ("activate", "Manage Users or Manage Internal Users"),
        ("deactivate", "Manage Users or Manage Internal Users"),
        ("reset", "Manage Users or Reset User Passwords and Unlock Users"),
        ("unlock", "Manage Users or Reset User Passwords and Unlock Users"),
    ],
)
def test_actions_name_what_is_missing(setup: Setup, do: str, lacking: str) -> None:
    reader = setup.person("standard")
    before = setup.state()
    page = reader.post(view(setup, "integration"), csrf=reader.csrf, do=do)
    assert missing(page) == [lacking]
    assert setup.state() == before


def test_unknown_action(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for do in ("", "delete", "\x00", "<b>"):
        page = admin.post(view(setup, "integration"), csrf=admin.csrf, do=do)
        assert page.note == "There is no such action."
    assert setup.state() == before


# -- connected apps of a user --------------------------------------------------------------------


def test_revoke_one_token(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    kept = setup.token("integration", "Approved Integration")
    page = admin.open(view(setup, "integration"))
    page = admin.send(page, "Revoke", near="Self Service")
    assert page.note == "Revoked access through Self Service."
    assert not setup.works(token) and setup.works(kept)
    assert "through connected app Self Service" in setup.trail()[-1]
    gone = admin.post(view(setup, "integration"), csrf=admin.csrf, do="revoke", token="S7tnone")
    assert gone.note == "The access was revoked already."


def test_anothers_token_is_not_revoked_through_the_wrong_user(setup: Setup, admin: Person) -> None:
    token = setup.token("integration", "Self Service")
    row = setup.rows("OauthToken", simorg_AppId=setup.connected("Self Service").id)[-1]
    page = admin.post(
        view(setup, "standard"), csrf=admin.csrf, do="revoke", token=row["simorg_Key"]
    )
    assert page.note == "The access was revoked already." and setup.works(token)
    reader = setup.person("standard")
    page = reader.post(view(setup, "integration"), csrf=reader.csrf, do="revoke",
                       token=row["simorg_Key"])  # fmt: skip
    assert missing(page) == ["Manage Users"] and setup.works(token)


def test_looking_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for rest in ("view", "edit", "permissionsets", "password"):
        assert admin.open(view(setup, "integration", rest), do="freeze", part="x").status == 200
    admin.open(PATH)
    assert setup.state() == before


def test_forged_posts(setup: Setup, admin: Person) -> None:
    before = setup.state()
    for rest in ("view", "edit", "permissionsets", "password"):
        page = admin.post(view(setup, "integration", rest), do="freeze", csrf="0" * 64)
        assert page.status == 403 and page.heading == "Page expired"
    assert setup.state() == before
