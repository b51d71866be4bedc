"""Pages: who gets one, whose session it carries, and what its markup can do."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import html

from simorg.access import session_ends, sessions
from simorg.access.model import Flow
from simorg.org import records
from simorg.visualforce.merge import for_script
from tests.conftest import username
from tests.visualforce.conftest import PLAIN, Stage, query_of

DEMO = "/apex/SessionDemo"
TOKEN = re.compile(r"00D\w{12}![\w.]+")


def shown(stage: Stage, markup: str, **query: str) -> html.HtmlElement:
    stage.put(markup)
    stage.log_in()
    answer = stage.client.get("/apex/Mine", base_url=PLAIN, query_string=query)
    assert answer.status_code == 200, answer.text
    return html.document_fromstring(answer.text)


def problem(stage: Stage, markup: str) -> str:
    stage.put(markup)
    stage.log_in()
    answer = stage.open(f"{PLAIN}/apex/Mine")
    assert answer.status_code == 400
    return html.document_fromstring(answer.text).xpath("string(//p)")


# -- sessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SessionDemo", "sessiondemo"])
def test_a_page_carries_a_visualforce_session_of_the_browsers_user(stage: Stage, name: str) -> None:
    parent = stage.log_in()
    page = html.document_fromstring(stage.open(f"{PLAIN}/apex/{name}").text)
    token = page.xpath("string(//*[@id='session'])")
    assert page.xpath("string(//*[@id='username'])") == username(stage.org, "admin")
    assert page.xpath("string(//*[@id='name'])") == "Ada Admin"
    assert page.xpath("string(//*[@id='server'])") == (
        f"{PLAIN}/services/Soap/u/64.0/{stage.org.id[:15]}"
    )
    row = stage.session_row(token)
    assert row.session_type == "Visualforce" and row.flow is Flow.VISUALFORCE
    told = sessions.authenticate(stage.catalogue, token, surface="ui", enforce=False)
    layout, (found,) = records.retrieve(
        stage.org.system_caller(), "AuthSession", [told.session_id or ""], ["ParentId"]
    )
    assert parent in (found or ())


def test_one_browser_keeps_its_page_session(stage: Stage) -> None:
    stage.log_in()
    first = TOKEN.search(stage.open(PLAIN + DEMO).text)
    second = TOKEN.search(stage.open(PLAIN + DEMO).text)
    assert first and second and first[0] == second[0]


def test_the_page_session_ends_with_the_browsers(stage: Stage) -> None:
    parent = stage.log_in()
    token = TOKEN.search(stage.open(PLAIN + DEMO).text)
    assert token and stage.session_row(token[0])
    session_ends.end_session(stage.org, parent)
    assert stage.session_row(token[0]) is None
    stage.client.delete_cookie("sid", domain="127.0.0.1")
    assert stage.open(PLAIN + DEMO).headers["Location"].startswith("/login?")


def test_whoever_logs_in_next_gets_a_session_of_their_own(stage: Stage) -> None:
    stage.log_in("admin")
    stage.open(PLAIN + DEMO)
    stage.log_in("standard")
    assert username(stage.org, "standard") in stage.open(PLAIN + DEMO).text
    stage.client.delete_cookie("sid", domain="127.0.0.1")
    assert stage.open(PLAIN + DEMO).status_code == 302


def test_pages_are_written_by_administrators_only(stage: Stage) -> None:
    path = f"{stage.vf}/services/data/v64.0/sobjects/ApexPage"
    values = {
        "MasterLabel": "Mine",
        "ApiVersion": 64.0,
        "ControllerType": "0",
        "Markup": "<apex:page>x</apex:page>",
    }
    told = {}
    for who, name in (("standard", "Mine"), ("admin", "1 bad"), ("admin", "a__b"), ("admin", "Ok")):
        opened = sessions.open_session(stage.org, stage.user_id(who), Flow.SOAP_LOGIN)
        answer = stage.client.post(
            path,
            json={**values, "Name": name},
            headers={"Authorization": f"Bearer {opened.token}"},
        )
        body = answer.get_json()
        told[who, name] = body[0]["errorCode"] if answer.status_code >= 400 else body["success"]
    assert told == {
        ("standard", "Mine"): "INSUFFICIENT_ACCESS_OR_READONLY",
        ("admin", "1 bad"): "FIELD_INTEGRITY_EXCEPTION",
        ("admin", "a__b"): "FIELD_INTEGRITY_EXCEPTION",
        ("admin", "Ok"): True,
    }
    stage.log_in()
    assert "x" in stage.open(f"{PLAIN}/apex/ok").text


def test_a_page_session_is_no_way_into_setup(stage: Stage) -> None:
    stage.log_in()
    token = TOKEN.search(stage.open(PLAIN + DEMO).text)
    assert token
    stage.client.set_cookie("sid", token[0], domain="127.0.0.1")
    answer = stage.open(f"{PLAIN}/lightning/setup/SetupOneHome/home")
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login")


def test_strangers_log_in_first_and_come_back(stage: Stage) -> None:
    answer = stage.open(f"{PLAIN}{DEMO}?a=b")
    assert answer.status_code == 302
    assert query_of(answer.headers["Location"])["startURL"] == f"{DEMO}?a=b"


def test_the_login_is_carried_over_to_the_visualforce_host(stage: Stage) -> None:
    stage.log_in(at=stage.home)
    where, answer = stage.follow(stage.vf + DEMO)
    assert where == stage.vf + DEMO and answer.status_code == 200
    assert "script-src 'self' 'unsafe-inline'" in answer.headers["Content-Security-Policy"]
    token = TOKEN.search(answer.text)
    assert token and stage.session_row(token[0]).session_type == "Visualforce"


def test_without_a_login_the_visualforce_host_leads_to_the_login_page(stage: Stage) -> None:
    where, answer = stage.follow(stage.vf + DEMO)
    assert where.startswith(f"{stage.home}/login?") and answer.status_code == 200
    back = query_of(where)["startURL"]
    assert back.startswith("/visualforce/session?") and query_of(back)["url"] == DEMO


def exchange(stage: Stage) -> str:
    stage.log_in(at=stage.home)
    answer = stage.open(f"{stage.home}/visualforce/session?host={stage.host}&url={DEMO}")
    target: str = answer.headers["Location"]
    assert target.startswith(f"{stage.vf}/visualforce/enter?")
    return target


def test_an_exchange_opens_one_session_once_and_only_there(stage: Stage) -> None:
    target = exchange(stage)
    token = query_of(target)["token"]
    assert stage.session_row(token).session_type == "TempVisualforceExchange"
    elsewhere = target.replace(stage.host, "other--c.vf.force.com")
    assert stage.open(elsewhere).status_code == 403
    assert stage.open(target).status_code == 302
    assert stage.open(target).status_code == 403
    assert stage.session_row(token) is None


def test_an_exchange_is_short_lived(stage: Stage) -> None:
    target = exchange(stage)
    stage.org.clock.advance(61)
    assert stage.open(target).status_code == 403


def test_an_exchange_opens_neither_a_page_nor_the_api(stage: Stage) -> None:
    token = query_of(exchange(stage))["token"]
    stage.client.set_cookie("visualforce_sid", token, domain=stage.host)
    assert stage.open(stage.vf + DEMO).status_code == 302
    answer = stage.open(
        f"{stage.vf}/services/data/v64.0/limits", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401 and "not valid for use" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "other--c.vf.force.com", "", "x--c.vf.evil.com"])
def test_the_login_is_carried_to_no_other_host(stage: Stage, host: str) -> None:
    stage.log_in(at=stage.home)
    answer = stage.open(f"{stage.home}/visualforce/session?host={host}&url={DEMO}")
    assert answer.status_code == 403 and "Location" not in answer.headers


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere(stage: Stage, url: str) -> None:
    target = exchange(stage).replace(query_of(exchange(stage))["url"], "/")
    token = query_of(target)["token"]
    answer = stage.client.get(
        "/visualforce/enter", base_url=stage.vf, query_string={"token": token, "url": url}
    )
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("name", ["Nope", "1abc", "a'b", "a%20b", "Ä", "a" * 300])
def test_there_is_no_such_page(stage: Stage, name: str) -> None:
    stage.log_in()
    answer = stage.open(f"{PLAIN}/apex/{name}")
    assert answer.status_code == 404 and "does not exist" in answer.text


def test_pages_are_private_and_cannot_be_framed(stage: Stage) -> None:
    stage.log_in()
    headers = stage.open(PLAIN + DEMO).headers
    assert headers["X-Frame-Options"] == "DENY" and "no-store" in headers["Cache-Control"]
    assert "script-src 'none'" in headers["Content-Security-Policy"]  # Setup's own origin


# -- getSessionId() ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "kind"),
    [("page", "Visualforce"), ("external", "Visualforce"), ("lightning", "Aura")],
)
def test_get_session_id(stage: Stage, context: str, kind: str) -> None:
    stage.log_in()
    answer = stage.open(f"{PLAIN}/visualforce/getSessionId?context={context}").get_json()
    assert answer["context"] == context
    assert stage.session_row(answer["sessionId"]).session_type == kind


def test_the_external_context_hands_out_the_pages_own_session(stage: Stage) -> None:
    stage.log_in()
    found = {
        context: stage.open(f"{PLAIN}/visualforce/getSessionId?context={context}").get_json()
        for context in ("page", "external", "lightning")
    }
    assert found["page"]["sessionId"] == found["external"]["sessionId"]
    assert found["lightning"]["sessionId"] != found["page"]["sessionId"]


def test_get_session_id_knows_three_contexts(stage: Stage) -> None:
    assert stage.open(f"{PLAIN}/visualforce/getSessionId?context=apex").status_code == 400


# -- markup --------------------------------------------------------------------------------------


def test_components(stage: Stage) -> None:
    page = shown(
        stage,
        '<apex:page title="T"><apex:outputPanel layout="block" id="p" styleClass="c">'
        '<apex:outputText value="a &lt;b&gt;"/></apex:outputPanel>'
        '<apex:outputLink value="/x" target="_self">go&nbsp;on</apex:outputLink></apex:page>',
    )
    assert page.xpath("string(//title)") == "T"
    assert page.xpath("string(//div[@id='p' and @class='c']/span)") == "a <b>"
    assert page.xpath("string(//a[@href='/x'])") == "go\xa0on"


def test_a_page_may_bring_its_own_html_element(stage: Stage) -> None:
    page = shown(
        stage,
        '<apex:page applyHtmlTag="false"><html lang="de"><body>{!$User.UserType}</body></html>'
        "</apex:page>",
    )
    assert page.get("lang") == "de" and page.xpath("string(//body)") == "Standard"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("$User.Username", "admin@"),
        ("$USER.lastname", "Admin"),
        ("$Profile.Name", "System Administrator"),
        ("$Organization.Name", "Acme"),
        ("$CurrentPage.Name", "Mine"),
        ("$CurrentPage.parameters.q", "a&b"),
        ("$CurrentPage.parameters.none", ""),
        ("URLENCODE($CurrentPage.parameters.q)", "a%26b"),
        ("JSENCODE($CurrentPage.parameters.q)", "a\\u0026b"),
        ("$Site.Prefix", ""),
        ("$Api.Enterprise_Server_URL_590", f"{PLAIN}/services/Soap/c/59.0/00D"),
    ],
)
def test_merge_fields(stage: Stage, field: str, value: str) -> None:
    page = shown(stage, f'<apex:page><p id="v">{{! {field} }}</p></apex:page>', q="a&b")
    found = page.xpath("string(//*[@id='v'])")
    assert found.startswith(value) if value else found == ""


@pytest.mark.parametrize(
    ("markup", "says"),
    [
        ("<apex:page><br></apex:page>", "not well-formed"),
        ("plain text", "one <apex:page> element"),
        ("<div/>", "one <apex:page> element"),
        ("<apex:page/><apex:page/>", "one <apex:page> element"),
        ("<apex:page><apex:pageBlock/></apex:page>", "Unknown component <apex:pageBlock>"),
        ('<apex:page controller="C"/>', "needs Apex"),
        ('<apex:page standardController="Account"/>', "needs Apex"),
        ("<apex:page>{!account.Name}</apex:page>", "Unknown merge field {!account.Name}"),
        ("<apex:page>{!$User.Nope}</apex:page>", "Unknown merge field {!$User.Nope}"),
        ("<apex:page>{!$User.simorg_PasswordHash}</apex:page>", "Unknown merge field"),
        ('<apex:page><iframe src="/"/></apex:page>', "<iframe> is not supported"),
        ("<apex:page><style>{!$User.Id}</style></apex:page>", "<style>"),
        ('<apex:page><p style="{!$User.Id}"/></apex:page>', "style attributes"),
        ('<apex:page><apex:outputText value="x" escape="false"/></apex:page>', "escape"),
        ("<apex:page><?php evil ?></apex:page>", "no place in a page"),
        ('<apex:page><a href="javascript:{!$User.Id}">x</a></apex:page>', "address"),
        ('<apex:page><apex:outputLink value="javascript:x()"/></apex:page>', "address"),
        (
            '<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]><apex:page>&e;</apex:page>',
            "not well-formed",
        ),
    ],
)
def test_markup_that_cannot_be_shown_says_why(stage: Stage, markup: str, says: str) -> None:
    assert says in problem(stage, markup)


def test_a_link_cannot_become_a_script(stage: Stage) -> None:
    stage.put('<apex:page><a id="l" href="{!$CurrentPage.parameters.to}">x</a></apex:page>')
    stage.log_in()
    for to in ("javascript:alert(1)", "  javascript:alert(1)", "data:text/html,x", "JavaScript:x"):
        answer = stage.client.get("/apex/Mine", base_url=PLAIN, query_string={"to": to})
        assert answer.status_code == 400, to


@hypothesis_settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_no_value_becomes_markup(stage: Stage, value: str) -> None:
    if not stage.client.get_cookie("sid", domain="127.0.0.1"):
        stage.log_in()
        stage.put(
            '<apex:page><b id="t" title="{!$CurrentPage.parameters.v}">'
            "{!$CurrentPage.parameters.v}</b></apex:page>"
        )
    answer = stage.client.get("/apex/Mine", base_url=PLAIN, query_string={"v": value})
    assert answer.status_code == 200
    page = html.document_fromstring(answer.text)
    assert [e.tag for e in page.iter()] == ["html", "head", "meta", "title", "body", "b"]


@given(value=st.text(max_size=40))
def test_no_value_leaves_its_string_in_a_script(value: str) -> None:
    escaped = for_script(value)
    assert not set(escaped) & set("'\"<>&`\n\r\u2028\u2029")
    assert not escaped.replace("\\u", "").count("\\")
    utf16 = re.sub(r"\\u(.{4})", lambda m: chr(int(m[1], 16)), escaped)
    assert utf16.encode("utf-16-le", "surrogatepass") == value.encode("utf-16-le", "surrogatepass")


def test_scripts_get_strings_and_event_handlers_too(stage: Stage) -> None:
    page = shown(
        stage,
        "<apex:page><script>var v = '{!$CurrentPage.parameters.v}';</script>"
        "<p onclick=\"f('{!$CurrentPage.parameters.v}')\">x</p></apex:page>",
        v="'</script><b>",
    )
    escaped = "\\u0027\\u003c/script\\u003e\\u003cb\\u003e"
    assert page.xpath("string(//script)") == f"var v = '{escaped}';"
    assert page.xpath("string(//p/@onclick)") == f"f('{escaped}')"
    assert not page.xpath("//b")
