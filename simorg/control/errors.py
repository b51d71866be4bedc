"""The control API's own error shape: ``{"error": {"code", "message", "path"?}}``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from flask import Response
from werkzeug.exceptions import HTTPException

from simorg.control.answers import answer
from simorg.org.catalogue import CatalogueError, NoSuchOrg

_log = logging.getLogger("simorg.control")
#: characters of a caller's value, and of a line, that a refusal repeats
LONGEST_WORD, LONGEST_LINE = 100, 1000


class ControlError(Exception):
    """A refused control call; ``code`` is lower case with underscores, stable for scripts.

    ``path`` names the member of the body at fault (``apiAccessControl.provisioned``).
    """

    def __init__(self, status: int, code: str, message: str, *, path: str | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.headers: dict[str, str] = {}
        super().__init__(f"{code}: {message}")


class MethodRefused(ControlError):
    """The path is there, the verb is not."""

    def __init__(self, known: Iterable[str]) -> None:
        allowed = ", ".join(sorted(known))
        super().__init__(405, "method_not_allowed", f"Allowed here: {allowed}.")
        self.headers["Allow"] = allowed


def not_found(what: str) -> ControlError:
    return ControlError(404, "not_found", f"There is no {what}.")


def invalid(message: str, path: str | None = None) -> ControlError:
    return ControlError(400, "invalid", message, path=path)


_AT = re.compile(r" - at `\$\.?(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")


def misfit(message: str, path: str = "") -> ControlError:
    """msgspec's complaint about a member below ``path``: which member, and what is wrong."""
    steps = [path] if path else []
    if found := _AT.search(message):
        steps.append(found.group(1))
        message = _AT.sub("", message)
    if unknown := _UNKNOWN.match(message):
        steps.append(unknown.group(1))
        message = f"There is no member {unknown.group(1)}"
    return invalid(f"{message}.", ".".join(step for step in steps if step) or None)


_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})\S+")
_LONG_LINE = re.compile(rf"(.{{{LONGEST_LINE}}}).+")


def shortened(text: str) -> str:
    """A refusal that says no more of what it was sent than anybody wants to read."""
    return _LONG_LINE.sub(r"\1…", _LONG_WORD.sub(r"\1…", text))


def respond(error: ControlError) -> Response:
    own = error.code != "refused"  # those are Salesforce's words
    body = {"code": error.code, "message": shortened(error.message) if own else error.message}
    if error.path:
        body["path"] = shortened(error.path)
    made = answer({"error": body}, error.status)
    made.headers.update(error.headers)
    return made


_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def sentence(words: object) -> str:
    """``there is no object Acount`` with a capital and a full stop; names stay as they are."""
    text = str(words)
    return f"{text[:1].upper()}{text[1:]}."


def of_http(error: HTTPException) -> Response:
    """What Flask itself refused (a body too large, a broken chunk)."""
    status = error.code or 400
    code = _CODES.get(status, "invalid" if status < 500 else "internal")
    return respond(ControlError(status, code, error.description or error.name))


def of_catalogue(error: CatalogueError) -> Response:
    """An org that was deleted meanwhile, or cannot be made as asked."""
    if isinstance(error, NoSuchOrg):
        return respond(ControlError(404, "not_found", sentence(error)))
    return respond(invalid(str(error)))


def unexpected(error: Exception) -> Response:
    """Our own failure: logged with its traceback."""
    _log.error("control call failed", exc_info=error)
    return respond(ControlError(500, "internal", "The call failed; see the server's log."))
