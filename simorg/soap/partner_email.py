"""sendEmail, resetPassword, and the mails that EmailHeader asks for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from lxml import etree

from simorg.access import passwords, user_mails
from simorg.errors import RecordError
from simorg.org import ids, mailing
from simorg.org.mailbox import Attachment
from simorg.soap.arguments import required
from simorg.soap.call import Call
from simorg.soap.faults import api_fault, client_fault
from simorg.soap.partner_types import partner
from simorg.soap.reader import XSI_TYPE
from simorg.soap.values import members

#: messages of one call
MOST = 10


def send_email(call: Call, messages: Sequence[etree._Element | None]) -> list[dict[str, Any]]:
    """Send mails into the org's mailbox; a result for each, in order.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_sendemail.htm
    """
    if len(messages) > MOST:
        raise api_fault("LIMIT_EXCEEDED", f"sendEmail takes at most {MOST} messages")
    return [_send(call, message) for message in messages if message is not None]


def _send(call: Call, message: etree._Element) -> dict[str, Any]:
    kind = message.get(XSI_TYPE, "").rpartition(":")[2]
    if kind == "MassEmailMessage":
        words = "Mass emails are not sent by this server"
        return _result([RecordError("NO_MASS_MAIL_PERMISSION", words)])
    if kind != "SingleEmailMessage":
        raise client_fault(f"Unable to instantiate abstract type Email: xsi:type is {kind!r}")
    told = members(message, partner[kind])
    mail = mailing.SingleEmail(
        to=_addresses(told, "toAddresses"),
        cc=_addresses(told, "ccAddresses"),
        bcc=_addresses(told, "bccAddresses"),
        subject=told.get("subject"),
        text=told.get("plainTextBody"),
        html=told.get("htmlBody"),
        reply_to=told.get("replyTo") or None,
        sender_name=told.get("senderDisplayName"),
        bcc_sender=bool(told.get("bccSender")),
        target_id=told.get("targetObjectId") or None,
        target_is_recipient=told.get("treatTargetObjectAsRecipient") is not False,
        template_id=told.get("templateId") or None,
        attachments=tuple(_attachment(one) for one in told["fileAttachments"] if one),
    )
    return _result(mailing.send(call.known(), mail))


def _addresses(told: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(address.strip() for address in told[name] if address and address.strip())


def _attachment(told: dict[str, Any]) -> Attachment:
    try:
        content = base64.b64decode(told.get("body") or "", validate=False)
    except (binascii.Error, ValueError):
        raise client_fault("the body of an attachment is not base64Binary") from None
    name = required(told.get("fileName"), "fileName")
    return Attachment(name=name, content_type=told.get("contentType"), content=content)


def _result(errors: list[RecordError]) -> dict[str, Any]:
    return {
        "errors": [
            {"fields": e.fields, "message": e.message, "statusCode": e.status_code} for e in errors
        ],
        "success": not errors,
    }


def reset_password(call: Call, user_id: str | None) -> dict[str, Any]:
    """Give a user a password that must be changed; mailed if EmailHeader says so.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_resetpassword.htm
    """
    caller = call.known()
    wanted = ids.normalise(required(user_id, "userId").strip())
    with caller.org.store.writing():
        password = passwords.reset_password(caller, wanted)
        if call.header("EmailHeader", "triggerUserEmail"):
            user_mails.send(user_mails.NEW_PASSWORD, caller.org, wanted, call.root)
    return {"password": password}


def greet(call: Call, created: Sequence[tuple[str, str | None]]) -> None:
    """Mail new users if EmailHeader says so; ``created``: object and id (None: refused)."""
    if not call.header("EmailHeader", "triggerUserEmail"):
        return
    for kind, record_id in created:
        if kind.lower() == "user" and record_id is not None:
            user_mails.send(user_mails.WELCOME, call.known().org, record_id, call.root)
