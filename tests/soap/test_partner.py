"""The Partner API as real clients speak it: their prefixes, namespaces, aliases and headers."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from simorg.access import passwords, settings
from simorg.access.model import Flow
from simorg.access.sessions import open_session
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.soap import application

from ..conftest import username
from .wire import ENVELOPE, Wire

ACCOUNT = "<so:type>Account</so:type><so:Name>{name}</so:Name>"


def account(name: str, more: str = "") -> str:
    return f"<urn:sObjects>{ACCOUNT.format(name=name)}{more}</urn:sObjects>"


def create(wire: Wire, session: str, *records: str, headers: str = "") -> Any:
    return wire.call(f"<urn:create>{''.join(records)}</urn:create>", session, headers)


def names(wire: Wire, session: str, where: str) -> list[str]:
    soql = f"SELECT Name FROM Account WHERE {where} ORDER BY Name"
    body = f"<urn:query><urn:queryString>{soql}</urn:queryString></urn:query>"
    return wire.call(body, session).texts("//sf:Name")


# --- the form of answers --------------------------------------------------------------------------


def test_an_answer_is_shaped_as_the_clients_insist(wire: Wire, session: str) -> None:
    """Prefixed envelope, un-prefixed body, no attribute on Body, result the first child."""
    text = wire.call("<urn:getServerTimestamp/>", session).text
    body = re.search(r"<soapenv:Body>(.*)</soapenv:Body></soapenv:Envelope>$", text)
    assert body is not None
    assert re.fullmatch(
        r"<getServerTimestampResponse><result><timestamp>"
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z</timestamp></result>"
        r"</getServerTimestampResponse>",
        body[1],
    )
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope ')
    assert "<soapenv:Header><LimitInfoHeader><limitInfo><current>" in text


def test_urls_are_built_from_the_request(org: Org, shared_catalogue: OrgCatalogue) -> None:
    app = application(shared_catalogue)
    for scheme, host in (("http", "127.0.0.1:8080"), ("https", "login.salesforce.com")):
        answer = Wire(app, host=host, scheme=scheme).call(
            f"<urn:login><urn:username>{username(org, 'admin')}</urn:username>"
            "<urn:password>simorg123</urn:password></urn:login>",
            path="/services/Soap/u/42.0/",
        )
        assert answer.one("//p:serverUrl") == (
            f"{scheme}://{host}/services/Soap/u/42.0/{org.id[:15]}"
        )


# --- login ----------------------------------------------------------------------------------------

INVALID_LOGIN = (
    "sf:INVALID_LOGIN",
    "INVALID_LOGIN: Invalid username, password, security token; or user locked out.",
    "LoginFault",
)


def login(wire: Wire, user: str, password: str = "simorg123", headers: str = "", **how: Any) -> Any:
    body = (
        f"<urn:login><urn:username>{user}</urn:username>"
        f"<urn:password>{password}</urn:password></urn:login>"
    )
    return wire.call(body, headers=headers, **how)


@pytest.mark.parametrize("user", ["inactive", "frozen"])
def test_who_may_not_log_in(wire: Wire, org: Org, user: str) -> None:
    assert login(wire, username(org, user)).fault == INVALID_LOGIN


def test_wrong_and_right_passwords(wire: Wire, org: Org) -> None:
    user = username(org, "standard")
    assert login(wire, user, "wrong").fault == INVALID_LOGIN
    assert login(wire, user, "").fault == INVALID_LOGIN
    assert login(wire, "nobody@nowhere.example").fault == INVALID_LOGIN
    assert login(wire, user.upper()).status == 200
    assert login(wire, user, "simorg123SIMORGTOKEN").status == 200


def test_a_strange_address_needs_the_security_token(wire: Wire, org: Org) -> None:
    body = ENVELOPE.format(
        headers="",
        body=f"<urn:login><urn:username>{username(org, 'admin')}</urn:username>"
        "<urn:password>simorg123</urn:password></urn:login>",
    )
    code, text, detail = wire.post(body, REMOTE_ADDR="203.0.113.9").fault
    assert (code, detail) == ("sf:LOGIN_MUST_USE_SECURITY_TOKEN", "LoginFault")
    assert text.startswith("LOGIN_MUST_USE_SECURITY_TOKEN: Invalid username, password, security")


def test_the_login_scope_names_the_org(wire: Wire, org: Org) -> None:
    scope = (
        "<urn:LoginScopeHeader><urn:organizationId>{}</urn:organizationId></urn:LoginScopeHeader>"
    )
    user = username(org, "admin")
    assert login(wire, user, headers=scope.format(org.id)).status == 200
    assert login(wire, user, headers=scope.format(org.id[:15])).status == 200
    assert login(wire, user, headers=scope.format("00D000000000001")).fault == INVALID_LOGIN
    assert login(wire, user, headers=scope.format("nonsense")).fault == INVALID_LOGIN


def test_login_is_gone_from_version_65(wire: Wire, org: Org) -> None:
    user = username(org, "admin")
    assert login(wire, user, path="/services/Soap/u/64.0").status == 200
    refused = login(wire, user, path="/services/Soap/u/65.0").fault
    assert refused[0] == "sf:INVALID_OPERATION"


def test_login_can_be_switched_off(wire: Wire, org: Org) -> None:
    settings.update(org, "login", {"soapLoginEnabled": False})
    code, text, _ = login(wire, username(org, "admin")).fault
    assert code == "sf:INVALID_OPERATION"
    assert "SOAP API login() is disabled by default in this org." in text


def test_simple_salesforce_reaches_us_through_its_domain(wire: Wire, org: Org) -> None:
    """Its ``domain`` ends up in front of the path it appends, as a query string."""
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><soapenv:Envelope'
        ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header><urn:CallOptions>'
        "<urn:client>simple-salesforce</urn:client><urn:defaultNamespace>sf</urn:defaultNamespace>"
        "</urn:CallOptions></soapenv:Header><soapenv:Body><n1:login"
        ' xmlns:n1="urn:partner.soap.sforce.com">'
        f"<n1:username>{username(org, 'admin')}</n1:username>"
        "<n1:password>simorg123</n1:password></n1:login></soapenv:Body></soapenv:Envelope>"
    )
    answer = wire.post(
        body,
        "/services/Soap/u/59.0",
        QUERY_STRING=".salesforce.com/services/Soap/u/59.0",
        HTTP_SOAPACTION="login",
    )
    assert answer.status == 200
    assert re.search(r"<sessionId>([^<]+)</sessionId>", answer.text)


# --- what clients send ----------------------------------------------------------------------------


def test_jsforce_s_create_with_its_misspelt_namespace(wire: Wire, session: str) -> None:
    body = (
        '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<se:Header xmlns="urn:partner.soap.sforce.com"><SessionHeader>'
        f"<sessionId>{session}</sessionId></SessionHeader></se:Header>"
        '<se:Body xmlns="urn:partner.soap.sforce.com"><create'
        ' xmlns="urn:partner.soap.sforce.com" xmlns:ns1="sobject.partner.soap.sforce.com">'
        "<ns1:sObjects><type>Account</type><Name>jsforce</Name></ns1:sObjects>"
        "<ns1:sObjects><type>Account</type><Name>two</Name>"
        "<fieldsToNull>Phone</fieldsToNull></ns1:sObjects></create></se:Body></se:Envelope>"
    )
    answer = wire.post(body, HTTP_SOAPACTION='""')
    assert answer.texts("//p:result/p:success") == ["true", "true"]
    assert names(wire, session, "Name IN ('jsforce', 'two')") == ["jsforce", "two"]


def test_pyforce_s_delete_says_id(wire: Wire, session: str) -> None:
    key = create(wire, session, account("gone")).one("//p:result/p:id")
    answer = wire.call(
        f'<p:delete xmlns:p="urn:partner.soap.sforce.com"><p:id>{key}</p:id></p:delete>', session
    )
    assert answer.one("//p:result/p:success") == "true"
    assert names(wire, session, f"Id = '{key}'") == []


def test_unqualified_children_and_a_prefixed_type_hint(wire: Wire, session: str) -> None:
    answer = wire.call(
        '<urn:create><urn:sObjects xsi:type="so:Account"><type>Account</type><Name>CCI</Name>'
        "</urn:sObjects></urn:create>",
        session,
    )
    assert answer.one("//p:result/p:success") == "true"


def test_a_nil_id_is_ignored_on_create_and_an_id_is_refused(wire: Wire, session: str) -> None:
    nil, given = (
        create(wire, session, account("x", more))
        for more in ('<so:Id xsi:nil="true"/>', "<so:Id>001000000000000AAA</so:Id>")
    )
    assert nil.one("//p:result/p:success") == "true"
    assert given.one("//p:result/p:success") == "false"
    assert given.one("//p:errors/p:statusCode") == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_field_names_of_any_case_and_15_character_ids(wire: Wire, session: str) -> None:
    key = create(wire, session, account("Case")).one("//p:result/p:id")
    answer = wire.call(
        f"<urn:update><urn:sObjects><type>account</type><id>{key[:15]}</id><nAmE>CASE</nAmE>"
        "</urn:sObjects></urn:update>",
        session,
    )
    assert answer.one("//p:result/p:id") == key
    assert names(wire, session, f"Id = '{key}'") == ["CASE"]


def test_values_come_out_as_they_went_in(wire: Wire, session: str) -> None:
    fields = (
        "<so:AnnualRevenue>139000000</so:AnnualRevenue><so:NumberOfEmployees>12"
        "</so:NumberOfEmployees><so:Description>a &lt;b&gt; &amp; \u00e9 \u65e5</so:Description>"
        "<so:BillingCity>Bonn</so:BillingCity>"
    )
    key = create(wire, session, account("Values", fields)).one("//p:result/p:id")
    soql = (
        "SELECT AnnualRevenue, NumberOfEmployees, Description, BillingAddress, IsDeleted,"
        f" CreatedDate, Phone, Owner.Username FROM Account WHERE Id = '{key}'"
    )
    answer = wire.call(f"<urn:query><urn:queryString>{soql}</urn:queryString></urn:query>", session)
    assert answer.one("//sf:AnnualRevenue") == "1.39E8"
    assert answer.one("//sf:NumberOfEmployees") == "12"
    assert answer.one("//sf:Description") == "a <b> & \u00e9 \u65e5"
    assert answer.one("//sf:BillingAddress/p:city") == "Bonn"
    assert answer.one("//sf:IsDeleted") == "false"
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", answer.one("//sf:CreatedDate"))
    assert answer.find("//sf:Phone/@xsi:nil") == ["true"]
    assert answer.one("//sf:Owner/sf:Username").startswith("admin@")


def test_null_is_set_by_name_only(wire: Wire, session: str) -> None:
    key = create(wire, session, account("N", "<so:Phone>1</so:Phone>")).one("//p:result/p:id")

    def phone() -> list[str]:
        return names(wire, session, f"Id = '{key}' AND Phone = null")

    def update(change: str) -> None:
        wire.call(
            f"<urn:update><urn:sObjects><so:type>Account</so:type><so:Id>{key}</so:Id>{change}"
            "</urn:sObjects></urn:update>",
            session,
        )

    update('<so:Phone xsi:nil="true"/>')
    assert phone() == []
    update("<so:fieldsToNull>Phone</so:fieldsToNull>")
    assert phone() == ["N"]


def test_aggregates(wire: Wire, session: str) -> None:
    create(wire, session, account("Agg"), account("Agg"))
    soql = "SELECT Name, COUNT(Id) n FROM Account WHERE Name = 'Agg' GROUP BY Name"
    answer = wire.call(f"<urn:query><urn:queryString>{soql}</urn:queryString></urn:query>", session)
    assert answer.one("//p:records/sf:type") == "AggregateResult"
    assert answer.one("//p:records/sf:n") == "2"
    assert answer.find("//p:records/sf:n/@xsi:type") == ["xsd:int"]
    counted = wire.call(
        "<urn:query><urn:queryString>SELECT COUNT() FROM Account WHERE Name = 'Agg'"
        "</urn:queryString></urn:query>",
        session,
    )
    assert counted.one("//p:result/p:size") == "2"
    assert counted.find("//p:records") == []


def test_malformed_queries_say_where(wire: Wire, session: str) -> None:
    answer = wire.call(
        "<urn:query><urn:queryString>select adfId, Name from Contact</urn:queryString></urn:query>",
        session,
    )
    code, text, detail = answer.fault
    assert (code, detail) == ("sf:INVALID_FIELD", "InvalidFieldFault")
    assert "ERROR at Row:1:Column:8" in text
    assert (answer.one("//f:row"), answer.one("//f:column")) == ("1", "8")


def test_an_unknown_field_or_object_refuses_the_whole_call(wire: Wire, session: str) -> None:
    answer = create(wire, session, account("Kept?"), account("x", "<so:Nope>1</so:Nope>"))
    assert answer.fault == (
        "sf:INVALID_FIELD",
        "INVALID_FIELD: No such column 'Nope' on entity 'Account'. If you are attempting to use a"
        " custom field, be sure to append the '__c' after the custom field name. Please reference"
        " your WSDL or the describe call for the appropriate names.",
        "InvalidFieldFault",
    )
    assert names(wire, session, "Name = 'Kept?'") == []
    for kind in ("<so:type>Nope</so:type>", ""):
        refused = create(wire, session, f"<urn:sObjects>{kind}</urn:sObjects>").fault
        assert refused[0] == "sf:INVALID_TYPE" and refused[2] == "InvalidSObjectFault"


def test_all_or_none(wire: Wire, session: str) -> None:
    header = "<urn:AllOrNoneHeader><urn:allOrNone>true</urn:allOrNone></urn:AllOrNoneHeader>"
    bad = "<urn:sObjects><so:type>Account</so:type></urn:sObjects>"
    answer = create(wire, session, account("AON"), bad, headers=header)
    assert answer.texts("//p:result/p:success") == ["false", "false"]
    assert answer.texts("//p:errors/p:statusCode") == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert names(wire, session, "Name = 'AON'") == []
    create(wire, session, account("AON"), bad)
    assert names(wire, session, "Name = 'AON'") == ["AON"]


def test_more_than_200_records(wire: Wire, session: str) -> None:
    answer = create(wire, session, *[account(str(i)) for i in range(201)])
    assert answer.fault[0] == "sf:EXCEEDED_ID_LIMIT"


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 500), ("1", 200), ("250", 250), ("9999", 600), ("-5", 200)]
)
def test_batch_sizes(wire: Wire, session: str, asked: str | None, given: int) -> None:
    for start in range(0, 600, 200):
        create(wire, session, *[account(f"B{i}") for i in range(start, start + 200)])
    header = (
        f"<urn:QueryOptions><urn:batchSize>{asked}</urn:batchSize></urn:QueryOptions>"
        if asked
        else ""
    )
    answer = wire.call(
        "<urn:query><urn:queryString>SELECT Id FROM Account WHERE Name LIKE 'B%' AND"
        " AnnualRevenue = null AND CreatedDate = TODAY AND Phone = null</urn:queryString>"
        "</urn:query>",
        session,
        header,
    )
    assert len(answer.find("//p:records")) == given
    assert answer.one("//p:done") == str(given == 600).lower()


@pytest.mark.parametrize(
    "operation",
    [
        "query",
        "queryAll",
        "queryMore",
        "search",
        "retrieve",
        "upsert",
        "getUpdated",
        "describeSObject",
        "setPassword",
    ],
)
def test_missing_arguments(wire: Wire, session: str, operation: str) -> None:
    assert wire.call(f"<urn:{operation}/>", session).fault[0] == "sf:MISSING_ARGUMENT"


@pytest.mark.parametrize(
    "operation",
    [
        "create",
        "update",
        "delete",
        "describeSObjects",
        "invalidateSessions",
        "undelete",
        "emptyRecycleBin",
    ],
)
def test_nothing_to_do_is_no_mistake(wire: Wire, session: str, operation: str) -> None:
    answer = wire.call(f"<urn:{operation}/>", session)
    assert answer.status == 200
    assert answer.find("//p:result") == []


def test_ids_that_are_none(wire: Wire, session: str) -> None:
    answer = wire.call(
        '<urn:delete><urn:ids>nope</urn:ids><urn:ids xsi:nil="true"/>'
        "<urn:ids>001000000000000AAA</urn:ids></urn:delete>",
        session,
    )
    assert answer.texts("//p:result/p:success") == ["false"] * 3
    assert answer.texts("//p:errors/p:statusCode")[0] == "MALFORMED_ID"


#: members of Field that the Partner WSDL of 40.0 has and that of 28.0 lacks; then 58.0 and 40.0
SINCE_28 = set(
    "aggregatable compoundFieldName defaultValue encrypted extraTypeInfo filteredLookupInfo"
    " highScaleNumber mask maskType polymorphicForeignKey queryByDistance referenceTargetField"
    " searchPrefilterable".split()
)
SINCE_40 = {"aiPredictionField", "dataTranslationEnabled", "formulaTreatNullNumberAsZero"}


def test_older_clients_are_not_sent_what_their_wsdl_lacks(
    wire: Wire, org: Org, session: str
) -> None:
    settings.update(org, "api", {"retiredVersionsServed": True})

    def members(version: str) -> tuple[set[str], set[str]]:
        answer = wire.call(
            "<urn:describeSObject><urn:sObjectType>Lead</urn:sObjectType></urn:describeSObject>",
            session,
            path=f"/services/Soap/u/{version}",
        )
        return tuple(  # type: ignore[return-value]
            {e.tag.rpartition("}")[2] for e in answer.find(f"//p:{path}/*")}
            for path in ("result", "fields")
        )

    new, old, oldest = members("59.0"), members("40.0"), members("28.0")
    assert new[1] - old[1] == SINCE_40
    assert old[1] - oldest[1] <= SINCE_28 and not oldest[1] & SINCE_28
    assert {"hasSubtypes", "isSubtype", "mruEnabled", "idEnabled"} <= old[0] - oldest[0]
    assert {"deepCloneable", "isInterface", "implementedBy"} <= new[0] - old[0]


@pytest.mark.parametrize("path", ["/services/Soap/u/30.0", "/services/Soap/u/20.0"])
def test_retired_versions(wire: Wire, org: Org, session: str, path: str) -> None:
    """Refused for a session and at login, unless the org still serves them."""
    name = username(org, "admin")
    login = (
        f"<urn:login><urn:username>{name}</urn:username>"
        "<urn:password>simorg123</urn:password></urn:login>"
    )
    for body in (login, "<urn:getUserInfo/>"):
        assert wire.call(body, session, path=path).fault == (
            "sf:UNSUPPORTED_API_VERSION",
            "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL",
            "UnexpectedErrorFault",
        )
    assert wire.call("<urn:getUserInfo/>", session, path="/services/Soap/u/31.0").status == 200
    settings.update(org, "api", {"retiredVersionsServed": True})
    for body in (login, "<urn:getUserInfo/>"):
        assert wire.call(body, session, path=path).status == 200


def test_tokens_have_no_id(wire: Wire, session: str) -> None:
    soql = "SELECT Id, AppName FROM OauthToken"
    answer = wire.call(f"<urn:query><urn:queryString>{soql}</urn:queryString></urn:query>", session)
    assert answer.texts("//p:records/*[local-name() = 'AppName']") == ["JWT Robot"]
    ids = answer.find("//p:records/*[local-name() = 'Id']")
    assert ids and all(e.text is None and list(e.attrib.values()) == ["true"] for e in ids)


# --- access ---------------------------------------------------------------------------------------


def test_a_session_ends(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    org.clock.advance(7201)
    code, text, _ = wire.call("<urn:getUserInfo/>", session).fault
    assert code == "sf:INVALID_SESSION_ID" and "Illegal Session" in text
    org.clock.unfreeze()


def test_a_user_without_api_enabled(wire: Wire, org: Org) -> None:
    """Refused at login or at the call, but refused."""
    answer = login(wire, username(org, "noapi"))
    if answer.status == 200:
        answer = wire.call("<urn:getUserInfo/>", answer.one("//p:sessionId"))
    assert answer.fault[0] == "sf:API_CURRENTLY_DISABLED"
    assert answer.fault[1] == "API_CURRENTLY_DISABLED: API is disabled for this User"


@pytest.mark.parametrize(
    ("switches", "code", "words"),
    [
        (
            {"profileIpRanges": {"System Administrator": ["10.0.0.0/8"]}},
            "LOGIN_DURING_RESTRICTED_DOMAIN",
            "cannot log in from current ip address",
        ),
        (
            {
                "profileLoginHours": {
                    "System Administrator": {
                        day: "00:00-00:00"
                        for day in (
                            "monday",
                            "tuesday",
                            "wednesday",
                            "thursday",
                            "friday",
                            "saturday",
                            "sunday",
                        )
                    }
                }
            },
            "LOGIN_DURING_RESTRICTED_TIME",
            "cannot log in during restricted time",
        ),
        (
            {"soapLoginNeedsAnyApiAuth": True},
            "INSUFFICIENT_ACCESS",
            "insufficient access rights on cross-reference id",
        ),
    ],
)
def test_other_refusals_of_login(
    wire: Wire, org: Org, switches: dict[str, Any], code: str, words: str
) -> None:
    settings.update(org, "login", switches)
    answer = login(wire, username(org, "admin"))
    assert answer.fault == (f"sf:{code}", f"{code}: {words}", "LoginFault")


def test_the_login_rate(wire: Wire, org: Org) -> None:
    settings.update(org, "login", {"loginsPerHour": 1})
    user = username(org, "admin")
    assert login(wire, user).status == 200
    assert login(wire, user).fault[1] == "INVALID_LOGIN: Login Rate Exceeded"


@pytest.mark.parametrize(
    ("switch", "code"), [("orgLocked", "ORG_LOCKED"), ("trialExpired", "TRIAL_EXPIRED")]
)
def test_an_org_that_salesforce_closed(wire: Wire, org: Org, switch: str, code: str) -> None:
    user = username(org, "admin")
    session = wire.login(user)
    settings.update(org, "login", {switch: True})
    name, text, detail = login(wire, user).fault
    assert (name, detail) == (f"sf:{code}", "LoginFault")
    assert text.startswith(f"{code}: ")
    assert wire.call("<urn:getUserInfo/>", session).fault[:2] == (name, text)
    settings.update(org, "login", {switch: False})
    assert wire.call("<urn:getUserInfo/>", session).status == 200


def test_an_expired_password_leaves_set_password_only(wire: Wire, org: Org) -> None:
    user = username(org, "standard")
    session = wire.login(user)
    me = wire.call("<urn:getUserInfo/>", session).one("//p:result/p:userId")
    temporary = passwords.reset_password(org.system_caller(), me)
    answer = login(wire, user, temporary)
    assert answer.one("//p:result/p:passwordExpired") == "true"
    session = answer.one("//p:result/p:sessionId")
    for body in ("<urn:getUserInfo/>", "<urn:getServerTimestamp/>"):
        assert wire.call(body, session).fault == (
            "sf:INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD: The users password has expired, you must call"
            " SetPassword before attempting any other API operations",
            "UnexpectedErrorFault",
        )
    change = (
        f"<urn:setPassword><urn:userId>{me}</urn:userId>"
        "<urn:password>brand new 2026</urn:password></urn:setPassword>"
    )
    assert wire.call(change, session).status == 200
    assert wire.call("<urn:getUserInfo/>", session).status == 200
    assert login(wire, user, "brand new 2026").one("//p:result/p:passwordExpired") == "false"


def test_api_access_control_lets_login_and_refuses_the_call(wire: Wire, org: Org) -> None:
    """https://github.com/simple-salesforce/simple-salesforce/issues/422"""
    session = wire.login(username(org, "admin"))
    settings.update(org, "apiAccessControl", {"adminApprovedUsersOnly": True})
    for token in (session, wire.login(username(org, "admin"))):
        assert wire.call("<urn:getUserInfo/>", token).fault == (
            "sf:INVALID_SESSION_ID",
            "INVALID_SESSION_ID: This session is not valid for use with the API",
            "UnexpectedErrorFault",
        )
    anyone = wire.login(username(org, "anyclient"))
    assert wire.call("<urn:getUserInfo/>", anyone).status == 200
    settings.update(org, "apiAccessControl", {"adminApprovedUsersOnly": False})
    assert wire.call("<urn:getUserInfo/>", session).status == 200


