"""The admin page under ``/_simorg/``: what clients do is seen while they do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import requests
from playwright.sync_api import expect

from simorg.testing import connect
from simorg.testing.org import Org
from tests.browser.conftest import Window
from tests.browser.walk import AXE, overflow, violations

pytestmark = pytest.mark.browser


@pytest.fixture
def console(new_window: Callable[..., Window]) -> Window:
    window = new_window()
    look_at(window, "orgs")
    return window


@pytest.fixture
def org(console: Window) -> Iterator[Org]:
    with connect(console.live.http) as server:
        yield server.org(console.org["id"])


def look_at(window: Window, part: str) -> None:
    """Open a part of the page, with the window's org chosen."""
    window.open(f"{window.live.http}/_simorg/#{part}")
    window.page.get_by_label("Org", exact=True).select_option(value=window.org["id"])
    expect(window.page.locator(f"section#{part}")).to_be_visible()
    expect(window.page.locator("#live")).to_have_text("live")


def refused(org: Org, path: str = "sobjects/Account/none") -> int:
    session = org.login("integration", app="Approved Integration")
    answer = requests.get(
        f"{org.http}/services/data/v60.0/{path}",
        headers={"Authorization": f"Bearer {session.access_token}"},
        timeout=30,
    )
    assert session.access_token not in answer.text
    return answer.status_code


def test_requests_come_while_one_looks(console: Window, org: Org) -> None:
    page = console.page
    look_at(console, "requests")
    expect(page.get_by_text("No request yet that fits.")).to_be_visible()
    assert refused(org) == 404
    row = page.locator("#request-rows tr").filter(has_text="/sobjects/Account/none")
    expect(row).to_contain_text("Approved Integration", use_inner_text=True)
    expect(row).to_contain_text("404", use_inner_text=True)
    row.get_by_role("button").click()
    expect(page.get_by_text("Deciding rule")).to_be_visible()
    expect(page.locator("#request")).to_contain_text("Bearer redacted:", use_inner_text=True)
    expect(page.locator("#request h2").first).to_be_focused()
    region = page.get_by_role("region", name="Requests")
    region.get_by_label("Surface").select_option("oauth")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#request-rows tr").filter(has_text="token")).to_be_visible()
    expect(row).to_have_count(0)


def test_the_journal_is_saved_and_cleared(console: Window, org: Org, tmp_path: Path) -> None:
    refused(org)
    look_at(console, "requests")
    expect(console.page.locator("#request-rows tr").first).to_be_visible()
    with console.page.expect_download() as saved:
        console.page.get_by_role("button", name="Save as HAR").click()
    saved.value.save_as(tmp_path / "it.har")
    entries = orjson.loads((tmp_path / "it.har").read_bytes())["log"]["entries"]
    assert any("/sobjects/Account/none" in entry["request"]["url"] for entry in entries)
    console.page.get_by_role("button", name="Clear").click()
    expect(console.page.get_by_text("No request yet that fits.")).to_be_visible()
    assert len(org.requests) == 0


def test_a_fault_is_set_hits_and_goes(console: Window, org: Org) -> None:
    page = console.page
    look_at(console, "faults")
    region = page.get_by_role("region", name="Faults")
    region.get_by_label("Answer").select_option("maintenance (503)")
    region.get_by_label("Surface").select_option("rest")
    page.get_by_role("button", name="Add fault").click()
    row = page.locator("#fault-rows tr")
    cells = row.locator("td.number")
    expect(cells).to_have_text(["0", "0", "1"])
    assert refused(org) == 503
    expect(cells).to_have_text(["1", "1", "0"])
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    region.get_by_label("Operation").fill("no such operation")
    page.get_by_role("button", name="Add fault").click()
    expect(page.get_by_role("alert")).to_contain_text("operation")
    assert org.faults.all() == []


def test_mail_is_read_as_it_comes(console: Window, org: Org) -> None:
    page = console.page
    look_at(console, "mailbox")
    with requests.Session() as browser:
        form = browser.get(f"{org.http}/secur/forgotpassword.jsp", timeout=30).text
        csrf = form.partition('name="csrf" value="')[2].partition('"')[0]
        told = {"csrf": csrf, "un": org.username("standard")}
        browser.post(f"{org.http}/secur/forgotpassword.jsp", told, timeout=30)
    row = page.locator("#mail-rows tr").filter(has_text="standard@")
    row.get_by_role("button").click()
    expect(page.locator("#mail pre")).to_contain_text("/secur/resetpassword?c=")
    page.get_by_role("button", name="Empty it").click()
    expect(row).to_have_count(0)


def test_the_divergence_by_a_click(console: Window, org: Org) -> None:
    page = console.page
    cells = page.locator("#org tr").filter(has_text="Self Service").locator("td")
    state = ["Self Service", "installed"]
    expect(cells).to_have_text([*state, "selfAuthorize", "selfAuthorize", "false", "false"])
    page.get_by_role("button", name="Switch it on").click()
    expect(cells).to_have_text([*state, "selfAuthorize", "adminApproved", "false", "true"])
    assert org.api_access_control.enabled


def test_orgs_are_made_and_deleted(console: Window) -> None:
    page = console.page
    rows = page.locator("#org-rows tr")
    before = [org["id"] for org in console.live.control("GET", "orgs")["orgs"]]
    ids = rows.locator("code")
    expect(ids).to_have_text(before)
    page.get_by_role("button", name="New org").click()
    expect(rows).to_have_count(len(before) + 1)
    made = rows.filter(has_text=ids.nth(len(before)).inner_text())
    choices = page.get_by_label("Org", exact=True).locator("option")
    expect(choices.last).to_contain_text(ids.last.inner_text())  # another Acme is told apart
    made.get_by_role("button", name="Delete").click()
    expect(made).to_have_count(0)
    expect(ids).to_have_text(before)


def test_names_are_text(console: Window) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    with connect(console.live.http) as server, server.create(name=hostile):
        expect(console.page.locator("#org-rows").get_by_text(hostile)).to_be_visible()
        expect(console.page.locator("#org-rows img")).to_have_count(0)


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_for_everybody(new_window: Callable[..., Window], scheme: str) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core (`make ci-setup` installs it)")
    window = new_window(color_scheme=scheme)
    look_at(window, "orgs")
    with connect(window.live.http) as server:
        org = server.org(window.org["id"])
        refused(org)
        org.fail_next("maintenance")
    for part in ("orgs", "requests", "faults"):
        look_at(window, part)
        expect(window.page.locator(f"section#{part} tbody tr").first).to_be_visible()
        assert violations(window) == []
        window.page.set_viewport_size({"width": 320, "height": 640})
        assert overflow(window) == 0
        window.page.set_viewport_size({"width": 1280, "height": 720})
