"""Access Matrix, simorg's own page: who gets in through which app, and why (not)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from simorg.access import explain, settings
from simorg.access.apps import POLICY_LABELS, POLICY_NAMES, NoSuchApp
from simorg.access.explain import NoSuchUser, UnknownFlow
from simorg.access.matrix import Cell, Matrix, Seat, Way, find_apps
from simorg.access.model import Flow
from simorg.setup_ui.paging import paging
from simorg.setup_ui.views import not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/SimorgAccessMatrix/home"
WHY = "/lightning/setup/SimorgAccessMatrix/why"
USERS, APPS = 50, 12
FLOWS = {
    Flow.WEB_SERVER: "Web server",
    Flow.USER_AGENT: "User-agent",
    Flow.JWT_BEARER: "JWT bearer",
    Flow.REFRESH_TOKEN: "Refresh token",
    Flow.PASSWORD: "Username-password",
    Flow.DEVICE: "Device",
    Flow.SAML_BEARER: "SAML bearer",
}
#: ways in that belong to no app
_ALONE = (Way(Flow.SOAP_LOGIN), Way(Flow.UI))
_ALONE_NAMES = {Flow.SOAP_LOGIN: "SOAP login(), then REST", Flow.UI: "Browser login"}


def show(visit: Visit) -> Response:
    """A part of the matrix: filtered, 50 users by 12 apps at a time."""
    matrix = Matrix(visit.org)
    asked = {name: visit.asked(name) for name in ("user", "profile", "app", "flow", "own")}
    flow = Flow(asked["flow"]) if asked["flow"] in FLOWS else Flow.WEB_SERVER
    seats = [seat for seat in matrix.seats if _matches(seat, asked["user"], asked["profile"])]
    apps = find_apps(visit.org, asked["app"], first_party=bool(asked["own"]))
    by_user = paging(PATH, len(seats), USERS, visit.asked("page"),
                     {**asked, "apps": visit.asked("apps")})  # fmt: skip
    by_app = paging(PATH, len(apps), APPS, visit.asked("apps"),
                    {**asked, "page": visit.asked("page")}, "apps")  # fmt: skip
    shown = apps[by_app.offset : by_app.offset + APPS]
    ways = [*(Way(flow, app) for app in shown), *_ALONE]
    return visit.render(
        "setup_matrix.html",
        columns=[(_name(way), matrix.count(seats, way), way) for way in ways],
        rows=[
            (
                seat,
                [
                    (cell, _words(cell), _url(seat, way))
                    for cell, way in zip(cells, ways, strict=True)
                ],
            )
            for seat, cells in matrix.rows(seats[by_user.offset : by_user.offset + USERS], ways)
        ],
        users=len(seats),
        by_user=by_user,
        by_app=by_app,
        asked=asked,
        flows=[(str(key), words) for key, words in FLOWS.items()],
        flow=str(flow),
        profiles=[("", "All profiles")]
        + [(p, p) for p in sorted({s.profile for s in matrix.seats})],
        on=settings.read(visit.org).internal_on,
    )


def _matches(seat: Seat, text: str, profile: str) -> bool:
    if profile and seat.profile != profile:
        return False
    return text.lower() in f"{seat.name} {seat.username}".lower()


def _pairs(cells: list[Cell], ways: list[Way]) -> Iterable[tuple[Cell, Way]]:
    return zip(cells, ways, strict=True)


def _name(way: Way) -> str:
    return way.app.name if way.app is not None else _ALONE_NAMES[way.flow]


def _words(cell: Cell) -> str:
    if cell.allowed:
        return "let in"
    return f"refused at {cell.at} by {cell.rule} {cell.title}"


def _url(seat: Seat, way: Way) -> str:
    query = {"user": seat.username, "flow": str(way.flow)}
    if way.app is not None:
        query["app"] = way.app.id
    return f"{WHY}?{urlencode(query)}"


def why(visit: Visit) -> Response:
    """The rules asked for one user, app and flow, in order, and what a client is told."""
    flow, app = visit.asked("flow"), visit.asked("app")
    surface = "ui" if flow == Flow.UI else "rest"
    try:
        told = explain.explain(visit.org, visit.asked("user"), app or None, flow, surface)
    except (NoSuchUser, NoSuchApp, UnknownFlow) as error:
        return not_found(visit, f"{error.message}.")
    return visit.render(
        "setup_matrix_why.html",
        told=told,
        app_id=app,
        flow_words=FLOWS.get(told["flow"], told["flow"]),
        labels={name: POLICY_LABELS[policy] for policy, name in POLICY_NAMES.items()},
        parts=[
            ("Login", "May the user get a session this way?", told["login"]),
            ("Call", "May a call be made with that session?", told["call"]),
        ],
        back=PATH,
    )
