"""What API Access Control knows of an allowlisted app's scopes: tokens come with no others.

Salesforce's help page knows apps whose tokens lack scopes, and the repair, Block and then Unblock,
but not how an app gets into that state; here the control API or an org definition
(``config: {allowlistedScopes: api id}``) puts it there.
https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from simorg.access import needs, rows

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.caller import Caller

KEY = "allowlistedScopes"


def known(app: App) -> list[str] | None:
    """The scopes API Access Control knows; None: all that the app has."""
    told = app.config.get(KEY)
    return None if told is None else str(told).split()


def config_with(app: App, scopes: Iterable[str] | None) -> str:
    """The app's further settings as they are stored, with these scopes known (None: all)."""
    kept = {key: value for key, value in app.config.items() if key != KEY}
    return json.dumps(kept if scopes is None else {**kept, KEY: " ".join(scopes)})


def set_known(caller: Caller, app: App, scopes: Iterable[str] | None) -> None:
    """Put the app into that state, or out of it."""
    needs.require(caller, needs.MANAGE_APPS)
    values = {"simorg_Config": config_with(app, scopes)}
    with caller.org.store.writing() as tx:
        rows.change(caller.org, tx, "ConnectedApplication", values, where="Id", equals=app.id)
        tx.touch_access()
