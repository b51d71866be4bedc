"""One picture of the divergence: a page of Setup beside what two sessions read over REST."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any

import simorg.testing
from simorg.testing import Org
from tests.browser.conftest import Window

APP = "Self Service"
FIELD = "OptionsAllowAdminApprovedUsersOnly"
QUERY = f"SELECT Name, {FIELD} FROM ConnectedApplication WHERE Name = '{APP}'"
#: the part of the window that says it: state and policies of the app, beside Setup's menu
CLIP = {"x": 270, "y": 96, "width": 896, "height": 432}

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px; width: 1140px; background: #e9ebf0; color: #1f2430;
  font: 16px system-ui, sans-serif; }}
main {{ display: grid; grid-template-columns: 600px 1fr; gap: 20px; }}
h2 {{ font-size: 18px; margin: 0 0 10px; }}
h2 small {{ font-weight: 400; color: #545b6b; }}
img {{ width: 600px; border: 1px solid #c3c8d4; border-radius: 8px; display: block; }}
pre {{ margin: 0 0 16px; padding: 12px 14px; background: #fff; border: 1px solid #c3c8d4;
  border-radius: 8px; font: 14px ui-monospace, monospace; white-space: pre-wrap; }}
mark {{ background: #ffe0b2; padding: 1px 4px; border-radius: 4px; font-weight: 700; }}
</style><main><section><h2>Setup</h2><img alt="" src="data:image/png;base64,{picture}"></section>
<section>{readings}</section></main></html>"""


def _reading(told: str, answer: dict[str, Any]) -> str:
    record = {"Name": answer["Name"], FIELD: answer[FIELD]}
    text = escape(json.dumps(record, indent=2), quote=False)
    value = json.dumps(record[FIELD])
    marked = text.replace(f": {value}", f":\n    <mark>{value}</mark>")
    return f"<h2>REST <small>in a session of {told}</small></h2><pre>{marked}</pre>"


def _read(org: Org, app: str, flow: str) -> dict[str, Any]:
    found: dict[str, Any] = org.login("admin", app=app, flow=flow).query(QUERY)[0]
    return found


def divergence(window: Window) -> None:
    """Leave the composed picture in the window, whose org has the preference on."""
    window.setup()
    window.open("/lightning/setup/ConnectedApplication/home")
    window.follow(window.page.get_by_role("link", name=APP, exact=True))
    window.titled(APP)
    picture = base64.b64encode(window.page.screenshot(clip=CLIP, animations="disabled")).decode()  # type: ignore[arg-type]
    with simorg.testing.connect(window.live.http) as server:
        org = server.default_org
        robot = org.app("JWT Robot")
        robot.assign(profile="System Administrator")
        readings = _reading("the password flow", _read(org, "Locked Down", "password"))
        readings += _reading("the JWT bearer flow", _read(org, "JWT Robot", "jwt_bearer"))
        robot.unassign(profile="System Administrator")
    query = f"<h2>The question</h2><pre>{escape(QUERY, quote=False)}</pre>"
    window.page.set_viewport_size({"width": 1180, "height": 436})
    window.page.goto("about:blank")
    window.page.set_content(_PAGE.format(picture=picture, readings=query + readings))
