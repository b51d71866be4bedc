"""Single emails as the APIs send them: who may, to whom, how many a day.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_sendemail.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa

from simorg.errors import MalformedId, RecordError
from simorg.org import ids
from simorg.org.mailbox import Attachment, Mail, Mailbox

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

#: https://help.salesforce.com/s/articleView?id=000386767
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z0-9]{2,}\Z")
#: recipients of one mail, To, CC and BCC together
_MOST_RECIPIENTS = 150
_COUNT = "mail-count"
#: objects that a target may be of
_TARGETS = {"003": "Contact", "00Q": "Lead", "005": "User"}


@dataclass(frozen=True, slots=True)
class SingleEmail:
    """A SingleEmailMessage."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    reply_to: str | None = None
    sender_name: str | None = None
    bcc_sender: bool = False
    target_id: str | None = None
    target_is_recipient: bool = True
    template_id: str | None = None
    attachments: tuple[Attachment, ...] = field(default=())


def daily_limit(org: Org) -> int:
    """Mails to outside addresses a day: few in a Developer Edition.

    https://help.salesforce.com/s/articleView?id=sf.limits_email_general.htm
    """
    return 15 if org.edition == "Developer" else 5000


def sent_today(org: Org) -> int:
    """How many of them were sent since midnight UTC."""
    return int(org.kept.get(_COUNT, _today(org)) or b"0")


def _today(org: Org) -> str:
    return f"{org.clock.now().astimezone(UTC):%Y-%m-%d}"


def send(caller: Caller, mail: SingleEmail) -> list[RecordError]:
    """Send it into the org's mailbox; why not, if not."""
    org = caller.org
    if not caller.may("EmailSingle"):
        words = "Single email is not enabled for your organization or profile."
        return [RecordError("NO_SINGLE_MAIL_PERMISSION", words)]
    if mail.template_id:
        words = "Email templates are not rendered by this server"
        return [RecordError("EMAIL_TEMPLATE_PROCESSING_ERROR", words, ("templateId",))]
    with org.store.writing():
        name, address = _sender(caller)
        to = list(mail.to)
        if mail.target_id:
            target = _target(org, mail.target_id)
            if isinstance(target, RecordError):
                return [target]
            to += [target] if mail.target_is_recipient else []
        if errors := _wrong(mail, to):
            return errors
        outside = _outside(org, [*to, *mail.cc, *mail.bcc])
        used = sent_today(org) + outside
        if outside and used > daily_limit(org):
            return [RecordError("SINGLE_EMAIL_LIMIT_EXCEEDED", "Failed to send email")]
        org.kept.put(_COUNT, _today(org), str(used).encode())
        Mailbox(org).put(
            Mail(
                kind="single",
                user=caller.user_id,
                sender=address,
                sender_name=mail.sender_name or name,
                reply_to=mail.reply_to,
                to=to,
                cc=list(mail.cc),
                bcc=[*mail.bcc, *([address] if mail.bcc_sender else [])],
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                attachments=list(mail.attachments),
            )
        )
    return []


def _wrong(mail: SingleEmail, to: list[str]) -> list[RecordError]:
    errors = []
    for member, addresses in (
        ("toAddresses", mail.to),
        ("ccAddresses", mail.cc),
        ("bccAddresses", mail.bcc),
        ("replyTo", (mail.reply_to,) if mail.reply_to else ()),
    ):
        for address in addresses:
            if not _ADDRESS.match(address):
                words = f"Email address is invalid: {address}"
                errors.append(RecordError("INVALID_EMAIL_ADDRESS", words, (member, address)))
    if errors:
        return errors
    count = len(to) + len(mail.cc) + len(mail.bcc)
    if not count:
        return [RecordError("REQUIRED_FIELD_MISSING", "Add a recipient to send an email.")]
    if count > _MOST_RECIPIENTS:
        words = f"An email has at most {_MOST_RECIPIENTS} recipients"
        return [RecordError("LIMIT_EXCEEDED", words)]
    if not mail.text and not mail.html:
        words = "Missing body, need at least one of html or plainText"
        return [RecordError("REQUIRED_FIELD_MISSING", words)]
    return []


def _sender(caller: Caller) -> tuple[str | None, str]:
    user = caller.org.store.table("User")
    statement = sa.select(user.c.Name, user.c.Email).where(user.c.Id == caller.user_id)
    with caller.org.store.reading() as reader:
        row = reader.one(caller.org.store.prepare(statement))
    return (row[0], row[1] or caller.username) if row else (None, caller.username)


def _target(org: Org, target_id: str) -> str | RecordError:
    """The address of a contact, lead or user."""
    refusal = RecordError(
        "INVALID_ID_FIELD", "Only User, Contact, or Lead are valid", ("targetObjectId",)
    )
    try:
        wanted = ids.normalise(target_id)
    except MalformedId:
        return refusal
    kind = _TARGETS.get(ids.prefix(wanted))
    if kind is None:
        return refusal
    table = org.store.table(kind)
    with org.store.reading() as reader:
        row = reader.one(org.store.prepare(sa.select(table.c.Email).where(table.c.Id == wanted)))
    if row is None:
        return refusal
    if not row[0]:
        words = "The target object has no email address"
        return RecordError("INVALID_EMAIL_ADDRESS", words, ("targetObjectId",))
    return str(row[0])


def _outside(org: Org, addresses: list[str]) -> int:
    """How many of the addresses are no user's: only those count."""
    user = org.store.table("User")
    wanted = [address.lower() for address in addresses]
    statement = sa.select(user.c.Email).where(
        sa.func.lower(user.c.Email).in_(wanted), user.c.IsActive.is_(True)
    )
    with org.store.reading() as reader:
        known = {str(row[0]).lower() for row in reader.rows(org.store.prepare(statement))}
    return sum(address not in known for address in wanted)
