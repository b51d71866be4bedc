"""The admin page under ``/_simorg/``: what clients do is seen while they do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import requests

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
    window.page.locator("#live").filter(has_text="live").wait_for()


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
    page.get_by_text("No request yet that fits.").wait_for()
    assert refused(org) == 404
    row = page.locator("#request-rows tr").filter(has_text="/sobjects/Account/none")
    row.filter(has_text="Approved Integration").filter(has_text="404").wait_for()
    row.get_by_role("button").click()
    page.get_by_text("Deciding rule").wait_for()
    assert "Bearer redacted:" in page.locator("#request").inner_text()
    assert page.locator("#request h2").first.evaluate("e => e === document.activeElement")
    region = page.get_by_role("region", name="Requests")
    region.get_by_label("Surface").select_option("oauth")
    page.get_by_role("button", name="Filter").click()
    page.locator("#request-rows tr").filter(has_text="token").wait_for()
    row.wait_for(state="detached")


def test_the_journal_is_saved_and_cleared(console: Window, org: Org, tmp_path: Path) -> None:
    refused(org)
    look_at(console, "requests")
    console.page.locator("#request-rows tr").first.wait_for()
    with console.page.expect_download() as saved:
        console.page.get_by_role("button", name="Save as HAR").click()
    saved.value.save_as(tmp_path / "it.har")
    entries = orjson.loads((tmp_path / "it.har").read_bytes())["log"]["entries"]
    assert any("/sobjects/Account/none" in entry["request"]["url"] for entry in entries)
    console.page.get_by_role("button", name="Clear").click()
    console.page.get_by_text("No request yet that fits.").wait_for()
    assert len(org.requests) == 0


def test_a_fault_is_set_hits_and_goes(console: Window, org: Org) -> None:
    page = console.page
    look_at(console, "faults")
    region = page.get_by_role("region", name="Faults")
    region.get_by_label("Answer").select_option("maintenance (503)")
    region.get_by_label("Surface").select_option("rest")
    page.get_by_role("button", name="Add fault").click()
    row = page.locator("#fault-rows tr")
    row.wait_for()
    cells = row.locator("td.number")
    assert cells.all_inner_texts() == ["0", "0", "1"]
    assert refused(org) == 503
    cells.nth(1).filter(has_text="1").wait_for()
    assert cells.all_inner_texts() == ["1", "1", "0"]
    row.get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    region.get_by_label("Operation").fill("no such operation")
    page.get_by_role("button", name="Add fault").click()
    page.get_by_role("alert").filter(has_text="operation").wait_for()
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
    page.locator("#mail pre").filter(has_text="/secur/resetpassword?c=").wait_for()
    page.get_by_role("button", name="Empty it").click()
    row.wait_for(state="detached")


def test_the_divergence_by_a_click(console: Window, org: Org) -> None:
    page = console.page
    row = page.locator("#org tr").filter(has_text="Self Service")
    assert row.inner_text().split("\t")[2:] == ["selfAuthorize", "selfAuthorize", "false", "false"]
    page.get_by_role("button", name="Switch it on").click()
    row.filter(has_text="adminApproved").wait_for()
    assert row.inner_text().split("\t")[2:] == ["selfAuthorize", "adminApproved", "false", "true"]
    assert org.api_access_control.enabled


def test_orgs_are_made_and_deleted(console: Window) -> None:
    page = console.page
    rows = page.locator("#org-rows tr")
    before = rows.count()
    page.get_by_role("button", name="New org").click()
    rows.nth(before).wait_for()
    name = rows.nth(before).locator("code").inner_text()
    rows.nth(before).get_by_role("button", name="Delete").click()
    rows.filter(has_text=name).wait_for(state="detached")


def test_names_are_text(console: Window) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    with connect(console.live.http) as server, server.create(name=hostile):
        console.page.locator("#org-rows").get_by_text(hostile).wait_for()
        assert console.page.locator("#org-rows img").count() == 0


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
        window.page.locator(f"section#{part} tbody tr").first.wait_for()
        assert violations(window) == []
        window.page.set_viewport_size({"width": 320, "height": 640})
        assert overflow(window) == 0
        window.page.set_viewport_size({"width": 1280, "height": 720})
