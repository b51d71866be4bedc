"""The control API's own error shape: ``{"error": {"code", "message", "path"?}}``."""

from __future__ import annotations

from flask import Response

from simorg.control.answers import answer


class ControlError(Exception):
    """A refused control call; ``code`` is lower case with underscores, stable for scripts."""

    def __init__(self, status: int, code: str, message: str, *, path: str | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        super().__init__(f"{code}: {message}")


def not_found(what: str) -> ControlError:
    return ControlError(404, "not_found", f"There is no {what}.")


def invalid(message: str, path: str | None = None) -> ControlError:
    """``path`` names the member at fault (``apiAccessControl.provisioned``)."""
    return ControlError(400, "invalid", message, path=path)


def respond(error: ControlError) -> Response:
    body = {"code": error.code, "message": error.message}
    if error.path:
        body["path"] = error.path
    return answer({"error": body}, error.status)