POLICIES = (
    "<urn:query><urn:queryString>SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM"
    " ConnectedApplication WHERE Name = 'Approved Integration'</urn:queryString></urn:query>"
)


def test_the_divergence_over_soap(wire: Wire, org: Org, shared_catalogue: OrgCatalogue) -> None:
    """Stored self-authorize, enforced admin-approved: only a JWT session reads the truth.

    https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
    """
    user = username(org, "anyclient")
    password = wire.login(user)
    found = shared_catalogue.find_user(user)
    assert found is not None
    jwt = open_session(org, found[1], Flow.JWT_BEARER, scopes=["api"]).token

    def value(session: str) -> str:
        return wire.call(POLICIES, session).one("//sf:OptionsAllowAdminApprovedUsersOnly")

    assert (value(password), value(jwt)) == ("false", "false")
    settings.update(org, "apiAccessControl", {"adminApprovedUsersOnly": True})
    assert (value(password), value(jwt)) == ("false", "true")
    settings.update(org, "apiAccessControl", {"adminApprovedUsersOnly": False})
    assert (value(password), value(jwt)) == ("false", "false")


def test_orgs_do_not_meet(wire: Wire, shared_catalogue: OrgCatalogue) -> None:
    one, two = shared_catalogue.create(), shared_catalogue.create()
    try:
        first, second = (wire.login(username(o, "admin")) for o in (one, two))
        create(wire, first, account("Only in one"))
        assert names(wire, first, "Name = 'Only in one'") == ["Only in one"]
        assert names(wire, second, "Name = 'Only in one'") == []
        # the token of one org with the id of the other in front is nobody's
        forged = second[:15] + first[15:]
        assert wire.call("<urn:getUserInfo/>", forged).fault[0] == "sf:INVALID_SESSION_ID"
    finally:
        shared_catalogue.delete(one.id)
        shared_catalogue.delete(two.id)


def test_calls_are_counted(wire: Wire, session: str) -> None:
    def used() -> int:
        return int(wire.call("<urn:getServerTimestamp/>", session).one("//p:current"))

    assert used() + 1 == used()


def test_many_threads(wire: Wire, session: str) -> None:
    """Compiled writers and the application are shared by all threads of a server."""
    failures: list[str] = []

    def work(number: int) -> None:
        for i in range(8):
            answer = create(wire, session, account(f"T{number}-{i}"))
            if answer.status != 200:
                failures.append(answer.text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(names(wire, session, "Name LIKE 'T%-%' AND CreatedDate = TODAY")) >= 32
