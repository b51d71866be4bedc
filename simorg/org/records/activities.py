"""What Salesforce works out on tasks and events.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_event.htm
"""

from __future__ import annotations

from datetime import timedelta

from simorg.errors import RecordError
from simorg.org.records.draft import Draft, Work
from simorg.org.records.service import closed_statuses
from simorg.org.records.statements import shapes
from simorg.org.records.temporal import to_moment, to_stored


def task(work: Work, drafts: list[Draft]) -> None:
    """IsClosed and CompletedDateTime follow the status, IsHighPriority the priority."""
    closing = closed_statuses(work, "TaskStatus", "Completed")
    for draft in drafts:
        closed = str(draft.current("Status") or "").lower() in closing
        draft.values["IsClosed"] = closed
        draft.values["IsHighPriority"] = str(draft.current("Priority") or "").lower() == "high"
        if not closed:
            draft.values["CompletedDateTime"] = None
        elif draft.current("CompletedDateTime") is None:
            draft.values["CompletedDateTime"] = work.now


def relations(work: Work, drafts: list[Draft]) -> None:
    """AccountId: the What itself, else the What's account, else the Who's account."""
    related = {i for d in drafts for i in (d.current("WhatId"), d.current("WhoId")) if i}
    accounts = _accounts(work, related)
    for draft in drafts:
        what, who = draft.current("WhatId"), draft.current("WhoId")
        account = accounts.get(what) if what else None
        draft.values["AccountId"] = account or (accounts.get(who) if who else None)
        draft.values["WhatCount"], draft.values["WhoCount"] = int(bool(what)), int(bool(who))


def _accounts(work: Work, related: set[str]) -> dict[str, str | None]:
    known = shapes(work.org)
    out: dict[str, str | None] = {}
    by_type: dict[str, set[str]] = {}
    for record_id in related:
        sobject = work.org.schema.by_prefix(record_id[:3])
        if sobject is None:
            continue
        if sobject.name == "Account":
            out[record_id] = record_id
        elif "AccountId" in sobject.fields and not sobject.fields["AccountId"].computed:
            by_type.setdefault(sobject.name, set()).add(record_id)
    for name, wanted in by_type.items():
        statement = known.select_in(name, ("Id", "AccountId"), "Id")
        out.update(dict(known.rows_in(work.tx, statement, wanted)))
    return out


def event(work: Work, drafts: list[Draft]) -> None:
    """Start, end, day and duration of an event, each from the others."""
    for draft in drafts:
        values = draft.values
        if draft.current("IsAllDayEvent"):
            _all_day(draft)
            continue
        start = _first(draft, "StartDateTime", "ActivityDateTime")
        if start is None:
            draft.errors.append(_missing("StartDateTime"))
            continue
        values["StartDateTime"] = values["ActivityDateTime"] = start
        values["ActivityDate"] = start[:10]
        if values.get("EndDateTime"):
            span = to_moment(values["EndDateTime"]) - to_moment(start)
            if span < timedelta():
                draft.errors.append(
                    RecordError(
                        "FIELD_INTEGRITY_EXCEPTION",
                        "The event's end date and time must be after its start",
                        ("EndDateTime",),
                    )
                )
            values["DurationInMinutes"] = int(span.total_seconds() // 60)
        elif (minutes := draft.current("DurationInMinutes")) is not None:
            values["EndDateTime"] = to_stored(to_moment(start) + timedelta(minutes=minutes))
        else:
            draft.errors.append(_missing("DurationInMinutes"))


def _first(draft: Draft, *names: str) -> str | None:
    """The first of the fields that the call gives, else that the row has."""
    given = next((draft.values[n] for n in names if draft.values.get(n)), None)
    return given or next((v for n in names if (v := draft.current(n))), None)


def _all_day(draft: Draft) -> None:
    values = draft.values
    day = values.get("ActivityDate") or (_first(draft, "StartDateTime", "ActivityDateTime") or "")
    day = day[:10] or draft.current("ActivityDate")
    if not day:
        draft.errors.append(_missing("ActivityDate"))
        return
    values["ActivityDate"] = day
    values["StartDateTime"] = values["ActivityDateTime"] = f"{day}T00:00:00.000+0000"
    values.setdefault("EndDateTime", values["StartDateTime"])
    values.setdefault("DurationInMinutes", 1440)


def _missing(name: str) -> RecordError:
    return RecordError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]", (name,))
