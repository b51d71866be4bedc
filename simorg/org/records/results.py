"""Results of DML calls, in the words of the SOAP API (SaveResult, UpsertResult, DeleteResult)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from simorg.errors import RecordError


class SaveResult(msgspec.Struct, frozen=True, gc=False):
    """One record's outcome (a Struct, since a Bulk job makes a hundred thousand of them)."""

    id: str | None
    success: bool
    errors: tuple[RecordError, ...] = ()
    #: upsert only: whether the record was inserted
    created: bool = False


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    id: str
    deleted_date: str  # datetime in the store's text form


@dataclass(frozen=True, slots=True)
class GetDeletedResult:
    deleted_records: tuple[DeletedRecord, ...]
    earliest_date_available: str
    latest_date_covered: str


@dataclass(frozen=True, slots=True)
class GetUpdatedResult:
    ids: tuple[str, ...]
    latest_date_covered: str
