"""A definition read over REST from a running org, as from a real one; what may leave it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce import Salesforce

from simorg import importing
from simorg.cli import main
from simorg.importing.client import Client, ImportRefused
from simorg.importing.masks import Masks
from simorg.server.server import Server
from simorg.testing import Simorg
from tests.conftest import fresh_database
from tests.server.conftest import config

REAL = """\
extends: acme
org: {name: Real Corp}
customObjects:
  Invoice__c:
    label: Invoice
    nameFormat: INV-{0000}
    fields:
      Number__c: {type: Text, length: 20, externalId: true, unique: true}
      Account__c: {type: Lookup, referenceTo: [Account], childRelationship: Invoices}
      Kind__c: {type: Picklist, values: [New, Old], default: New, restricted: true}
      Sum__c: {type: Currency, precision: 12, scale: 2}
      When__c: {type: DateTime}
      Paid__c: {type: Checkbox, default: true}
  Line__c:
    fields:
      Invoice__c: {type: MasterDetail, referenceTo: [Invoice__c], childRelationship: Lines}
      Note__c: {type: LongTextArea, length: 1000}
  Account:
    fields:
      Tier__c: {type: Text, length: 10, required: true}
generate:
  Account: {count: 30, fields: {Tier__c: {oneOf: [gold, tin]}}}
  Contact: 60
  Invoice__c:
    count: 20
    fields:
      Number__c: "N{n}"
      Account__c: {reference: Account}
      Sum__c: {between: [1, 9], decimals: 2}
      When__c: {between: [2025-01-01, 2025-02-01]}
      Paid__c: {chance: 0.5}
  Line__c:
    count: 2100
    fields:
      Name: "Line {n}"
      Invoice__c: {reference: Invoice__c}
      Note__c: "call ann.real@company.com or +49 170 1234567"
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """A server whose default org stands for the real one: server, its URL, a token."""
    path = tmp_path_factory.mktemp("real") / "real.yaml"
    path.write_text(REAL)
    with fresh_database() as database, Server(config(orgs=(path,), database=database)) as server:
        url = server.info()["http"]
        told = requests.post(
            f"{url}/_simorg/orgs/default/sessions",
            json={"user": "admin@acme.example", "context": "ui"},
            timeout=30,
        ).json()
        yield server, url, told["sessionId"]


OBJECTS = ["Account", "Contact", "Invoice__c", "Line__c"]


@pytest.fixture(scope="module")
def read(real: tuple[Server, str, str]) -> str:
    _, url, token = real
    return importing.from_session(
        instance_url=url,
        access_token=token,
        objects=["Account"],
        queries=[
            "Account",
            "Contact",
            "Invoice__c",
            "SELECT Note__c, Invoice__c FROM Line__c ORDER BY Id",
        ],
        users=True,
    )


