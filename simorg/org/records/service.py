"""What Salesforce works out on cases and leads."""

from __future__ import annotations

from simorg.org.records.draft import Draft, Work
from simorg.org.records.statements import shapes


def closed_statuses(work: Work, status_object: str, fallback: str) -> frozenset[str]:
    """Lower-case statuses that close a record: rows of CaseStatus or TaskStatus, else
    ``fallback``."""
    known = shapes(work.org)
    if known.plan(status_object) is None:
        return frozenset({fallback.lower()})
    rows = known.all_rows(work.tx, status_object, ("MasterLabel", "IsClosed"))
    if not rows:
        return frozenset({fallback.lower()})
    return frozenset(str(label).lower() for label, closed in rows if closed and label)


def case(work: Work, drafts: list[Draft]) -> None:
    """IsClosed and ClosedDate follow the status."""
    closing = closed_statuses(work, "CaseStatus", "Closed")
    for draft in drafts:
        closed = str(draft.current("Status") or "").lower() in closing
        draft.values["IsClosed"] = closed
        if draft.old is None:
            draft.values["IsClosedOnCreate"] = closed
        if not closed:
            draft.values["ClosedDate"] = None
        elif draft.current("ClosedDate") is None:
            draft.values["ClosedDate"] = work.now


def case_account(work: Work, drafts: list[Draft]) -> None:
    """A case of a contact without an account of its own gets the contact's account."""
    wanted = {
        d.values["ContactId"]
        for d in drafts
        if d.values.get("ContactId") and d.values.get("AccountId") is None
    }
    if not wanted or any(d.old is not None for d in drafts):
        return
    known = shapes(work.org)
    statement = known.select_in("Contact", ("Id", "AccountId"), "Id")
    accounts = dict(known.rows_in(work.tx, statement, wanted))
    for draft in drafts:
        if draft.values.get("AccountId") is None:
            draft.values["AccountId"] = accounts.get(draft.values.get("ContactId"))


def lead(work: Work, drafts: list[Draft]) -> None:
    """A new lead is unread unless its owner made it; only convertLead converts."""
    for draft in drafts:
        if draft.old is None:
            draft.values.setdefault("IsConverted", False)
            mine = draft.values.get("OwnerId") == work.caller.user_id
            draft.values.setdefault("IsUnreadByOwner", not mine)
