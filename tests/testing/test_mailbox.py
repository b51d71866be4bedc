"""The mailbox: sendEmail and its refusals, password mails, and what tests read of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import pytest
import requests
import zeep

from simorg.testing import ControlRefused, LoginRefused, Org, Simorg
from simorg.testing.mailbox import Mail

NS = "{urn:partner.soap.sforce.com}"
SINGLE = f"{NS}SingleEmailMessage"


@pytest.fixture(scope="module")
def wsdl(server: Simorg) -> Iterator[zeep.Client]:
    """zeep on the WSDL that the server serves."""
    yield zeep.Client(f"{server.url}/services/Soap/u/64.0?wsdl")


class Soap:
    """A session of a user as zeep sees it."""

    def __init__(self, client: zeep.Client, org: Org, user: str = "admin") -> None:
        session = org.login(user)
        (binding,) = client.wsdl.bindings
        self.client = client
        at = f"{org.http}/services/Soap/u/64.0"
        self.service = client.create_service(str(binding), at)
        self.header = client.get_element(f"{NS}SessionHeader")(sessionId=session.session_id)

    def mail(self, **members: Any) -> Any:
        given = {"subject": "Hello", "plainTextBody": "Text", "toAddresses": ["you@out.example"]}
        message = self.client.get_type(SINGLE)(**{**given, **members})
        return self.send(message)[0]

    def send(self, *messages: Any) -> Any:
        return self.service.sendEmail([*messages], _soapheaders=[self.header]).body.result

    def email_header(self) -> Any:
        return self.client.get_element(f"{NS}EmailHeader")(
            triggerAutoResponseEmail=False, triggerOtherEmail=False, triggerUserEmail=True
        )


def test_send_email(org: Org, wsdl: zeep.Client) -> None:
    soap = Soap(wsdl, org)
    attachment = wsdl.get_type(f"{NS}EmailFileAttachment")(fileName="a.txt", body=b"inside")
    result = soap.mail(
        toAddresses=["you@out.example", "two@out.example"],
        ccAddresses=["copy@out.example"],
        htmlBody="<p>See https://here.example/x</p>",
        plainTextBody=None,
        senderDisplayName="Ada",
        replyTo="reply@out.example",
        bccSender=True,
        fileAttachments=[attachment],
    )
    assert result.success, result.errors
    mail = org.mailbox.last
    assert [assert_type(one, Mail).number for one in org.mailbox][-1] == mail.number
    assert (mail.number, mail.kind, mail.subject, mail.text) == (1, "single", "Hello", None)
    assert mail.to == ["you@out.example", "two@out.example"] and mail.cc == ["copy@out.example"]
    assert mail.sender == mail.bcc[0] == org.user("admin").state["email"]
    assert mail.told["senderName"] == "Ada" and mail.told["replyTo"] == "reply@out.example"
    assert mail.attachments == {"a.txt": b"inside"}
    assert mail.links == ["https://here.example/x"]
    assert org.control("GET", "mailbox/1") == mail.told


def test_targets(org: Org, wsdl: zeep.Client) -> None:
    soap = Soap(wsdl, org)
    contact = org.create("Contact", LastName="Reader", Email="reader@out.example")
    assert soap.mail(toAddresses=[], targetObjectId=contact).success
    assert org.mailbox.last.to == ["reader@out.example"]
    both = soap.mail(targetObjectId=contact, treatTargetObjectAsRecipient=False)
    assert both.success and org.mailbox.last.to == ["you@out.example"]
    org.update(contact, Email=None)
    for target in (contact, org.create("Account", Name="None"), "003000000000001AAA"):
        assert not soap.mail(targetObjectId=target).success


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"toAddresses": ["you@out.example", "nobody"]}, "INVALID_EMAIL_ADDRESS"),
        ({"replyTo": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"toAddresses": []}, "REQUIRED_FIELD_MISSING"),
        ({"plainTextBody": None}, "REQUIRED_FIELD_MISSING"),
        ({"toAddresses": ["you@out.example"] * 151}, "LIMIT_EXCEEDED"),
        ({"templateId": "00X000000000001AAA"}, "EMAIL_TEMPLATE_PROCESSING_ERROR"),
    ],
)
def test_refused(org: Org, wsdl: zeep.Client, members: dict[str, Any], code: str) -> None:
    result = Soap(wsdl, org).mail(**members)
    assert not result.success
    assert {error.statusCode for error in result.errors} == {code}
    assert len(org.mailbox) == 0


def test_who_may(org: Org, wsdl: zeep.Client) -> None:
    org.profile("Standard User").revoke("EmailSingle")
    result = Soap(wsdl, org, "standard").mail()
    assert [error.statusCode for error in result.errors] == ["NO_SINGLE_MAIL_PERMISSION"]
    mass = wsdl.get_type(f"{NS}MassEmailMessage")(templateId="00X000000000001AAA")
    soap = Soap(wsdl, org)
    (result,) = soap.send(mass)
    assert result.errors[0].statusCode == "NO_MASS_MAIL_PERMISSION"
    with pytest.raises(zeep.exceptions.Fault, match="at most 10"):
        single = wsdl.get_type(SINGLE)(toAddresses=["you@out.example"], plainTextBody="x")
        soap.send(*[single] * 11)


def test_the_day_has_an_end(server: Simorg, wsdl: zeep.Client) -> None:
    with server.create(edition="Developer") as org:
        soap, session = Soap(wsdl, org), org.login("admin", app="Self Service")
        assert session.get("limits")["SingleEmail"] == {"Max": 15, "Remaining": 15}
        assert soap.mail(toAddresses=[f"u{n}@out.example" for n in range(14)]).success
        inside = org.user("standard").state["email"]
        assert soap.mail(toAddresses=[inside]).success  # users of the org do not count
        assert session.get("limits")["SingleEmail"] == {"Max": 15, "Remaining": 1}
        result = soap.mail(toAddresses=["a@out.example", "b@out.example"])
        assert [e.statusCode for e in result.errors] == ["SINGLE_EMAIL_LIMIT_EXCEEDED"]
        org.clock.advance(days=1)
        session = org.login("admin", app="Self Service")
        assert session.get("limits")["SingleEmail"]["Remaining"] == 15


def test_reading(org: Org, wsdl: zeep.Client, tmp_path: Path) -> None:
    soap = Soap(wsdl, org)
    with pytest.raises(LookupError):
        _ = org.mailbox.last
    with pytest.raises(TimeoutError):
        org.mailbox.wait_for(timeout=0, to="you")
    for n in range(3):
        soap.mail(subject=f"Mail {n}", toAddresses=[f"you{n}@out.example"])
    box = org.mailbox
    assert [mail.subject for mail in box] == ["Mail 0", "Mail 1", "Mail 2"]
    assert [mail.number for mail in box.to("YOU1@")] == [2]
    assert [mail.number for mail in box.all(after=1, subject="mail 2")] == [3]
    assert box.all(kind="passwordReset") == []
    assert box.wait_for(after=2).number == 3
    kept = org.snapshot()
    box.clear()
    assert len(box) == 0
    soap.mail()
    assert box.last.number == 4
    org.restore(kept)
    assert len(box) == 3
    with org.server.create(snapshot=org.save(tmp_path / "state.simorg")) as twin:
        assert [mail.number for mail in twin.mailbox] == [1, 2, 3]
    for path in ("mailbox?colour=red", "mailbox?after=x", "mailbox/9", "mailbox/x"):
        with pytest.raises(ControlRefused):
            org.control("GET", path)


def test_password_mails(org: Org, wsdl: zeep.Client) -> None:
    soap, user = Soap(wsdl, org), org.user("standard")
    made = soap.service.resetPassword(user.id, _soapheaders=[soap.header])
    assert len(org.mailbox) == 0  # nobody asked for a mail
    assert made.body.result.password
    with_mail = [soap.header, soap.email_header()]
    soap.service.resetPassword(user.id, _soapheaders=with_mail)
    mail = org.mailbox.wait_for(to=user.state["email"])
    assert mail.kind == "passwordReset" and user.username in (mail.text or "")
    with pytest.raises(LoginRefused):
        org.login("standard", password="simorg123")
    with pytest.raises(zeep.exceptions.Fault, match="invalid cross reference id"):
        soap.service.resetPassword("005000000000001AAA", _soapheaders=with_mail)


def test_a_new_user_is_welcome(org: Org, wsdl: zeep.Client) -> None:
    soap = Soap(wsdl, org)
    (profile,) = org.query("SELECT Id FROM Profile WHERE Name = 'Standard User'")
    fields = {
        "Username": f"neu.{org.id}@out.example",
        "LastName": "Neu",
        "Email": "neu@out.example",
        "Alias": "neu",
        "ProfileId": profile["Id"],
        "TimeZoneSidKey": "Europe/Berlin",
        "LocaleSidKey": "de_DE",
        "LanguageLocaleKey": "de",
        "EmailEncodingKey": "UTF-8",
    }
    kind = wsdl.get_type("{urn:sobject.partner.soap.sforce.com}sObject")
    element = "{urn:sobject.partner.soap.sforce.com}"
    from lxml import etree

    values = []
    for name, value in fields.items():
        child = etree.Element(f"{element}{name}")
        child.text = value
        values.append(child)
    record = kind(type="User", _value_1=values)
    headers = [soap.header, soap.email_header()]
    (saved,) = soap.service.create([record], _soapheaders=headers).body.result
    assert saved.success, saved.errors
    mail = org.mailbox.last
    assert (mail.kind, mail.to) == ("newUser", ["neu@out.example"])
    assert mail.links[0].startswith(f"{org.http}/secur/resetpassword?c={org.id[:15]}.")


class Browser:
    """A person's forms, with requests and a cookie jar."""

    def __init__(self, org: Org) -> None:
        self.at = org.http
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, path: str, **fields: str) -> requests.Response:
        """Open a page and send its form."""
        url = path if path.startswith("http") else f"{self.at}{path}"
        shown = self.session.get(url)
        hidden = dict(re.findall(r'name="(csrf|c)" value="([^"]*)"', shown.text))
        action = re.search(r'<form method="post" action="([^"]*)"', shown.text)
        assert action, shown.text
        return self.session.post(f"{self.at}{action[1]}", data={**hidden, **fields})