@pytest.fixture(scope="module")
def copy(
    real: tuple[Server, str, str], read: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("copy") / "copy.yaml"
    path.write_text(read)
    with Simorg(real[1]) as server:
        org = server.create(path)
        yield org
        org.drop()


def source(real: tuple[Server, str, str], soql: str) -> list[dict[str, Any]]:
    answer = requests.post(
        f"{real[1]}/_simorg/orgs/default/query", json={"soql": soql}, timeout=30
    ).json()
    found: list[dict[str, Any]] = answer["records"]
    return found


def test_rows_and_relations_are_the_same(real: tuple[Server, str, str], copy: Any) -> None:
    for soql in (
        "SELECT Name, Number__c, Kind__c, Sum__c, When__c, Paid__c, CreatedDate,"
        " Account__r.Name, Account__r.Tier__c FROM Invoice__c ORDER BY Number__c",
        "SELECT Name, Invoice__r.Number__c FROM Line__c ORDER BY Name",
        "SELECT Name, Industry, AnnualRevenue, BillingCity FROM Account ORDER BY Name, Industry",
        "SELECT COUNT(Id) n, Account.Name a FROM Contact GROUP BY Account.Name"
        " ORDER BY Account.Name",
    ):
        theirs, ours = source(real, soql), copy.query(soql)
        assert ours == theirs, soql
        assert len(theirs) >= 20


def test_describe_is_the_same(real: tuple[Server, str, str], copy: Any) -> None:
    kept = "name type length precision scale nillable unique externalId referenceTo".split()
    kept += ["relationshipName", "restrictedPicklist", "defaultedOnCreate", "label"]
    _, url, token = real
    session = copy.login(next(u for u in copy._users if u["active"])["username"])
    for name in ("Invoice__c", "Line__c", "Account"):
        path = f"/services/data/v59.0/sobjects/{name}/describe"
        told = [
            requests.get(f"{one}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
            for one, key in ((url, token), (url, session.access_token))
        ]
        theirs, ours = (
            [{k: f[k] for k in kept} for f in answer.json()["fields"]] for answer in told
        )
        assert ours == theirs
        children = [
            {c["relationshipName"] for c in answer.json()["childRelationships"]} for answer in told
        ]
        assert children[0] == children[1]


def test_who_may_what_is_the_same(real: tuple[Server, str, str], copy: Any) -> None:
    for soql in (
        "SELECT Name, UserType, PermissionsApiEnabled, PermissionsModifyAllData,"
        " PermissionsViewSetup FROM Profile ORDER BY Name",
        "SELECT Name, Label, PermissionsUseAnyApiClient FROM PermissionSet"
        " WHERE IsOwnedByProfile = false ORDER BY Name",
        "SELECT Profile.Name, IsActive FROM User ORDER BY Id",
        "SELECT PermissionSet.Name FROM PermissionSetAssignment"
        " WHERE PermissionSet.IsOwnedByProfile = false ORDER BY PermissionSet.Name",
        "SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication"
        " WHERE Name != 'Salesforce CLI' AND Name != 'Uninstalled Tool' ORDER BY Name",
    ):
        theirs, ours = source(real, soql), copy.query(soql)
        assert ours == theirs, soql
    frozen = "SELECT COUNT() FROM UserLogin WHERE IsFrozen = true"
    assert len(copy.query(frozen)) == len(source(real, frozen))
    robot = copy.control("GET", "connected-apps/JWT%20Robot")
    assert robot["permissionSets"] == ["Integration_Access"]


def test_no_personal_data_is_left(real: tuple[Server, str, str], read: str) -> None:
    people = source(real, "SELECT LastName, FirstName, Email, Phone, MailingStreet FROM Contact")
    people += source(real, "SELECT Username, Email FROM User")
    for person in people:
        for name in ("Email", "Phone", "Username"):
            assert not person.get(name) or person[name] not in read, person
    assert "ann.real" not in read and "1234567" not in read and "company.com" not in read
    said = yaml.safe_load(read)
    names = {(p.get("FirstName"), p["LastName"]) for p in people if "LastName" in p}
    kept = {(c.get("FirstName"), c["LastName"]) for c in said["records"]["Contact"]}
    assert len(names & kept) <= 3, "pseudonyms meet a real name by chance only"
    assert len({c.get("Email") for c in said["records"]["Contact"]}) == 62, "no two become one"


def test_notes_say_what_to_doubt(read: str) -> None:
    notes = [line for line in read.split("\n") if line.startswith("# Note: ")]
    assert any("OptionsAllowAdminApprovedUsersOnly" in note for note in notes)
    assert any("Use Any API Client is granted" in note for note in notes)


def test_the_app_menu_may_tell_otherwise(real: tuple[Server, str, str]) -> None:
    """With API Access Control on, the field read and what is enforced part: the note says so."""
    _, url, _ = real
    with Simorg(url) as server:
        token = server.default_org.login("admin", app="Locked Down").access_token

    def switch(**values: Any) -> None:
        body = {"apiAccessControl": values}
        path = f"{url}/_simorg/orgs/default/settings"
        assert requests.patch(path, json=body, timeout=30).ok

    requests.patch(
        f"{url}/_simorg/orgs/default/connected-apps/Self%20Service",
        json={"permissionSets": ["Any_API_Client"]},
        timeout=30,
    )
    switch(adminApprovedUsersOnly=True, appMenuPolicy="ui")
    try:
        text = importing.from_session(instance_url=url, access_token=token)
        assert "the app menu says" in text
    finally:
        switch(adminApprovedUsersOnly=False, appMenuPolicy="stored")


def test_with_the_user_s_own_session(real: tuple[Server, str, str]) -> None:
    server, url, token = real
    asked = {"queries": ["SELECT Name FROM Account LIMIT 3"], "keep_personal": True}
    with requests.Session() as session:
        session.verify, session.trust_env = server.info()["ca"], False
        sf = Salesforce(
            instance_url=server.info()["https"], session_id=token, session=session, version="59.0"
        )
        told = importing.from_session(sf, **asked)  # type: ignore[arg-type]
        again = importing.from_session(
            session,
            instance_url=url,
            access_token=token,
            **asked,  # type: ignore[arg-type]
        )
    assert told == again
    said = yaml.safe_load(told)
    assert [a["Name"] for a in said["records"]["Account"]] == [
        a["Name"] for a in source(real, "SELECT Name FROM Account ORDER BY Id LIMIT 3")
    ]
    assert list(said["users"]) == ["admin@realcorp.example"]


def test_the_command(real: tuple[Server, str, str], tmp_path: Path) -> None:
    _, url, token = real
    output = tmp_path / "real.yaml"
    base = ["import", "--instance-url", url, "--objects", "Invoice__c,Account"]
    asked = [*base, "--records", "SELECT Number__c FROM Invoice__c", "-o", str(output)]
    ended = CliRunner().invoke(
        main, [*asked, "--access-token-env", "REAL_TOKEN"], env={"REAL_TOKEN": token}
    )
    assert ended.exit_code == 0, ended.output
    assert "Note: permittedUsers" in ended.output and token not in ended.output
    text = output.read_text("utf-8")
    assert token not in text and len(yaml.safe_load(text)["records"]["Invoice__c"]) == 20
    assert CliRunner().invoke(main, ["validate", str(output)]).exit_code == 0
    by_stdin = CliRunner().invoke(main, [*base, "--access-token-stdin"], input=f"{token}\n")
    assert by_stdin.exit_code == 0 and "customObjects:" in by_stdin.output
    tool = tmp_path / "bin" / "sf"
    tool.parent.mkdir()
    told = {"result": {"instanceUrl": url, "accessToken": token}}
    tool.write_text(f"#!/bin/sh\n[ \"$4\" = mine ] || exit 1\ncat <<'X'\n{json.dumps(told)}\nX\n")
    tool.chmod(0o755)
    path = {"PATH": f"{tool.parent}:{os.environ['PATH']}"}
    by_sf = CliRunner().invoke(main, ["import", "--sf-cli", "mine"], env=path)
    assert by_sf.exit_code == 0 and "connectedApps:" in by_sf.output
    for wrong, code in (
        (["import", "--sf-cli", "other"], 2),
        (["import", "--instance-url", url], 2),
        (["import", "--access-token-env", "X"], 2),
        ([*base, "--access-token-env", "NOT_THERE"], 2),
        ([*base, "--access-token-stdin", "--sf-cli", "x"], 2),
    ):
        assert CliRunner().invoke(main, wrong, env=path).exit_code == code, wrong
    refused = CliRunner().invoke(main, [*base, "--access-token-stdin"], input="wrong\n")
    assert refused.exit_code == 3 and "INVALID_SESSION_ID" in refused.output


def test_the_export_command_and_the_python_call(
    real: tuple[Server, str, str], tmp_path: Path
) -> None:
    _, url, _ = real
    output = tmp_path / "now.yaml"
    base = ["export", "--url", url, "--records", "Invoice__c,Account", "--limit", "2"]
    ended = CliRunner().invoke(main, [*base, "--output", str(output)])
    assert ended.exit_code == 0 and not ended.output
    printed = CliRunner().invoke(main, base)
    assert printed.output == output.read_text("utf-8")
    assert CliRunner().invoke(main, ["validate", str(output)]).exit_code == 0
    with Simorg(url) as server:
        org = server.default_org
        assert org.definition(records="Invoice__c,Account", limit=2) == printed.output
        assert "consumerSecret: secretApproved" in org.definition(records="none", secrets=True)
    secrets = CliRunner().invoke(main, [*base, "--secrets"])
    assert "consumerSecret: secretApproved" in secrets.output
    assert "secretApproved" not in printed.output, "another stands for it"
    for wrong, code in (
        (["--records", "Dragon"], 2),
        (["--org", "00D000000000000AAA"], 2),
        (["--output", str(tmp_path / "no" / "where.yaml")], 2),
        (["--url", "http://127.0.0.1:1"], 3),
    ):
        refused = CliRunner().invoke(main, [*base, *wrong])
        assert refused.exit_code == code and refused.output.startswith("simorg: "), wrong


# -- the client's manners -------------------------------------------------------------------------


def answering(*answers: Any, **headers: str) -> tuple[Any, list[str]]:
    """A GET that gives these answers in turn, and the URLs it was asked."""
    urls: list[str] = []

    def get(url: str, sent: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        assert sent["Authorization"] == "Bearer key"
        urls.append(url)
        status, body = answers[len(urls) - 1]
        return status, headers, json.dumps(body).encode()

    return get, urls


def client(get: Any, url: str = "https://x.my.salesforce.com", reserve: int = 10) -> Client:
    return Client(url, "key", get, "59.0", reserve)


def test_pages_are_followed_and_counted() -> None:
    more = "/services/data/v59.0/query/01g-2"
    get, urls = answering(
        (200, {"records": [{"Id": 1}], "done": False, "nextRecordsUrl": more}),
        (200, {"records": [{"Id": 2}], "done": True}),
    )
    one = client(get)
    assert [r["Id"] for r in one.rows("SELECT Id FROM A WHERE Name = 'ä&b'")] == [1, 2]
    assert urls == [
        "https://x.my.salesforce.com/services/data/v59.0/query?"
        "q=SELECT%20Id%20FROM%20A%20WHERE%20Name%20%3D%20%27%C3%A4%26b%27",
        f"https://x.my.salesforce.com{more}",
    ]
    assert one.sent == 2


def test_it_stops_before_the_org_s_requests_are_used_up() -> None:
    get, urls = answering((200, {}), **{"Sforce-Limit-Info": "api-usage=4991/5000"})
    one = client(get)
    one.read("limits")
    with pytest.raises(ImportRefused, match="9 API requests left"):
        one.read("limits")
    assert len(urls) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "no"}]),
            "403 API_DISABLED_FOR_ORG",
        ),
        ((302, {}), "status 302"),
        ((500, "x"), "status 500"),
    ],
)
def test_a_refusal_is_not_asked_twice(answer: Any, words: str) -> None:
    get, urls = answering(answer)
    with pytest.raises(ImportRefused, match=words) as refused:
        client(get).read("limits")
    assert len(urls) == 1 and "key" not in str(refused.value)


