"""Every error simorg answers with, as data: code, message template, HTTP status.

The tree, drawn once::

    SalesforceError                     a call is refused (REST array, SOAP fault, Bulk error)
      SessionError      401             INVALID_SESSION_ID and its kin
      ForbiddenError    403             API_DISABLED_FOR_ORG, REQUEST_LIMIT_EXCEEDED, ...
      QueryError        400             MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE (row, column)
      NotFoundError     404             NOT_FOUND, ENTITY_IS_DELETED, ...
      BadRequest        400             everything else a client got wrong
      LoginError        500 (SOAP only) INVALID_LOGIN and its kin
    RecordError                         one record of a DML call is refused (SaveResult.errors[])
    OAuthError                          the token and authorize endpoints' {"error": ...}

Surfaces serialise; nothing here knows JSON or XML.
REST statuses: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SalesforceError(Exception):
    """A refused call. ``code`` is Salesforce's errorCode / exceptionCode."""

    status: int = 400
    code: str = "UNKNOWN_EXCEPTION"
    template: str = "{message}"
    #: the SOAP fault type of ``detail`` (partner WSDL), for instance ``MalformedQueryFault``
    fault: str = "UnexpectedErrorFault"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        fields: Sequence[str] = (),
        row: int | None = None,
        column: int | None = None,
        soap_message: str | None = None,
        **values: object,
    ) -> None:
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        self.message = message if message is not None else self.template.format(**values)
        self.fields = tuple(fields)
        self.row = row
        self.column = column
        #: SOAP words some refusals differently from REST
        self.soap_message = soap_message if soap_message is not None else self.message
        super().__init__(f"{self.code}: {self.message}")


class BadRequest(SalesforceError):
    """The client's mistake, HTTP 400."""


class SessionError(SalesforceError):
    """The session cannot be used here, HTTP 401 ``INVALID_SESSION_ID``."""

    status = 401
    code = "INVALID_SESSION_ID"


class SessionInvalid(SessionError):
    """Unknown, expired or ended session."""

    template = "Session expired or invalid"


class SessionNotForApi(SessionError):
    """API Access Control, a missing ``api`` scope or a UI session: gates G9 and G10."""

    template = "This session is not valid for use with the REST API"

    def __init__(self) -> None:
        super().__init__(soap_message="This session is not valid for use with the API")


class ForbiddenError(SalesforceError):
    """Known caller, not allowed: HTTP 403."""

    status = 403


class ApiDisabledForOrg(ForbiddenError):
    """The edition has no API, or (REST) the user lacks API Enabled."""

    code = "API_DISABLED_FOR_ORG"
    template = "The REST API is not enabled for this Organization."

    def __init__(self) -> None:
        super().__init__(soap_message="API is not enabled for this Organization or Partner")


class ApiDisabledForUser(ForbiddenError):
    """The user lacks API Enabled. SOAP says API_CURRENTLY_DISABLED, REST API_DISABLED_FOR_ORG."""

    code = "API_DISABLED_FOR_ORG"
    soap_code = "API_CURRENTLY_DISABLED"
    template = "The REST API is not enabled for this Organization."

    def __init__(self) -> None:
        super().__init__(soap_message="API is disabled for this User")


class RequestLimitExceeded(ForbiddenError):
    """The daily API request allowance is used up (G11)."""

    code = "REQUEST_LIMIT_EXCEEDED"
    template = "TotalRequests Limit exceeded."


class LongRequestsExceeded(ForbiddenError):
    """Too many API requests have been running for 20 seconds or longer.

    https://help.salesforce.com/s/articleView?id=000389067
    """

    code = "REQUEST_LIMIT_EXCEEDED"
    template = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."


class NotFoundError(SalesforceError):
    """No such resource or record, HTTP 404 ``NOT_FOUND``."""

    status = 404
    code = "NOT_FOUND"
    template = "The requested resource does not exist"


class QueryError(BadRequest):
    """A SOQL or SOSL text is refused; ``row`` and ``column`` count from 1."""

    code = "MALFORMED_QUERY"
    fault = "MalformedQueryFault"


class MalformedQuery(QueryError):
    """The grammar, or a rule of SOQL, refuses the text."""


class InvalidField(QueryError):
    """The query names a field the object does not have, or uses it where it may not be used."""

    code = "INVALID_FIELD"
    fault = "InvalidFieldFault"


class InvalidType(QueryError):
    """The query or call names an object that does not exist or is not supported here."""

    code = "INVALID_TYPE"
    fault = "InvalidSObjectFault"


class InvalidQueryLocator(BadRequest):
    """The query locator is unknown, expired, malformed or somebody else's."""

    code = "INVALID_QUERY_LOCATOR"
    template = "invalid query locator"
    fault = "InvalidQueryLocatorFault"


class MalformedSearch(QueryError):
    """The SOSL text is refused."""

    code = "MALFORMED_SEARCH"
    fault = "MalformedSearchFault"


class MalformedId(BadRequest):
    """The text is no 15- or 18-character id."""

    code = "MALFORMED_ID"
    template = "malformed id {value}"
    fault = "InvalidIdFault"


class LoginError(SalesforceError):
    """SOAP ``login()`` refused."""

    status = 500
    code = "INVALID_LOGIN"
    template = "Invalid username, password, security token; or user locked out."
    fault = "LoginFault"


@dataclass(frozen=True, slots=True)
class RecordError:
    """Why one record was not saved: an entry of ``SaveResult.errors``."""

    status_code: str
    message: str
    fields: tuple[str, ...] = ()


class RecordRefused(Exception):
    """Raised inside the operation layer for one record; becomes its ``errors`` entries."""

    def __init__(self, *errors: RecordError) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.status_code}: {e.message}" for e in errors))


def refuse(status_code: str, message: str, *fields: str) -> RecordRefused:
    """``raise refuse("STRING_TOO_LONG", "...", "Name")``."""
    return RecordRefused(RecordError(status_code, message, fields))


class OAuthError(Exception):
    """``{"error": error, "error_description": description}`` of the OAuth endpoints, HTTP 400."""

    def __init__(self, error: str, description: str = "", *, status: int = 400) -> None:
        self.error = error
        self.description = description
        self.status = status
        super().__init__(f"{error}: {description}")
