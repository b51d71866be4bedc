"""Snapshots of orgs: kept by name, and as files that make an org anywhere."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from flask import Response, request

from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid
from simorg.org.catalogue import CatalogueError, NoSuchOrg
from simorg.org.saved import SavedRefused

if TYPE_CHECKING:
    from simorg.org.org import Org

MEDIA_TYPE = "application/vnd.simorg.org+zip"
#: what an upload may call itself
FILES = frozenset({MEDIA_TYPE, "application/octet-stream", "application/zip"})
_PIECE = 1024 * 1024


def listing(context: Context, id: str) -> Response:
    """``{snapshots: [{name, made, size}]}``."""
    return answer({"snapshots": told(context, context.org(id))})


def told(context: Context, org: Org) -> list[dict[str, object]]:
    """The org's snapshots by name."""
    found = context.catalogue.snapshot_facts(org.id)
    return [{"name": name, "made": made, "size": size} for name, made, size in found]


def create(context: Context, id: str) -> Response:
    """``{name}``: keep the present state under that name."""
    org = context.org(id)
    asked = body()
    name = asked.get("name")
    if set(asked) - {"name"} or not isinstance(name, str):
        raise invalid("Send the snapshot's name, and nothing else.", "name")
    try:
        context.catalogue.snapshot(org.id, name)
    except NoSuchOrg:
        raise
    except CatalogueError as error:
        raise invalid(f"{error}.", "name") from None
    (made,) = (one for one in told(context, org) if one["name"] == name)
    return answer(made, 201)


def delete(context: Context, id: str, name: str) -> Response:
    context.catalogue.drop_snapshot(context.org(id).id, name)
    return Response(status=204)


def restore(context: Context, id: str, name: str) -> Response:
    from simorg.control.orgs import summary

    org = context.org(id)
    try:
        context.catalogue.restore(org.id, name)
    except NoSuchOrg:
        raise
    except CatalogueError as error:
        raise ControlError(409, "conflict", str(error)) from None
    return answer(summary(context, org))


# -- files ---------------------------------------------------------------------------------------


def file(context: Context, id: str, name: str) -> Response:
    """One self-contained file: ``POST /orgs`` makes an org of it on any server."""
    org = context.org(id)
    made = tempfile.TemporaryFile()
    try:
        context.catalogue.save(org.id, name, made)
    except NoSuchOrg:
        made.close()
        raise
    except SavedRefused as error:
        made.close()
        raise ControlError(409, "conflict", f"{error}.") from None
    size = made.tell()
    made.seek(0)
    response = Response(_pieces(made), mimetype=MEDIA_TYPE)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = f'attachment; filename="{org.id}-{name}.simorg"'
    response.call_on_close(made.close)
    return response


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def restore_file(context: Context, id: str) -> Response:
    """The file is the body: the org becomes the one it holds, under its own id."""
    from simorg.control.orgs import everything

    org = context.org(id)
    if not is_file():
        raise invalid(f"Send the file itself as {MEDIA_TYPE}.")
    path, _ = keep(context)
    try:
        context.catalogue.restore_saved(org.id, path)
    except SavedRefused as error:
        raise invalid(f"{error}.") from None
    except NoSuchOrg:
        raise
    except CatalogueError as error:
        raise ControlError(409, "conflict", f"{error}.") from None
    finally:
        path.unlink(missing_ok=True)
    return answer(everything(context, org, with_sessions=False))


def is_file() -> bool:
    """Whether the request's body is a saved org rather than JSON."""
    return request.mimetype in FILES


def keep(context: Context) -> tuple[Path, str]:
    """The body as a new file in the server's folder, and its digest; the server bounds the size
    of every body."""
    folder = context.folder / "definitions"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as kept:
        path = Path(kept.name)
        try:
            while piece := request.stream.read(_PIECE):
                digest.update(piece)
                kept.write(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path, digest.hexdigest()