def test_a_next_page_elsewhere_is_not_asked() -> None:
    page = {"records": [], "done": False, "nextRecordsUrl": "@evil.example/"}
    get, urls = answering((200, page))
    with pytest.raises(ImportRefused, match="outside"):
        list(client(get).rows("SELECT Id FROM A"))
    assert len(urls) == 1


def test_a_page_that_comes_again_ends_it() -> None:
    page = {"records": [{}], "done": False, "nextRecordsUrl": "/services/data/v59.0/query/01g-1"}
    get, urls = answering(*[(200, page)] * 5)
    with pytest.raises(ImportRefused, match="page again"):
        list(client(get).rows("SELECT Id FROM A"))
    assert len(urls) == 2


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        "null",
        "5",
        '{"records": []}',
        '{"records": [1]}',
        '{"records": {"a": 1}}',
        '{"records": [{"Id": 5, "Name": {}}]}',
        '{"totalSize": NaN, "records": [{"Name": Infinity}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_salesforce_org_is_told_in_one_line(told: str) -> None:
    class Session:
        def get(self, url: str, **_: Any) -> requests.Response:
            answer = requests.Response()
            answer.status_code, answer._content = 200, told.encode()
            return answer

    with pytest.raises(ImportRefused, match=r"not as Salesforce's|not JSON"):
        importing.from_session(
            Session(), instance_url="https://x.my.salesforce.com", access_token="key"
        )


