"""Sessions of pages, used by real clients: allowed, not allowed, API Enabled missing."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.clients.conftest import NODE_FOLDER, Live, run_node, user

Org = dict[str, Any]
NOT_REST = "This session is not valid for use with the REST API"
NOT_SOAP = "INVALID_SESSION_ID: This session is not valid for use with the API"
OFF: dict[str, bool] = {}
ON = {"adminApprovedUsersOnly": True}
ALLOWED = {"adminApprovedUsersOnly": True, "visualforceAllowed": True}


def my_domain(org: Org) -> str:
    return str(org["urls"]["myDomain"]).removeprefix("https://").partition(".")[0]


def prefer(live: Live, org: Org, **preferences: Any) -> None:
    live.control("PATCH", f"orgs/{org['id']}/settings", {"apiAccessControl": preferences})


def session_id(live: Live, org: Org, short: str, context: str) -> dict[str, Any]:
    body = {"user": user(org, short)["username"], "context": context}
    found: dict[str, Any] = live.control("POST", f"orgs/{org['id']}/sessions", body)
    return found


def rest(live: Live, http: requests.Session, token: str, headers: dict[str, str]) -> str:
    """200, or what the refusal says."""
    answer = http.get(
        f"{live.https}/services/data/v64.0/query?q=SELECT+Id+FROM+Organization",
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=30,
    )
    if answer.ok:
        return "200"
    [error] = answer.json()
    return f"{answer.status_code} {error['errorCode']} {error['message']}"


def soap(live: Live, http: requests.Session, token: str, headers: dict[str, str]) -> str:
    """200, or the fault's text, as zeep reads it from our WSDL."""
    http.headers.update(headers)
    url = f"{live.https}/services/Soap/u/64.0"
    client = zeep.Client(f"{url}?wsdl", transport=Transport(session=http))
    service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", url)
    try:
        service.query(
            "SELECT Id FROM Organization", _soapheaders={"SessionHeader": {"sessionId": token}}
        )
    except Fault as fault:
        return f"{fault.code} {fault.message}"
    finally:
        for name in headers:
            del http.headers[name]
    return "200"


REFUSED = (f"401 INVALID_SESSION_ID {NOT_REST}", f"sf:INVALID_SESSION_ID {NOT_SOAP}")
NO_API = (
    "403 API_DISABLED_FOR_ORG The REST API is not enabled for this Organization.",
    "sf:API_CURRENTLY_DISABLED API_CURRENTLY_DISABLED: API is disabled for this User",
)
IN = ("200", "200")

OUTCOMES = [
    # preferences, user, context, from the page's own domain, outcome
    (OFF, "standard", "page", True, IN),
    (OFF, "standard", "external", False, IN),
    (OFF, "standard", "ui", False, IN),
    (OFF, "standard", "lightning", True, REFUSED),
    (OFF, "noapi", "page", True, NO_API),
    (ON, "standard", "page", True, REFUSED),
    (ON, "standard", "external", False, REFUSED),
    (ON, "anyclient", "page", True, IN),
    (ON, "anyclient", "external", False, IN),
    (ON, "anyclient", "lightning", True, REFUSED),
    (ON, "noapi", "page", True, NO_API),
    (ALLOWED, "standard", "page", True, IN),
    (ALLOWED, "standard", "external", False, REFUSED),
    (ALLOWED, "standard", "lightning", True, REFUSED),
    (ALLOWED, "standard", "ui", True, REFUSED),
    (ALLOWED, "noapi", "page", True, NO_API),
    (ALLOWED, "customer", "page", True, IN),
]


@pytest.mark.parametrize(("preferences", "short", "context", "inside", "outcome"), OUTCOMES)
def test_outcomes(
    live: Live,
    fresh: Org,
    trusting: requests.Session,
    preferences: dict[str, bool],
    short: str,
    context: str,
    inside: bool,
    outcome: tuple[str, str],
) -> None:
    prefer(live, fresh, **preferences)
    token = session_id(live, fresh, short, context)["sessionId"]
    origin = f"https://{my_domain(fresh)}--c.vf.force.com"
    headers = {"Origin": origin} if inside else {}
    found = (rest(live, trusting, token, headers), soap(live, trusting, token, headers))
    assert found == outcome


@pytest.mark.parametrize(("on", "outcome"), [(True, REFUSED), (False, IN)])
def test_customers_and_partners_have_a_preference_of_their_own(
    live: Live, fresh: Org, trusting: requests.Session, on: bool, outcome: tuple[str, str]
) -> None:
    prefer(live, fresh, externalUsersInstalledOnly=on)
    for short in ("customer", "partner"):
        token = session_id(live, fresh, short, "page")["sessionId"]
        headers = {"Referer": f"https://{my_domain(fresh)}--c.vf.force.com/apex/SessionDemo"}
        found = (rest(live, trusting, token, headers), soap(live, trusting, token, headers))
        assert found == outcome


