"""Any input in the forms of an app: saved whole, or a message and nothing saved."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simorg.access import app_editing, app_policies
from simorg.oauth.scopes import SCOPES
from tests.setup_ui.conftest import BASE, Person, Setup

#: any text a browser can send
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["", "0", "-1", "1e9", "\x00", "\r\n", "api", "DAYS", "adminApproved", "https://a.example/b"]
)
quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tried(setup: Setup, person: Person, path: str, form: dict[str, Any]) -> None:
    before = setup.state()
    answer = person.http.post(path, base_url=BASE, data={**form, "csrf": person.csrf})
    assert answer.status_code in (303, 422), answer.status_code
    if answer.status_code == 422:
        assert setup.state() == before
    else:
        assert setup.trail() != [row["Display"] for row in before[0][3]]


@quick
@given(
    form=st.fixed_dictionaries(
        {
            name: TEXT
            for name in ("name", "contact_email", "description", "callback_urls", "certificate")
        }
    ),
    scopes=st.lists(st.sampled_from(sorted(SCOPES)) | TEXT, max_size=3),
)
@example(form={"name": "Ok", "contact_email": "a@b.example", "callback_urls": "https://a.example"},
         scopes=["api"])  # fmt: skip
def test_new_app(setup: Setup, admin: Person, form: dict[str, str], scopes: list[str]) -> None:
    path = "/lightning/setup/ConnectedApplication/new"
    tried(setup, admin, path, {**form, "scopes": scopes})


@quick
@given(
    form=st.fixed_dictionaries(
        {
            "ip_relaxation": st.sampled_from(sorted(app_policies.IP_RELAXATION)) | TEXT,
            "refresh": st.sampled_from(sorted(app_policies.REFRESH)) | TEXT,
            "refresh_amount": st.integers().map(str) | TEXT,
            "refresh_unit": st.sampled_from(sorted(app_policies.UNITS)) | TEXT,
            "timeout": st.sampled_from(sorted(app_policies.TIMEOUTS)) | TEXT,
            "high_assurance": st.sampled_from(sorted(app_policies.HIGH_ASSURANCE)) | TEXT,
            "run_as": st.just("") | TEXT,
        },
        optional={"permitted_users": st.sampled_from(["selfAuthorize", "adminApproved"]) | TEXT},
    )
)
def test_policies(setup: Setup, admin: Person, form: dict[str, str]) -> None:
    app = setup.connected("Self Service").id
    tried(setup, admin, f"/lightning/setup/ConnectedApplication/{app}/policies", form)
    shown = admin.open(f"/lightning/setup/ConnectedApplication/{app}/view")
    assert shown.status == 200


def test_two_administrators_at_once(setup: Setup) -> None:
    """The forms of an app share one record: saving one keeps what the other just saved."""
    caller = setup.org.system_caller()
    stale = setup.connected("Self Service")
    policies = app_policies.draft_of(setup.org, stale)
    draft = app_editing.draft_of(stale)
    changed = app_policies.PolicyDraft(policies.permitted_users, "BYPASS", "zero")
    app_policies.save(caller, stale, changed)
    edited = app_editing.AppDraft(draft.name, "a@b.example", "", draft.callback_urls, draft.scopes)
    app_editing.edit(caller, stale, edited, SCOPES)
    told = setup.connected("Self Service").config
    assert told["ipRelaxation"] == "BYPASS" and told["contactEmail"] == "a@b.example"
    app_policies.save(caller, stale, app_policies.PolicyDraft(None, "ENFORCE", "infinite"))
    assert setup.connected("Self Service").config["contactEmail"] == "a@b.example"


def test_an_app_deleted_meanwhile(setup: Setup, admin: Person) -> None:
    app = setup.connected("Approved Integration")
    page = admin.open(f"/lightning/setup/ConnectedApplication/{app.id}/policies")
    app_editing.delete(setup.org.system_caller(), app)
    assert admin.send(page, "Save").status == 404


def test_a_huge_form(setup: Setup, admin: Person) -> None:
    before = setup.state()
    form = {"name": "x" * 2_000_000, "csrf": admin.csrf}
    answer = admin.http.post("/lightning/setup/ConnectedApplication/new", base_url=BASE, data=form)
    assert answer.status_code == 413
    assert setup.state() == before


def test_messages_fit_a_cookie(setup: Setup, admin: Person) -> None:
    name = "ü" * 80
    draft = app_editing.AppDraft(name, "a@b.example", "", ("https://a.example",), ("api",))
    app = app_editing.create(setup.org.system_caller(), draft, SCOPES)
    answer = admin.http.post(
        f"/lightning/setup/ConnectedApplication/{app.id}/view",
        base_url=BASE,
        data={"do": "delete", "csrf": admin.csrf},
    )
    assert all(len(cookie) < 4096 for cookie in answer.headers.getlist("Set-Cookie"))
    assert name in admin.open("/lightning/setup/ConnectedApplication/home").note
