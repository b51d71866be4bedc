"""A running org as a definition."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from flask import Response, request

from simorg.control.context import Context
from simorg.control.errors import invalid, sentence
from simorg.org.seeds.export import Wanted, export

#: query parameters of ``GET /orgs/{id}/definition``
QUERY = {"records": "string", "limit": "integer", "secrets": "boolean"}
_BLOCK = 32_768


def definition(context: Context, id: str) -> Response:
    """YAML text, sent as it is read: ``?records=all|none|Account,Contact&limit=&secrets=true``."""
    org = context.org(id)
    for name in request.args:
        if name not in QUERY:
            raise invalid(f"There is no parameter {name}.", name)
    secrets = request.args.get("secrets", "false")
    if secrets not in ("true", "false"):
        raise invalid("secrets must be true or false.", "secrets")
    wanted = Wanted(_objects(request.args.get("records", "all")), _limit(), secrets == "true")
    try:
        pieces = export(org, wanted)
    except LookupError as error:
        raise invalid(sentence(error.args[0]), "records") from None
    first = next(iter(pieces))  # what cannot be read fails before anything is sent
    name = f"{org.my_domain}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    sent = _blocks(chain([first], pieces))
    return Response(sent, 200, headers, mimetype="application/yaml")


def _objects(told: str) -> list[str] | None:
    if told == "all":
        return None
    return [] if told == "none" else [name.strip() for name in told.split(",")]


def _limit() -> int | None:
    told = request.args.get("limit")
    if told is None:
        return None
    if not told.isdecimal() or not told.isascii():
        raise invalid("limit must be a number of at least 0.", "limit")
    return int(told)


def _blocks(pieces: Iterable[str]) -> Iterable[bytes]:
    """Few large pieces instead of many small ones."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > _BLOCK:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()
