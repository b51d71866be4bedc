"""Two processes' worth of server on one PostgreSQL database: what one gave, the other takes.

Each has its own catalogue, so they share nothing but the database. Requests go to them in turn.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from werkzeug.test import Client

from simorg.access import behaviour, login_rate, settings
from simorg.org import usage
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from tests.conftest import POSTGRES, database
from tests.control.conftest import make_app
from tests.oauth.browser import Browser, Page
from tests.oauth.conftest import APPROVED, BASE, SELF_SERVICE, Surface
from tests.waiting import until

pytestmark = pytest.mark.skipif(POSTGRES is None, reason="several processes need PostgreSQL")
DATA = "/services/data/v60.0"


@dataclass
class Pair:
    catalogues: tuple[OrgCatalogue, OrgCatalogue]
    apps: tuple[Any, Any]

    @property
    def orgs(self) -> tuple[Org, Org]:
        return self.catalogues[0].default, self.catalogues[1].default

    def surface(self, first: int) -> Surface:
        """A client whose requests go to one and the other in turn."""
        turns = itertools.cycle((self.apps[first], self.apps[1 - first]))
        client: Any = Client(
            lambda environ, start: next(turns)({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)
        )
        return Surface(self.catalogues[0], client)


@pytest.fixture(scope="module")
def pair(built_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    assert POSTGRES is not None
    with database(POSTGRES, built_database) as url:
        config = CatalogueConfig(database=url)
        one, two = OrgCatalogue(config, behaviour()), OrgCatalogue(config, behaviour())
        assert one.default is not two.default and one.default.id == two.default.id
        folder = tmp_path_factory.mktemp("shared")
        yield Pair((one, two), (make_app(one, folder, workers=2), make_app(two, folder, workers=2)))
        one.close()
        two.close()


@pytest.fixture(params=[0, 1], ids=["first", "second"])
def surface(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Surface]:
    """Both ways round: what matters is which of them takes which step."""
    yield pair.surface(request.param)
    pair.catalogues[0].reset(pair.orgs[0].id)


def rest(surface: Surface, token: str, path: str) -> Any:
    path = path if path.startswith("/") else f"{DATA}/{path}"
    return surface.get(path, headers={"Authorization": f"Bearer {token}"})


def twice(surface: Surface, token: str) -> list[int]:
    """What one and the other say of a session."""
    return [rest(surface, token, "limits").status_code for _ in range(2)]


def soap(surface: Surface, body: str, session: str = "") -> str:
    header = f"<SessionHeader><sessionId>{session}</sessionId></SessionHeader>"
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="urn:partner.soap.sforce.com"><e:Header>'
        f"{header if session else ''}<QueryOptions><batchSize>200</batchSize></QueryOptions>"
        f"</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer: str = surface.post("/services/Soap/u/60.0", data=envelope, headers=headers).text
    return answer


def soap_login(surface: Surface) -> str:
    answer = soap(
        surface,
        "<login><username>integration@acme.example</username>"
        "<password>simorg123</password></login>",
    )
    found = re.search("<sessionId>(.+?)</sessionId>", answer)
    assert found is not None, answer
    return found[1]


# -- sessions, locators, codes -------------------------------------------------------------------


def test_sessions(surface: Surface) -> None:
    session = soap_login(surface)
    assert twice(surface, session) == [200, 200]
    access = surface.password().get_json()["access_token"]
    assert twice(surface, access) == [200, 200]
    assert surface.post("/services/oauth2/revoke", data={"token": access}).status_code == 200
    assert twice(surface, access) == [401, 401]
    assert "<sessionId>" not in soap(surface, "<logout/>", session)
    assert twice(surface, session) == [401, 401]


def test_locators(surface: Surface) -> None:
    session = soap_login(surface)
    first = soap(
        surface, "<query><queryString>SELECT Id FROM Contact</queryString></query>", session
    )
    locator = re.search("<queryLocator>(.+?)</queryLocator>", first)
    assert locator is not None, first
    more = f"<queryMore><queryLocator>{locator[1]}</queryLocator></queryMore>"
    assert soap(surface, more, session).count("<records") > 0
    headers = {
        "Authorization": f"Bearer {session}",
        "Sforce-Query-Options": "batchSize=200",
    }
    page = surface.get(f"{DATA}/query?q={quote('SELECT Id FROM Contact')}", headers=headers)
    page = page.get_json()
    seen, total = len(page["records"]), page["totalSize"]
    while not page["done"]:
        page = rest(surface, session, page["nextRecordsUrl"]).get_json()
        seen += len(page["records"])
    assert seen == total > 200


def test_the_web_server_flow_with_its_pages(surface: Surface) -> None:
    found = Browser(surface).tokens(SELF_SERVICE, scope="api refresh_token web")
    assert twice(surface, found["access_token"]) == [200, 200]
    again = surface.token("refresh_token", SELF_SERVICE, refresh_token=found["refresh_token"])
    assert twice(surface, again.get_json()["access_token"]) == [200, 200]
    # the page's cookie is a session too: no login page for another app
    page = Browser(surface).authorize(APPROVED)
    assert Page(page.text).heading == "Allow Access?"


def test_the_device_flow(surface: Surface) -> None:
    data = {"response_type": "device_code", "client_id": SELF_SERVICE["client_id"]}
    given = surface.post("/services/oauth2/token", data=data).get_json()
    browser = Browser(surface)
    page = browser.log_in(browser.open(f"/setup/connect?user_code={given['user_code']}"))
    page = browser._follow(surface.post(Page(page.text).action, data=Page(page.text).fields))
    form = Page(page.text)
    surface.post(form.action, data={**form.fields, "decision": "allow"})
    client = {"client_id": SELF_SERVICE["client_id"]}
    told = surface.token("device", client, code=given["device_code"]).get_json()
    assert twice(surface, told["access_token"]) == [200, 200]


def test_the_frontdoor(surface: Surface) -> None:
    access = Browser(surface).tokens(SELF_SERVICE, scope="api web")["access_token"]
    door = surface.post("/services/oauth2/singleaccess", data={"access_token": access})
    url = door.get_json()["frontdoor_uri"].removeprefix(BASE)
    surface.http.delete_cookie("sid")
    assert surface.get(url).status_code == 302
    assert surface.get("/lightning/setup/SetupOneHome/home").status_code == 200
    # it opens once, whichever of them is asked
    for _ in range(2):
        assert "/login" in surface.get(url).headers.get("Location", "/login")


def test_what_one_changes_the_other_obeys(surface: Surface) -> None:
    session = soap_login(surface)
    assert twice(surface, session) == [200, 200]
    org = surface.get("/_simorg/orgs/default").get_json()["id"]
    for enabled, told in ((False, 403), (True, 200)):
        data = orjson.dumps({"api": {"enabled": enabled}})
        answer = surface.http.patch(f"/_simorg/orgs/{org}/settings", base_url=BASE, data=data)
        assert answer.status_code == 200
        assert twice(surface, session) == [told, told]


# -- counts --------------------------------------------------------------------------------------


def test_the_clock_that_one_sets_is_the_other_s(surface: Surface) -> None:
    clock = "/_simorg/orgs/default/clock"
    told: Any = surface.http.put(clock, json={"freeze": "2031-01-01T00:00:00Z"})
    assert told.json["now"] == "2031-01-01T00:00:00.000+0000"
    assert surface.http.get(clock).json == told.json
    surface.http.get(clock)  # the turn of the one that set it
    told = surface.http.put(clock, json={"advance": 60})
    assert told.json["now"] == "2031-01-01T00:01:00.000+0000"


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", f"{DATA}/limits"),
        ("GET", "/services/oauth2/userinfo"),
        ("GET", "/_simorg/orgs/{id}/clock"),
        ("POST", "/_simorg/orgs/{id}/reset"),
    ],
)
def test_an_org_that_one_deletes_is_gone_for_the_other(pair: Pair, verb: str, path: str) -> None:
    one, two = (Client(app, use_cookies=False) for app in pair.apps)
    here: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    made: Any = one.post("/_simorg/orgs", json={}, **here).json
    headers = {"Authorization": f"Bearer {made['users'][0]['sessionId']}"}
    assert two.get(f"{DATA}/limits", headers=headers).status_code == 200
    assert one.delete(f"/_simorg/orgs/{made['id']}", **here).status_code == 204
    answer = two.open(path.format(id=made["id"]), method=verb, headers=headers, **here)
    assert answer.status_code in (401, 403, 404), answer.text
    assert (
        "INVALID_SESSION_ID" in answer.text
        or "Bad_OAuth_Token" in answer.text
        or ("There is no org" in answer.text)
    )


def test_counts_of_an_org_that_another_process_deleted_are_let_go(pair: Pair) -> None:
    """At its own end a process gives back requests that it took ahead."""
    one, two = pair.catalogues
    made = one.create(name="short-lived")
    elsewhere = two.get(made.id)
    assert elsewhere is not None and elsewhere.usage.take()
    one.delete(made.id)
    elsewhere.usage.save()
    assert elsewhere.usage.used == 0 and elsewhere.store.gone
    elsewhere.close()


def test_requests_are_counted_over_both(surface: Surface) -> None:
    session = soap_login(surface)
    limits = orjson.dumps({"dailyApiRequests": {"max": 21}})
    surface.http.patch("/_simorg/orgs/default/limits", base_url=BASE, data=limits)
    answers = [rest(surface, session, "sobjects") for _ in range(25)]
    assert [a.status_code for a in answers] == [200] * 21 + [403] * 4
    assert answers[20].headers["Sforce-Limit-Info"] == "api-usage=21/21"


def test_setting_the_count_holds_at_once_everywhere(surface: Surface) -> None:
    session = soap_login(surface)
    assert twice(surface, session) == [200, 200]  # both hold a block now
    for used, told in ((99_999, [200, 403]), (99_998, [200, 200]), (100_000, [403, 403])):
        limits = orjson.dumps({"dailyApiRequests": {"used": used}})
        surface.http.patch("/_simorg/orgs/default/limits", base_url=BASE, data=limits)
        assert twice(surface, session) == told


def test_from_far_to_the_limit_under_load(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks far from it, single requests near it: as many as are allowed, and not one more."""
    monkeypatch.setattr("simorg.org.store.postgres_counts.NEAR", 60)
    monkeypatch.setattr(usage, "_BLOCK", 7)
    one, two = pair.orgs
    settings.update(one, "api", {"dailyRequestLimit": 400})
    one.usage.set_used(0)
    assert two.access_generation and two.usage.limit == 400

    def work(org: Org) -> int:
        taken = 0
        while org.usage.take():
            taken += 1
        return taken

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, [one, two] * 3)) == 400
    for org in (one, two):
        assert not org.usage.take()
        assert org.usage.used == 400
    pair.catalogues[0].reset(one.id)