@pytest.mark.parametrize(
    "url", ["http://x.my.salesforce.com", "ftp://x", "https://", "https://u:p@x.com", "http://"]
)
def test_the_token_goes_over_tls_only(url: str) -> None:
    with pytest.raises(ImportRefused):
        client(None, url)


@given(st.text(max_size=60), st.sampled_from(["string", "textarea", "email", "phone", "url"]))
def test_masks_are_steady_and_fit(value: str, kind: str) -> None:
    field = {"name": "LastName" if kind == "string" else "X", "type": kind, "length": 40}
    one, other = Masks("salt"), Masks("salt")
    masked = one.value("Contact", field, value)
    assert masked == other.value("Contact", field, value)
    assert Masks("salt", keep=True).value("Contact", field, value) == value
    if kind == "email":
        assert masked.endswith("@mail.example") and masked != Masks("more").email(value)


def test_masks_of_texts() -> None:
    text = "Ask Jo.Doe+x@corp.co.uk (tel. +1 (415) 555-2671), order 4711, 2025-01-06"
    masked = Masks("s").text(text)
    assert "corp.co.uk" not in masked and "2671" not in masked
    assert "order 4711" in masked and masked.startswith("Ask ")
    birthday = {"name": "Birthdate", "type": "date"}
    assert Masks("s").value("Contact", birthday, "1980-07-09") == "1980-01-01"
