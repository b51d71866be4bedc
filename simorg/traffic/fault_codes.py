"""The errors a fault may answer with, by code: usual words, HTTP status, and where they occur.

``sure``: H documented by Salesforce, M seen in reports, L ours. Sources: the REST status codes
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm), the SOAP
codes (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm)
and, for the words, the reports beside the entries.
"""

from __future__ import annotations

from dataclasses import dataclass

#: surfaces that answer an API error
API = ("rest", "soap", "metadata", "bulk")
#: operations that save records, and answer errors record by record
SAVES = frozenset(
    {
        "sobject.create",
        "sobject.update",
        "sobject.upsert",
        "sobject.delete",
        "collection.create",
        "collection.update",
        "collection.upsert",
        "collection.delete",
        "composite.tree",
        "create",
        "update",
        "upsert",
        "delete",
    }
)
#: those that bring several saves, and answer each
BY_RECORD = SAVES | {"composite", "composite.batch"}
LOGINS = frozenset({"login", "token"})


@dataclass(frozen=True, slots=True)
class Code:
    """One error. ``message`` None: it differs each time, so a fault has to say it."""

    code: str
    message: str | None
    status: int
    sure: str = "H"
    #: SOAP's words where they differ, and the type of its fault's detail
    soap_message: str | None = None
    soap_fault: str = "UnexpectedErrorFault"
    #: (error, error_description) of the OAuth endpoints
    oauth: tuple[str, str] | None = None
    #: the error is one record's: a SaveResult carries it
    record: bool = False
    #: where it occurs, unless the fault says where: surfaces, operations (none: all)
    surfaces: tuple[str, ...] = API
    operations: frozenset[str] = frozenset()


def _record(code: str, message: str | None, status: int = 400, sure: str = "H") -> Code:
    return Code(code, message, status, sure, record=True)


def _oauth(error: str, description: str, sure: str = "H", status: int = 400) -> Code:
    return Code(error, description, status, sure, oauth=(error, description), surfaces=("oauth",))


_RETRY = ("unknown_error", "retry your request")
_EVERYWHERE = (*API, "oauth", "visualforce", "setup", "other")
_GONE = "Session expired or invalid"
_LOGIN_FAILED = "Invalid username, password, security token; or user locked out."
_API_OFF = "The REST API is not enabled for this Organization."

