"""Orgs: list, make, show, reset, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from urllib.parse import urlsplit

import orjson
import sqlalchemy as sa
from flask import Response, request

from simorg.access import directory, sessions
from simorg.access.model import Flow
from simorg.control import snapshots
from simorg.control.answers import answer, body
from simorg.control.apps import told
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid
from simorg.org.passwords import verify_password
from simorg.org.saved import SavedRefused
from simorg.org.seeds.definition import OrgPart
from simorg.org.seeds.extending import refuse_files
from simorg.org.seeds.parse import SeedError
from simorg.org.templates import is_saved

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store.base import Statement

EDITIONS: tuple[str, ...] = get_args(get_type_hints(OrgPart)["edition"])
_LISTENERS = ("http", "https", "proxy")
_SWITCHES = ("sessions", "connectedApps")
_HERE = ("localhost", "127.0.0.1", "::1")
_LONGEST_NAME = 80  # Organization.Name


def listing(context: Context) -> Response:
    return answer({"orgs": [summary(context, org) for org in context.catalogue.list()]})


def summary(context: Context, org: Org) -> dict[str, Any]:
    """``{id, name, edition, urls}``; ``urls.myDomain`` is reached through ``urls.proxy``."""
    return {
        "id": org.id,
        "name": org.name,
        "edition": org.edition,
        "urls": {**places(context), "myDomain": f"https://{org.my_domain}.my.salesforce.com"},
    }


def places(context: Context) -> dict[str, str | None]:
    """``http``, ``https`` and ``proxy`` as whoever asks may call them: on the host they asked,
    the listener they asked through under the port they used."""
    memory = context.catalogue.memory
    told: dict[str, str | None] | None = memory.get("control.places")
    if told is None:  # as long as the server runs; the rest of what it tells of itself is not
        info = context.info()
        told = memory["control.places"] = {kind: info[kind] for kind in _LISTENERS}
    found = dict(told)
    asked = urlsplit(request.host_url)
    if asked.hostname not in _HERE:
        host = asked.hostname or "localhost"
        host = f"[{host}]" if ":" in host else host
        for kind, url in found.items():
            found[kind] = url and f"{urlsplit(url).scheme}://{host}:{urlsplit(url).port}"
        found[asked.scheme] = f"{asked.scheme}://{asked.netloc}"
    return found


def create(context: Context) -> Response:
    """``{name?, edition?, definition?, sessions?, connectedApps?}``: definition is YAML text or the
    same as JSON; without sessions the org is made in half the time. Or the body is an org saved
    to a file."""
    if snapshots.is_file():
        return _of_file(context)
    asked = body()
    for key in asked:
        if key not in ("name", "edition", "definition", *_SWITCHES):
            raise invalid(f"There is no member {key}.", key)
    for key in _SWITCHES:
        if not isinstance(asked.get(key, True), bool):
            raise invalid(f"{key} must be true or false.", key)
    name, edition = _name_and_edition(asked)
    path = _definition(context, asked.get("definition"))
    try:
        if path is not None:
            refuse_files(path.read_text("utf-8"), str(path))
        org = context.catalogue.create(path, name=name, edition=edition)
    except SeedError as error:
        raise _bad_definition(error, path, asked.get("definition")) from None
    told = everything(
        context,
        org,
        with_sessions=asked.get("sessions", True),
        with_apps=asked.get("connectedApps", True),
    )
    return answer(told, 201)


def _name_and_edition(asked: Mapping[str, Any]) -> tuple[str | None, str | None]:
    name, edition = asked.get("name"), asked.get("edition")
    if name is not None and not _named(name):
        raise invalid(f"name must be a string of 1 to {_LONGEST_NAME} characters.", "name")
    if edition is not None and edition not in EDITIONS:
        raise invalid(f"edition must be one of {', '.join(EDITIONS)}.", "edition")
    return name, edition


def _of_file(context: Context) -> Response:
    """Members are the query's: the body is the file."""
    for key in request.args:
        if key not in ("name", "edition", "sessions"):
            raise invalid(f"There is no member {key}.", key)
    name, edition = _name_and_edition(request.args)
    with_sessions = request.args.get("sessions", "true")
    if with_sessions not in ("true", "false"):
        raise invalid("sessions must be true or false.", "sessions")
    upload, digest = snapshots.keep(context)
    path = upload.rename(upload.with_name(f"{digest[:32]}.simorg"))
    try:
        if not is_saved(path):
            raise SavedRefused("this is no org saved by simorg")
        org = context.catalogue.create(path, name=name, edition=edition)
    except SavedRefused as error:
        path.unlink(missing_ok=True)
        raise invalid(f"{error}.") from None
    return answer(everything(context, org, with_sessions=with_sessions == "true"), 201)


def _named(name: Any) -> bool:
    """Printable, as no control character and no half of a surrogate pair is."""
    return isinstance(name, str) and 0 < len(name.strip()) <= _LONGEST_NAME and name.isprintable()