PLACES = [
    # what the call says of where it comes from -> whether that is a Visualforce domain
    ({"Host": "{vf}"}, True),
    ({"Origin": "https://{vf}"}, True),
    ({"Referer": "https://{vf}/apex/SessionDemo"}, True),
    ({"Referer": "{own}/apex/SessionDemo"}, True),
    ({"Origin": "{own}", "Referer": "{own}/apex/SessionDemo"}, True),
    ({"Host": "{vf}", "Origin": "https://{vf}"}, True),
    ({"Host": "{vf}:8443", "Origin": "https://{vf}:8443"}, True),
    ({}, False),
    ({"Origin": "https://other--c.vf.force.com"}, False),
    ({"Origin": "null", "Host": "{vf}"}, False),
    ({"Host": "{vf}", "Origin": "https://evil.example"}, False),
    ({"Host": "{vf}", "Referer": "https://evil.example/apex/x"}, False),
    ({"Origin": "https://{vf}.evil.example"}, False),
    ({"Origin": "https://evil.example", "Referer": "https://{vf}/apex/x"}, False),
    ({"Referer": "{own}/lightning/setup"}, False),
    ({"Referer": "https://evil.example/apex/x"}, False),
    ({"Origin": "https://[", "Host": "{vf}"}, False),
]


@pytest.mark.parametrize(("place", "inside"), PLACES)
def test_where_a_call_comes_from(
    live: Live, fresh: Org, trusting: requests.Session, place: dict[str, str], inside: bool
) -> None:
    prefer(live, fresh, **ALLOWED)
    token = session_id(live, fresh, "standard", "page")["sessionId"]
    vf = f"{my_domain(fresh)}--c.vf.force.com"
    headers = {name: value.format(vf=vf, own=live.https) for name, value in place.items()}
    answer = "200" if inside else REFUSED[0]
    assert rest(live, trusting, token, headers) == answer


def test_through_the_proxy_the_host_is_the_pages(
    live: Live, fresh: Org, trusting: requests.Session
) -> None:
    prefer(live, fresh, **ALLOWED)
    made = session_id(live, fresh, "standard", "page")
    trusting.proxies = {"https": live.proxy}
    answer = trusting.get(
        f"{made['origin']}/services/data/v64.0/limits",
        headers={"Authorization": f"Bearer {made['sessionId']}"},
        timeout=30,
    )
    assert answer.status_code == 200


@pytest.mark.node
def test_jsforce(live: Live, fresh: Org, node: str) -> None:
    output = run_node(
        node,
        NODE_FOLDER / "jsforce_visualforce.mjs",
        live,
        SIMORG_PROXY=live.proxy,
        SIMORG_USER=user(fresh, "standard")["username"],
        SIMORG_ORG=fresh["id"],
        SIMORG_MY_DOMAIN=my_domain(fresh),
    )
    assert output.strip() == "ok"


# -- the control API's sessions --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "context", "status", "says"),
    [
        ("standard", "apex", 400, "context must be one of"),
        ("nobody", "page", 404, "There is no user"),
        ("inactive", "page", 409, "cannot log in"),
        ("frozen", "ui", 409, "cannot log in"),
    ],
)
def test_sessions_that_are_not_made(
    live: Live, fresh: Org, short: str, context: str, status: int, says: str
) -> None:
    names = {u["username"].partition("@")[0]: u["username"] for u in fresh["users"]}
    answer = requests.post(
        f"{live.http}/_simorg/orgs/{fresh['id']}/sessions",
        json={"user": names.get(short, f"{short}@acme.example"), "context": context},
        timeout=30,
    )
    assert answer.status_code == status and says in answer.json()["error"]["message"]


def test_the_session_tells_its_type_and_parent(
    live: Live, fresh: Org, trusting: requests.Session
) -> None:
    admin = user(fresh, "admin")["sessionId"]
    for context, kind in (("page", "Visualforce"), ("lightning", "Aura"), ("ui", "UI")):
        made = session_id(live, fresh, "standard", context)
        where = f"SELECT SessionType, ParentId FROM AuthSession WHERE Id = '{made['id']}'"
        answer = trusting.get(
            f"{live.https}/services/data/v64.0/query",
            params={"q": where},
            headers={"Authorization": f"Bearer {admin}"},
            timeout=30,
        )
        [row] = answer.json()["records"]
        assert row["SessionType"] == made["sessionType"] == kind
        assert bool(row["ParentId"]) == (context != "ui")
