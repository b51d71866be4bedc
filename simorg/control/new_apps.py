"""Connected apps made like those of an org definition, and deleted."""

from __future__ import annotations

from flask import Response

from simorg.access import app_editing, apps, certificates
from simorg.access.apps import AppOperationRefused, NoSuchApp
from simorg.control import refusals
from simorg.control.answers import answer, body_as
from simorg.control.apps import told
from simorg.control.context import Context
from simorg.control.errors import ControlError, invalid, not_found
from simorg.org.seeds.definition import AppPart
from simorg.org.seeds.live import Live

_LONGEST_NAME = 80


class _NewApp(AppPart, kw_only=True):
    """An app of an org definition, with its name."""

    name: str


def create(context: Context, id: str) -> Response:
    """``{name, ...}``: the members of an org definition's app -> 201. Key and secret are made
    unless they are told, or the app is Salesforce's own."""
    org = context.org(id)
    asked = body_as(_NewApp)
    name = asked.name.strip()
    _check(asked, name)
    part = AppPart(**{field: getattr(asked, field) for field in AppPart.__struct_fields__})
    if not part.first_party:
        part.consumer_key = part.consumer_key or app_editing.new_key()
        part.consumer_secret = part.consumer_secret or app_editing.new_secret()
    with org.store.writing() as tx, refusals.told():
        made = Live(org, tx).add_app(name, part)
    return answer(told(org, apps.find(org, made)), 201)


def _check(asked: _NewApp, name: str) -> None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise invalid(f"name must be 1 to {_LONGEST_NAME} characters.", "name")
    for member, value in (
        ("consumerKey", asked.consumer_key),
        ("consumerSecret", asked.consumer_secret),
    ):
        if value is not None and not (value.isascii() and value.isprintable() and value.strip()):
            raise invalid(f"{member} must be printable ASCII.", member)
    for member, values in (("callbackUrls", asked.callback_urls), ("scopes", asked.scopes)):
        for n, value in enumerate(values):
            if not value or not value.isprintable() or " " in value:
                raise invalid(f"{member} are words without spaces.", f"{member}.{n}")
    if asked.certificate is not None:
        try:
            asked.certificate = certificates.check(asked.certificate)
        except certificates.BadCertificate as error:
            raise invalid(f"certificate: {error}.", "certificate") from None


def delete(context: Context, id: str, name: str) -> Response:
    """204: with its tokens, sessions and assignments. Salesforce's own apps stay."""
    org = context.org(id)
    try:
        app_editing.delete(org.system_caller(), apps.find(org, name))
    except NoSuchApp:
        raise not_found(f"connected app {name}") from None
    except AppOperationRefused as error:
        raise ControlError(409, "conflict", f"{error.message}.") from None
    return Response(status=204)
