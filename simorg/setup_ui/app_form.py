"""New Connected App, and the same form for one there is.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_create.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from simorg.access import app_editing, certificates
from simorg.access.app_editing import FLAGS, AppDraft, AppRefused
from simorg.oauth.scopes import SCOPES
from simorg.setup_ui import app_list
from simorg.setup_ui.app_list import find_app, path_of
from simorg.setup_ui.forms import FormErrors

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.directory import App
    from simorg.setup_ui.visit import Visit

#: two names of one scope: the form offers the first
_SCOPES = {name: words for name, words in SCOPES.items() if name != "offline_access"}
_NEW = AppDraft(
    "", "", scopes=("api", "refresh_token"), flags={key: on for key, (_, on) in FLAGS.items()}
)


def show_new(visit: Visit) -> Response:
    """The empty form."""
    return _render(visit, None, _NEW)


def create(visit: Visit) -> Response:
    """Make the app; its page shows where the consumer key and secret are."""
    draft, errors = _read(visit)
    if not errors:
        try:
            app = app_editing.create(visit.caller, draft, _SCOPES)
        except AppRefused as error:
            errors.take(error.problems)
        else:
            message = (
                f"{app.name} was created. Manage Consumer Details shows its consumer key and"
                " secret."
            )
            return visit.redirect(path_of(app), message)
    return _render(visit, None, draft, errors)


def show_edit(visit: Visit, app_id: str) -> Response:
    """The form of an app there is."""
    app = find_app(visit, app_id)
    return _render(visit, app, app_editing.draft_of(app))


def save(visit: Visit, app_id: str) -> Response:
    """Save the form of an app there is."""
    app = find_app(visit, app_id)
    draft, errors = _read(visit)
    if not errors:
        try:
            app_editing.edit(visit.caller, app, draft, _SCOPES)
        except AppRefused as error:
            errors.take(error.problems)
        else:
            return visit.redirect(path_of(app), f"{draft.name} was saved.")
    return _render(visit, app, draft, errors)


def _read(visit: Visit) -> tuple[AppDraft, FormErrors]:
    errors = FormErrors()
    pem = visit.text("certificate")
    upload = request.files.get("certificate_file")
    if upload is not None and upload.filename:
        content = upload.stream.read(certificates.LARGEST + 1)
        if len(content) > certificates.LARGEST:
            errors.add("certificate", "Use digital signatures: the file is larger than 4 KB")
        pem = content.decode("utf-8", "replace")
    draft = AppDraft(
        " ".join(visit.text("name").split()),
        visit.text("contact_email"),
        visit.text("description"),
        tuple(dict.fromkeys(visit.text("callback_urls").split())),
        tuple(dict.fromkeys(visit.chosen("scopes"))),
        pem,
        {key: visit.ticked(key) for key in FLAGS},
    )
    return draft, errors


def _render(
    visit: Visit, app: App | None, draft: AppDraft, errors: FormErrors | None = None
) -> Response:
    return visit.render(
        "setup_app_form.html",
        422 if errors else 200,
        app=app,
        draft=draft,
        errors=errors,
        scopes=_SCOPES.items(),
        flags=[(key, label) for key, (label, _) in FLAGS.items()],
        back=path_of(app) if app else app_list.PATH,
    )