def test_a_forgotten_password(org: Org) -> None:
    browser, user = Browser(org), org.user("standard")
    login = browser.session.get(f"{org.http}/login")
    assert 'href="/secur/forgotpassword.jsp"' in login.text
    answer = browser.send("/secur/forgotpassword.jsp", un=user.username)
    assert answer.status_code == 200 and "Check your email" in answer.text
    (link,) = org.mailbox.last.links
    both = {"newpassword": "forgotten-1", "confirmpassword": "forgotten-1"}
    for wrong, words in (
        ({"newpassword": "short1", "confirmpassword": "short1"}, "at least 8 characters"),
        ({**both, "confirmpassword": "other-pass-1"}, "match"),
    ):
        answer = browser.send(link, **wrong)
        assert answer.status_code == 422 and words in answer.text
    assert org.login("standard", password="simorg123")
    assert "Your password was changed" in browser.send(link, **both).text
    assert org.login("standard", password="forgotten-1")
    with pytest.raises(LoginRefused):
        org.login("standard", password="simorg123")
    assert browser.session.get(link).status_code == 404  # once


def test_links_end(org: Org) -> None:
    browser = Browser(org)
    browser.send("/secur/forgotpassword.jsp", un=org.username("standard"))
    (link,) = org.mailbox.last.links
    assert browser.session.get(link).status_code == 200
    org.clock.advance(hours=25)
    assert browser.session.get(link).status_code == 404
    for code in ("", "x", "00D000000000000.x", f"{org.id[:15]}.", f"{org.id}.x", "a.%00"):
        assert browser.session.get(f"{org.http}/secur/resetpassword?c={code}").status_code == 404


def test_asking_tells_nothing(org: Org) -> None:
    browser = Browser(org)
    for name in ("nobody@out.example", org.username("frozen"), org.username("inactive"), "x"):
        answer = browser.send("/secur/forgotpassword.jsp", un=name)
        assert answer.status_code == 200 and "Check your email" in answer.text
    assert browser.send("/secur/forgotpassword.jsp", un="").status_code == 422
    forged = requests.post(f"{org.http}/secur/forgotpassword.jsp", data={"un": "x", "csrf": "x"})
    assert forged.status_code == 403
    assert len(org.mailbox) == 0