_ALL = (
    # the session and the door
    Code("INVALID_SESSION_ID", _GONE, 401),
    Code(
        "API_DISABLED_FOR_ORG",
        _API_OFF,
        403,
        soap_message="API is not enabled for this Organization or Partner",
    ),
    Code("API_CURRENTLY_DISABLED", "API is disabled for this User", 403),
    Code(
        "INVALID_LOGIN",
        _LOGIN_FAILED,
        401,
        soap_fault="LoginFault",
        surfaces=("soap",),
        operations=frozenset({"login"}),
    ),
    Code("ORG_LOCKED", "The organization is locked.", 403, "L"),
    Code("TRIAL_EXPIRED", "The organization's trial has expired.", 403, "L"),
    Code("INSUFFICIENT_ACCESS", "insufficient access rights on object id", 403, record=True),
    # limits
    # https://github.com/SalesforceLabs/OrgCheck/issues/181
    Code("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403),
    Code("QUERY_TIMEOUT", "Your query request was running for too long.", 400, "M"),
    Code(
        "REQUEST_RUNNING_TOO_LONG",
        "Your request was running for too long, and has been stopped.",
        400,
        "M",
    ),
    # the server
    # https://github.com/restforce/restforce/issues/156
    Code("SERVER_UNAVAILABLE", "Server too busy", 503, "M", oauth=_RETRY),
    Code("UNKNOWN_EXCEPTION", "An unexpected error occurred.", 500, oauth=_RETRY),
    Code("ORG_IN_MAINTENANCE", "The organization is in maintenance.", 503, "L", oauth=_RETRY),
    # queries
    Code("MALFORMED_QUERY", None, 400, soap_fault="MalformedQueryFault"),
    Code("INVALID_FIELD", None, 400, soap_fault="InvalidFieldFault"),
    Code("INVALID_TYPE", None, 400, soap_fault="InvalidSObjectFault"),
    Code(
        "INVALID_QUERY_LOCATOR",
        "invalid query locator",
        400,
        soap_fault="InvalidQueryLocatorFault",
        operations=frozenset({"query_more", "queryMore"}),
    ),
    Code("NOT_FOUND", "The requested resource does not exist", 404, surfaces=("rest", "bulk")),
    # records
    # https://github.com/developerforce/Force.com-JavaScript-REST-Toolkit/issues/68
    _record("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", sure="M"),
    _record("ENTITY_IS_DELETED", "entity is deleted", 404),
    _record("ENTITY_IS_LOCKED", "the entity is locked for editing", sure="M"),
    _record("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", 403),
    _record(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "insufficient access rights on cross-reference id",
    ),
    _record("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
    _record("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", sure="M"),
    _record("DUPLICATE_VALUE", None),
    _record("DUPLICATES_DETECTED", "Use one of these records?", sure="M"),
    _record("REQUIRED_FIELD_MISSING", None),
    _record("STRING_TOO_LONG", None),
    _record("FIELD_CUSTOM_VALIDATION_EXCEPTION", None),
    _record("FIELD_INTEGRITY_EXCEPTION", None),
    _record("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", None),
    _record("CANNOT_EXECUTE_FLOW_TRIGGER", None),
    # OAuth, docs/oauth.md
    _oauth("invalid_grant", "authentication failure"),
    _oauth("invalid_client", "invalid client credentials"),
    _oauth("invalid_client_id", "client identifier invalid"),
    _oauth("invalid_app_access", "user is not admin approved to access this app"),
    _oauth("app_not_found", "External client app is not installed in this org"),
    _oauth("app_blocked", "this app is blocked by admin", "L"),
    _oauth("invalid_request", "invalid request", "L"),
    _oauth("invalid_scope", "the requested scope is not allowed", "M"),
    _oauth("unsupported_grant_type", "grant type not supported"),
    _oauth("inactive_user", "user is inactive", "M"),
    _oauth("inactive_org", "inactive organization", "L"),
    _oauth("rate_limit_exceeded", "login rate exceeded", "M"),
    _oauth("redirect_uri_mismatch", "redirect_uri must match configuration"),
    _oauth("access_denied", "end-user denied authorization"),
    _oauth("unknown_error", "retry your request", "M"),
)
CODES: dict[str, Code] = {one.code: one for one in _ALL}


def _like(code: str, **changes: object) -> Code:
    from dataclasses import replace

    return replace(CODES[code], **changes)  # type: ignore[arg-type]


#: short names for what tests want most
KINDS: dict[str, Code] = {
    "rowLock": _like("UNABLE_TO_LOCK_ROW", operations=SAVES),
    "requestLimit": CODES["REQUEST_LIMIT_EXCEEDED"],
    # https://github.com/SalesforceLabs/OrgCheck/issues/432
    "concurrentLimit": _like(
        "REQUEST_LIMIT_EXCEEDED",
        message="ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        sure="M",
    ),
    "loginRate": _like(
        "INVALID_LOGIN",
        message="Login Rate Exceeded",
        sure="M",
        oauth=("invalid_grant", "login rate exceeded"),
        surfaces=("soap", "oauth"),
        operations=LOGINS,
    ),
    # https://github.com/wadewegner/Force.com-Toolkit-for-NET/issues/160 (the pages' words)
    "maintenance": _like("SERVER_UNAVAILABLE", surfaces=_EVERYWHERE),
    "sessionExpired": CODES["INVALID_SESSION_ID"],
    "serverError": CODES["UNKNOWN_EXCEPTION"],
}
#: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
ERROR_ID = "{message} Please include this ErrorId if you contact support: {ticket}"


def find(word: str) -> Code | None:
    """A kind by its short name, or a code in any case; None for what has no usual form."""
    return KINDS.get(word) or CODES.get(word) or CODES.get(word.upper()) or CODES.get(word.lower())
