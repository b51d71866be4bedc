"""View Setup Audit Trail."""

from __future__ import annotations

from simorg.access import apps, audit
from tests.conftest import username
from tests.setup_ui.conftest import Person, Setup

PATH = "/lightning/setup/SecurityEvents/home"


def test_changes_newest_first(setup: Setup, admin: Person) -> None:
    settings = "/lightning/setup/SecuritySession/home"
    admin.send(admin.open(settings), "Save", timeout="900")
    apps.block(setup.org.system_caller(), setup.connected("Self Service"))
    page = admin.open(PATH)
    assert page.heading == "View Setup Audit Trail"
    assert page.all("//thead//th") == ["Date", "User", "Action", "Section", "Delegate User"]
    rows = [row.xpath("td") for row in page.tree.xpath("//tbody/tr")]
    words = [[" ".join(cell.text_content().split()) for cell in row] for row in rows]
    assert words[0][2:4] == ["Blocked connected app Self Service", "Connected Apps"]
    assert words[1][1] == username(setup.org, "admin")
    assert words[1][2].startswith("Session Timeout Value")


def test_filters(setup: Setup, admin: Person) -> None:
    apps.block(setup.org.system_caller(), setup.connected("Self Service"))
    apps.unblock(setup.org.system_caller(), setup.connected("Self Service"))
    setup.set()
    with setup.org.store.writing() as tx:
        audit.note(setup.org.system_caller(), tx, "x", "Odd <b>", "100% <script>alert(1)</script>")
    assert len(admin.open(PATH, section="Connected Apps").all("//tbody/tr")) == 2
    assert len(admin.open(PATH, find="UNBLOCKED").all("//tbody/tr")) == 1
    assert len(admin.open(PATH, find="%").all("//tbody/tr")) == 1
    page = admin.open(PATH, section="no such")
    assert len(page.all("//tbody/tr")) == 3 and "<script>alert" not in page.text
    assert page.all("//option") == ["All", "Connected Apps", "Odd <b>"]
    assert admin.open(PATH, find="\x00zz").words("//tbody") == "No changes to show."


def test_pages(setup: Setup, admin: Person) -> None:
    with setup.org.store.writing() as tx:
        for n in range(120):
            audit.note(setup.org.system_caller(), tx, "x", "S", f"Change {n}")
    page = admin.open(PATH, page="3", section="S")
    assert len(page.all("//tbody/tr")) == 20 and "Page 3 of 3, 120 in all" in page.words()
    [previous] = page.tree.xpath("//a[@rel='prev']/@href")
    assert "section=S" in previous


def test_reading_needs_view_setup_only_and_changes_nothing(setup: Setup, admin: Person) -> None:
    before = setup.state()
    assert setup.person("standard").open(PATH).status == 200
    assert setup.person("partner").open(PATH).status == 403
    assert admin.post(PATH, csrf=admin.csrf).status == 405
    assert setup.state()[1] == before[1] and setup.state()[0][3] == before[0][3]
