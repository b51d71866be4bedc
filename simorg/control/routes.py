"""Every path of the control API, once: Flask's rules and openapi.json are made from this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response

from simorg import __version__
from simorg.control import (
    apps,
    bodies,
    export,
    faults,
    journal,
    limits,
    mailbox,
    metrics,
    new_apps,
    orgs,
    page_sessions,
    permission_sets,
    profiles,
    records,
    server_state,
    snapshots,
    switches,
    users,
)
from simorg.control.answers import answer
from simorg.control.context import Context


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str  # OpenAPI form
    function: Callable[..., Response]
    summary: str
    #: members of the JSON body -> JSON Schema type
    body: dict[str, str] | None = None
    status: int = 200
    #: query parameters -> JSON Schema type
    query: dict[str, str] | None = None

    @property
    def rule(self) -> str:
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def operation_id(self) -> str:
        return f"{self.function.__module__.rsplit('.', 1)[1]}_{self.function.__name__}"

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


#: "" stands for more types than one
_ORG = {
    "name": "string",
    "edition": "string",
    "definition": "",
    "sessions": "boolean",
    "connectedApps": "boolean",
}
_APP = {
    "installed": "boolean",
    "blocked": "boolean",
    "permittedUsers": "string",
    "profiles": "array",
    "permissionSets": "array",
    "allowlistedScopes": "",
}
_QUERY = {"soql": "string", "allRows": "boolean"}
_RECORD = {"type": "string", "fields": "object"}
_FIELDS = {"fields": "object"}
_SESSION = {"user": "string", "context": "string"}
_ASK = {"user": "string", "app": "string", "flow": "string", "surface": "string"}
_OBJECT = {
    "name": "string",
    "label": "string",
    "labelPlural": "string",
    "nameFormat": "string",
    "fields": "array",
}
_FIELD = {
    "name": "string",
    "type": "string",
    "label": "string",
    "length": "integer",
    "precision": "integer",
    "scale": "integer",
    "required": "boolean",
    "unique": "boolean",
    "externalId": "boolean",
    "caseSensitive": "boolean",
    "referenceTo": "array",
    "relationshipName": "string",
    "childRelationship": "string",
    "masterDetail": "boolean",
    "values": "array",
    "restricted": "boolean",
    "default": "",
    "displayFormat": "string",
}
_LIMITS = {
    "dailyApiRequests": "object",
    "concurrentLongRequests": "object",
    "loginsPerHour": "object",
}
_FAULT = {"match": "object", "calls": "object", "answer": "object"}
_CLOCK = {"freeze": "", "advance": "number", "unfreeze": "boolean"}


def document(context: Context) -> Response:
    """This API as an OpenAPI document."""
    return answer(openapi(__version__))


ROUTES = (
    Route("GET", "/openapi.json", document, "This API as an OpenAPI document"),
    Route("GET", "/health", server_state.health, "The server answers; where it listens"),
    Route("GET", "/metrics", metrics.show, "Counters for Prometheus"),
    Route("GET", "/jwt-robot.pem", server_state.jwt_robot_key, "JWT Robot's private key"),
    Route("GET", "/ca.pem", server_state.certificate, "The local CA's certificate"),
    Route("GET", "/faults", faults.listing, "The faults that are set", query=faults.QUERY),
    Route("POST", "/faults", faults.create, "Have calls fail on purpose", _FAULT, 201),
    Route("DELETE", "/faults", faults.clear, "Remove faults", None, 204, query=faults.QUERY),
    Route("GET", "/faults/{id}", faults.show, "One fault"),
    Route("DELETE", "/faults/{id}", faults.delete, "Remove a fault", None, 204),
    Route("GET", "/requests", journal.listing, "Journaled requests", query=journal.LISTING),
    Route("GET", "/requests.har", journal.export, "An HTTP Archive", query=journal.EXPORT),
    Route("GET", "/requests/{number}", journal.show, "One request, whole"),
    Route("DELETE", "/requests", journal.clear, "Forget requests", query=journal.FILTERS),
    Route("GET", "/orgs", orgs.listing, "All orgs"),
    Route("POST", "/orgs", orgs.create, "A new org, with everything a test needs", _ORG, 201),
    Route("GET", "/orgs/{id}", orgs.show, "One org"),
    Route("DELETE", "/orgs/{id}", orgs.delete, "Remove an org", None, 204),
    Route("POST", "/orgs/{id}/reset", orgs.reset, "Back to what it was made as"),
    Route("GET", "/orgs/{id}/definition", export.definition, "As YAML", query=export.QUERY),
    Route("GET", "/orgs/{id}/settings", switches.show, "The org's switches"),
    Route("PATCH", "/orgs/{id}/settings", switches.change, "Change switches", {"*": "object"}),
    Route("GET", "/orgs/{id}/connected-apps", orgs.connected_apps, "All connected apps"),
    Route("POST", "/orgs/{id}/connected-apps", new_apps.create, "Add an app", bodies.NEW_APP, 201),
    Route("GET", "/orgs/{id}/connected-apps/{name}", apps.show, "One app and its four policies"),
    Route("PATCH", "/orgs/{id}/connected-apps/{name}", apps.change, "Change an app", _APP),
    Route(
        "DELETE", "/orgs/{id}/connected-apps/{name}", new_apps.delete, "Delete an app", None, 204
    ),
    Route("GET", "/orgs/{id}/users", users.listing, "All users"),
    Route("POST", "/orgs/{id}/users", users.create, "Add a user", bodies.USER, 201),
    Route("GET", "/orgs/{id}/users/{name}", users.show, "One user"),
    Route("PATCH", "/orgs/{id}/users/{name}", users.change, "Change a user", bodies.USER_STATE),
    Route("GET", "/orgs/{id}/permission-sets", permission_sets.listing, "All permission sets"),
    Route(
        "POST",
        "/orgs/{id}/permission-sets",
        permission_sets.create,
        "Add a permission set",
        bodies.SET,
        201,
    ),
    Route("GET", "/orgs/{id}/permission-sets/{name}", permission_sets.show, "One permission set"),
    Route(
        "PATCH",
        "/orgs/{id}/permission-sets/{name}",
        permission_sets.change,
        "Change a permission set",
        bodies.SET_STATE,
    ),
    Route(
        "DELETE",
        "/orgs/{id}/permission-sets/{name}",
        permission_sets.delete,
        "Delete a permission set",
        None,
        204,
    ),
    Route("GET", "/orgs/{id}/profiles", profiles.listing, "All profiles"),
    Route("POST", "/orgs/{id}/profiles", profiles.create, "Add a profile", bodies.PROFILE, 201),
    Route("GET", "/orgs/{id}/profiles/{name}", profiles.show, "One profile"),
    Route(
        "PATCH",
        "/orgs/{id}/profiles/{name}",
        profiles.change,
        "Change a profile",
        bodies.PROFILE_STATE,
    ),
    Route("POST", "/orgs/{id}/custom-objects", switches.add_object, "Add an object", _OBJECT, 201),
    Route(
        "POST", "/orgs/{id}/objects/{name}/fields", switches.add_field, "Add a field", _FIELD, 201
    ),
    Route("POST", "/orgs/{id}/query", records.query, "Rows of a SOQL query", _QUERY),
    Route("POST", "/orgs/{id}/records", records.create, "Add a record", _RECORD, 201),
    Route("PATCH", "/orgs/{id}/records/{record}", records.change, "Change a record", _FIELDS),
    Route("DELETE", "/orgs/{id}/records/{record}", records.delete, "Delete a record", None, 204),
    Route("GET", "/orgs/{id}/snapshots", snapshots.listing, "The kept states"),
    Route(
        "POST", "/orgs/{id}/snapshots", snapshots.create, "Keep a state", {"name": "string"}, 201
    ),
    Route("DELETE", "/orgs/{id}/snapshots/{name}", snapshots.delete, "Forget a state", None, 204),
    Route("GET", "/orgs/{id}/snapshots/{name}/file", snapshots.file, "A kept state as a file"),
    Route("POST", "/orgs/{id}/snapshots/{name}/restore", snapshots.restore, "Back to a kept state"),
    Route("POST", "/orgs/{id}/restore", snapshots.restore_file, "Take on the state of a file"),
    Route("GET", "/orgs/{id}/limits", limits.show, "Limits that count down, and their use"),
    Route("PATCH", "/orgs/{id}/limits", limits.change, "Set maxima and use", _LIMITS),
    Route(
        "GET", "/orgs/{id}/mailbox", mailbox.listing, "Mails that the org sent", query=mailbox.QUERY
    ),
    Route("GET", "/orgs/{id}/mailbox/{number}", mailbox.show, "One mail"),
    Route("DELETE", "/orgs/{id}/mailbox", mailbox.clear, "Throw the mails away", None, 204),
    Route("GET", "/orgs/{id}/clock", switches.clock, "The org's time"),
    Route("PUT", "/orgs/{id}/clock", switches.set_clock, "Stop or move the org's time", _CLOCK),
    Route(
        "POST",
        "/orgs/{id}/sessions",
        page_sessions.create,
        "What getSessionId() gives",
        _SESSION,
        201,
    ),
    Route("POST", "/orgs/{id}/explain", server_state.explanation, "Why let in, or not", _ASK),
)


def openapi(version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the table."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        operation: dict[str, Any] = {
            "summary": route.summary,
            "operationId": route.operation_id,
            "responses": {
                str(route.status): {"description": route.summary},
                "default": {
                    "description": "Refused",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                },
            },
        }
        if route.parameters or route.query:
            operation["parameters"] = _parameters(route)
        if route.body is not None:
            operation["requestBody"] = {
                "content": {"application/json": {"schema": _schema(route.body)}}
            }
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "simorg control API", "version": version},
        "servers": [{"url": "/_simorg"}],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }


def _parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.parameters
    ] + [
        {"name": name, "in": "query", "required": False, "schema": {"type": kind}}
        for name, kind in (route.query or {}).items()
    ]


def _schema(members: dict[str, str]) -> dict[str, Any]:
    if "*" in members:
        return {"type": "object", "additionalProperties": {"type": members["*"]}}
    properties = {name: {"type": kind} if kind else {} for name, kind in members.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "path": {"type": "string"},
            },
        }
    },
}