def _definition(context: Context, given: Any) -> Path | None:
    """The file an inline definition is kept in, so that reset finds it again."""
    if given is None:
        return None
    if not isinstance(given, (str, dict)):
        raise invalid("definition must be YAML text or an object.", "definition")
    text = given.encode() if isinstance(given, str) else orjson.dumps(given)
    folder = context.folder / "definitions"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(text).hexdigest()[:32]}.yaml"
    if not path.exists():
        path.write_bytes(text)
    return path


def _bad_definition(error: SeedError, path: Path | None, given: Any) -> ControlError:
    """``line 12, column 5: users.x@y.z: ...``, a line for each fault; in an object, which has
    no lines, only the member."""
    if path is None:
        return ControlError(409, "conflict", f"The default definition cannot be used: {error}")
    path.unlink(missing_ok=True)
    told = error.problems
    if isinstance(given, str):
        lines = [f"line {p.line}, column {p.column}: {p.message}" for p in told]
    else:
        lines = [p.message for p in told]
    return invalid("\n".join(lines) or str(error), "definition")


def everything(
    context: Context, org: Org, *, with_sessions: bool = True, with_apps: bool = True
) -> dict[str, Any]:
    """All a test needs: ids, URLs, users with credentials and a session, apps with keys."""
    found = summary(context, org)
    found["users"] = _credentials(org) if with_sessions else _known_users(org)
    if with_apps:
        found["connectedApps"] = [
            {
                "name": app.name,
                "id": app.id,
                "consumerKey": app.consumer_key,
                "consumerSecret": app.consumer_secret,
                "installed": app.installed,
                "blocked": app.blocked,
            }
            for app in directory.apps(org).by_id.values()
        ]
    return found


def _users(org: Org) -> list[tuple[Any, ...]]:
    def build() -> Statement:
        table = org.store.table("User")
        return org.store.prepare(
            sa.select(
                table.c.Id,
                table.c.Username,
                table.c.UserType,
                table.c.IsActive,
                table.c.simorg_PasswordHash,
                table.c.simorg_SecurityToken,
            ).order_by(table.c.Id)
        )

    key = ("control.users", org.schema.version)
    statement: Statement = org.statements.get_or_make(key, build)
    with org.store.reading(once=True) as reader:
        return reader.rows(statement)


def _credentials(org: Org) -> list[dict[str, Any]]:
    seeded = org.documents.read("credentials") or {}
    with org.store.writing():  # one commit for all sessions
        return [_user(org, row, seeded.get(row[0])) for row in _users(org)]


def _known_users(org: Org) -> list[dict[str, Any]]:
    """The users with credentials, without sessions."""
    seeded = org.documents.read("credentials") or {}
    return [_keys(row, seeded.get(row[0])) for row in _users(org)]


def _user(org: Org, row: tuple[Any, ...], seeded: str | None) -> dict[str, Any]:
    """A user with, if active, a session."""
    user_id, active = row[0], row[3]
    person = directory.person(org, user_id)
    usable = bool(active) and person is not None and not person.facts.frozen
    session = (
        sessions.open_session(org, user_id, Flow.CONTROL, scopes=("full",)) if usable else None
    )
    return {**_keys(row, seeded), "sessionId": session.token if session else None}


def _keys(row: tuple[Any, ...], seeded: str | None) -> dict[str, Any]:
    """A user with the seeded password, null once it was changed."""
    user_id, username, user_type, active, hashed, token = row
    return {
        "id": user_id,
        "username": username,
        "userType": user_type,
        "active": bool(active),
        "password": seeded if seeded and verify_password(seeded, hashed) else None,
        "securityToken": token,
    }


def show(context: Context, id: str) -> Response:
    org = context.org(id)
    found = summary(context, org)
    found["snapshots"] = list(context.catalogue.snapshots(org.id))
    found["users"] = _known_users(org)
    found["connectedApps"] = [a.name for a in directory.apps(org).by_id.values()]
    return answer(found)


def delete(context: Context, id: str) -> Response:
    org = context.org(id)
    if org is context.catalogue.default:
        raise ControlError(409, "conflict", "The default org stays; reset brings it back.")
    context.catalogue.delete(org.id)
    context.traffic.faults.clear(org.id)
    return Response(status=204)


def reset(context: Context, id: str) -> Response:
    """Back to what it was made as; sessions, tokens and faults end with it."""
    try:
        org = context.catalogue.reset(context.org(id).id)
    except SeedError as error:  # its definition was changed or removed since
        raise ControlError(409, "conflict", f"{error}.") from None
    context.traffic.faults.clear(org.id)
    return answer(everything(context, org))


def connected_apps(context: Context, id: str) -> Response:
    org = context.org(id)
    found = [told(org, app) for app in directory.apps(org).by_id.values()]
    return answer({"connectedApps": found})
