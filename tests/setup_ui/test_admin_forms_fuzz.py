"""Any input in the forms of users, profiles, sets and settings: saved, or a message and nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simorg.access import profile_lists
from simorg.access.weekly_hours import WEEKDAYS
from simorg.setup_ui.user_edit import FIELDS
from tests.conftest import username
from tests.setup_ui.conftest import BASE, Person, Setup

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=90) | st.sampled_from(
    ["", "0", "\x00", "\x01", "\r\n", "a@b.example", "x" * 81, "<b>&amp;", "%s%00", "' OR 1=1 --"]
)
quick = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tried(setup: Setup, person: Person, path: str, form: dict[str, Any]) -> int:
    """Post a form; whatever was refused must have left no trace."""
    before = setup.state()
    answer = person.http.post(path, base_url=BASE, data={**form, "csrf": person.csrf})
    assert answer.status_code in (303, 422), answer.status_code
    if answer.status_code == 422:
        assert setup.state() == before
    return int(answer.status_code)


def user_path(setup: Setup, name: str, rest: str) -> str:
    [row] = setup.rows("User", Username=username(setup.org, name))
    return f"/lightning/setup/ManageUsers/{row['Id']}/{rest}"


def a_profile(setup: Setup, name: str) -> str:
    [row] = setup.rows("Profile", Name=name)
    return str(row["Id"])


@quick
@given(form=st.fixed_dictionaries({}, optional={name: TEXT for name, *_ in FIELDS}))
@example(form={"LastName": "\x01"})
@example(form={"LastName": "Ok", "Alias": "ok", "Email": "a@b.example", "FirstName": "\x00"})
def test_user(setup: Setup, admin: Person, form: dict[str, str]) -> None:
    path = user_path(setup, "integration", "edit")
    page = admin.open(path)
    whole = dict(page.form("Save").form_values()) | form
    whole["Username"] = username(setup.org, "integration")  # or the next example finds nobody
    tried(setup, admin, path, whole)
    view = admin.open(path.replace("/edit", "/view"))
    assert view.status == 200 and view.heading
    tried(setup, admin, "/lightning/setup/ManageUsers/new", whole)


@quick
@given(
    form=st.fixed_dictionaries(
        {"Label": TEXT, "Name": TEXT | st.from_regex(r"[A-Za-z_]{1,5}", fullmatch=True)},
        optional={"Description": TEXT, "LicenseId": TEXT},
    )
)
def test_permission_set(setup: Setup, admin: Person, form: dict[str, str]) -> None:
    tried(setup, admin, "/lightning/setup/PermSets/new", {"LicenseId": "", **form})
    [row] = setup.rows("PermissionSet", Id=_first_set(setup))
    path = f"/lightning/setup/PermSets/{row['Id']}/view"
    tried(setup, admin, path, {"part": "properties", **form})
    assert admin.open(path).status == 200
    assert admin.open("/lightning/setup/PermSets/home").status == 200


def _first_set(setup: Setup) -> str:
    return str(profile_lists.permission_sets(setup.org).rows(setup.org)[0]["Id"])


LINE = TEXT | st.ip_addresses().map(str) | st.tuples(
    st.ip_addresses(), st.ip_addresses()
).map(lambda pair: f"{pair[0]} - {pair[1]}")  # fmt: skip


@quick
@given(lines=st.lists(LINE, max_size=4), hours=st.dictionaries(st.sampled_from(WEEKDAYS), TEXT))
@example(lines=["::1 - ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"], hours={})
@example(lines=["fe80::1%eth0", "0.0.0.0 - 255.255.255.255"], hours={"monday": "08:00-17:00"})
def test_login_limits(setup: Setup, admin: Person, lines: list[str], hours: dict[str, str]) -> None:
    path = f"/lightning/setup/EnhancedProfiles/{a_profile(setup, 'No API')}/view"
    tried(setup, admin, path, {"part": "ranges", "ranges": "\n".join(lines)})
    tried(setup, admin, path, {"part": "hours", **hours})
    assert admin.open(path).status == 200
    # what was kept is what the login reads
    from simorg.access.ip_ranges import ip_allowed
    from simorg.access.login_hours import hours_allowed

    found = a_profile(setup, "No API")
    assert ip_allowed(setup.org, found, "192.0.2.1") in (True, False)
    assert hours_allowed(setup.org, found) in (True, False)


@quick
@given(names=st.lists(TEXT, max_size=3))
def test_ticks(setup: Setup, admin: Person, names: list[str]) -> None:
    profile = f"/lightning/setup/EnhancedProfiles/{a_profile(setup, 'No API')}/view"
    chosen = f"/lightning/setup/PermSets/{_first_set(setup)}"
    posts: list[tuple[str, dict[str, Any]]] = [
        (profile, {"part": "permissions", "permission": names}),
        (profile, {"part": "apps", "app": names}),
        (f"{chosen}/view", {"part": "apps", "app": names}),
        (f"{chosen}/assignments", {"do": "add", "user": names}),
        (f"{chosen}/assignments", {"do": "remove", "assignment": names}),
        (user_path(setup, "standard", "permissionsets"), {"set": names}),
        (user_path(setup, "standard", "view"), {"do": "revoke", "token": names[:1]}),
        ("/lightning/setup/SessionManagementPage/home", {"session": names}),
        ("/lightning/settings/personal/AdvancedUserDetails/home", {"token": names}),
    ]
    for path, form in posts:
        assert tried(setup, admin, path, form) == 303


@quick
@given(given=TEXT, again=TEXT)
def test_passwords(setup: Setup, admin: Person, given: str, again: str) -> None:
    path = user_path(setup, "standard", "password")
    assert tried(setup, admin, path, {"password": given, "again": given + "x" + again}) == 422
    tried(setup, admin, path, {"password": given, "again": given})


@quick
@given(value=TEXT | st.integers().map(str))
def test_settings(setup: Setup, admin: Person, value: str) -> None:
    path = "/lightning/setup/OauthOidcSettings/home"
    tried(setup, admin, path, {"jwtLifetimeSeconds": value})
    tried(setup, admin, "/lightning/setup/SecuritySession/home", {"timeout": value})
    assert admin.open(path).status == 200


@quick
@given(asked=st.dictionaries(
    st.sampled_from("find view outcome section user profile page edit add address".split()), TEXT
))  # fmt: skip
def test_queries(setup: Setup, admin: Person, asked: dict[str, str]) -> None:
    before = setup.state()
    for name in ("ManageUsers", "PermSets", "EnhancedProfiles", "OrgLoginHistory",
                 "SessionManagementPage", "SecurityEvents", "SimorgExternalApps"):  # fmt: skip
        assert admin.open(f"/lightning/setup/{name}/home", **asked).status == 200
    assert admin.open("/lightning/setup/ManageUsers/page", **asked).status == 404
    assert setup.state() == before
