"""Refusals as SOAP faults: ``faultcode``, ``faultstring``, ``detail``, in that order, HTTP 500.

The shape is what clients parse: the prefix is literally ``sf``, ``detail`` holds one typed element
(fault shape as in https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/ , "Error
Handling"). What the XML layer refuses has ``soapenv:Client`` and no detail.
"""

from __future__ import annotations

from dataclasses import dataclass

from simorg.errors import ApiDisabledForUser, SalesforceError, SessionInvalid
from simorg.soap.spyne_compat import Fault
from simorg.soap.xmltext import escape

_QUERY_FAULTS = frozenset(
    {"InvalidFieldFault", "InvalidSObjectFault", "MalformedQueryFault", "MalformedSearchFault"}
)
#: what the Partner WSDL calls the faults of codes that errors.py leaves as UnexpectedErrorFault
_FAULT_BY_CODE = {
    "INVALID_FIELD": "InvalidFieldFault",
    "INVALID_TYPE": "InvalidSObjectFault",
    "INVALID_QUERY_LOCATOR": "InvalidQueryLocatorFault",
    "MALFORMED_ID": "InvalidIdFault",
    "INVALID_NEW_PASSWORD": "InvalidNewPasswordFault",
    "INVALID_OLD_PASSWORD": "InvalidOldPasswordFault",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """The typed child of ``detail``."""

    fault: str
    code: str
    message: str
    row: int | None = None
    column: int | None = None

    def xml(self) -> str:
        position = ""
        if self.fault in _QUERY_FAULTS:
            row = -1 if self.row is None else self.row
            column = -1 if self.column is None else self.column
            position = f"<sf:row>{row}</sf:row><sf:column>{column}</sf:column>"
        return (
            f'<detail><sf:{self.fault} xsi:type="sf:{self.fault}">'
            f"<sf:exceptionCode>{escape(self.code)}</sf:exceptionCode>"
            f"<sf:exceptionMessage>{escape(self.message)}</sf:exceptionMessage>"
            f"{position}</sf:{self.fault}></detail>"
        )


class WireFault(Fault):  # type: ignore[misc]
    """A fault ready to be written. ``faultcode`` bears its prefix (``sf:``, ``soapenv:``)."""

    def __init__(self, faultcode: str, faultstring: str, detail: Detail | None = None) -> None:
        super().__init__("Client", faultstring)
        self.wire_code = faultcode
        self.typed_detail = detail

    def xml(self, *, with_detail: bool = True) -> str:
        """The ``soapenv:Fault`` element."""
        detail = self.typed_detail.xml() if with_detail and self.typed_detail else ""
        return (
            f"<soapenv:Fault><faultcode>{escape(self.wire_code)}</faultcode>"
            f"<faultstring>{escape(self.faultstring)}</faultstring>{detail}</soapenv:Fault>"
        )


def client_fault(text: str) -> WireFault:
    """The message itself is wrong (an element, a value, the operation): ``soapenv:Client``."""
    return WireFault("soapenv:Client", text)


def api_fault(
    code: str,
    message: str,
    fault: str = "UnexpectedErrorFault",
    row: int | None = None,
    column: int | None = None,
) -> WireFault:
    """``sf:CODE`` with ``CODE: message`` and a typed detail."""
    detail = Detail(fault, code, message, row, column)
    return WireFault(f"sf:{code}", f"{code}: {message}", detail)


def session_missing() -> WireFault:
    """No usable session id at all, https://github.com/forcedotcom/wsc/issues/56."""
    return api_fault(
        "INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session"
    )


def from_error(error: SalesforceError, token: str = "") -> WireFault:
    """The fault of an operation layer's refusal."""
    if isinstance(error, SessionInvalid):
        # the message of a session that is gone is worded so that WSC renews it
        if "!" not in token:
            return session_missing()
    if error.code == "JSON_PARSER_ERROR":
        return client_fault(error.soap_message)
    code = error.soap_code if isinstance(error, ApiDisabledForUser) else error.code
    fault = error.fault
    if fault == "UnexpectedErrorFault":
        fault = _FAULT_BY_CODE.get(code, fault)
    return api_fault(code, error.soap_message, fault, error.row, error.column)