def test_an_idle_process_gives_back_what_it_took(pair: Pair) -> None:
    one, two = pair.orgs
    one.usage.set_used(0)
    assert one.usage.take()

    def counted() -> int:
        return one.counts.read("requests")["requests"].value

    assert counted() == 250
    until(lambda: counted() == 1)
    two.usage.refresh()
    assert one.usage.used == two.usage.used == 1
    pair.catalogues[0].reset(one.id)


def test_logins_are_counted_over_both(surface: Surface, pair: Pair) -> None:
    settings.update(pair.orgs[0], "login", {"loginsPerHour": 3})
    assert [surface.password().status_code for _ in range(5)] == [200, 200, 200, 400, 400]
    for org in pair.orgs:
        assert list(login_rate.used(org).values()) == [3]


def test_orgs_of_an_older_version_have_no_counts_yet(pair: Pair) -> None:
    one, two = pair.orgs
    with one.store.writing() as tx:
        tx.connection.execute(f"DROP TABLE {one.store.private('simorg_counts')}")
    two.usage.refresh()
    assert two.usage.take() and two.usage.used == 1
    pair.catalogues[0].reset(one.id)


class Stuck:
    """A request's body that comes when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.go.wait(60)
        return b""


def test_long_requests_are_counted_over_both(pair: Pair) -> None:
    surface = pair.surface(0)
    access = surface.password().get_json()["access_token"]
    limits = orjson.dumps({"concurrentLongRequests": {"max": 1, "seconds": 0.1}})
    surface.http.patch("/_simorg/orgs/default/limits", base_url=BASE, data=limits)
    headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}
    body = Stuck()
    first: Any = Client(pair.apps[0])
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(
            first.post,
            f"{DATA}/sobjects/Account",
            base_url=BASE,
            headers=headers,
            environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "2"},
        )

        def used() -> list[int]:
            told = [surface.get("/_simorg/orgs/default/limits").get_json() for _ in range(2)]
            return [each["concurrentLongRequests"]["used"] for each in told]

        until(lambda: used() == [1, 1])
        assert twice(surface, access) == [403, 403]
        body.go.set()
        assert slow.result().status_code == 400
    until(lambda: used() == [0, 0])
    assert twice(surface, access) == [200, 200]
    pair.catalogues[0].reset(pair.orgs[0].id)
