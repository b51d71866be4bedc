"""``/limits`` and ``/limits/recordCount``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm
The maxima are those of an Enterprise org with few licences. What the org has counts down: API
requests, single emails, storage, permission sets. Of the rest nothing is ever used here, and so
it says.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.org import mailing, query
from simorg.rest import objects
from simorg.rest.call import Call, Reply

if TYPE_CHECKING:
    from simorg.org.org import Org

_MAXIMA = {
    "ActiveScratchOrgs": 40,
    "AnalyticsExternalDataSizeMB": 40960,
    "CdpAiInferenceApiMonthlyLimit": 500000000,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentEinsteinDataInsightsStoryCreation": 5,
    "ConcurrentEinsteinDiscoveryStoryCreation": 2,
    "ConcurrentSyncReportRuns": 20,
    "DailyAnalyticsDataflowJobExecutions": 60,
    "DailyAnalyticsUploadedFilesSizeMB": 51200,
    "DailyAsyncApexExecutions": 250000,
    "DailyAsyncApexTests": 500,
    "DailyBulkApiBatches": 15000,
    "DailyBulkV2QueryFileStorageMB": 976562,
    "DailyBulkV2QueryJobs": 10000,
    "DailyDeliveredPlatformEvents": 50000,
    "DailyDurableGenericStreamingApiEvents": 10000,
    "DailyDurableStreamingApiEvents": 10000,
    "DailyEinsteinDataInsightsStoryCreation": 1000,
    "DailyEinsteinDiscoveryPredictAPICalls": 50000,
    "DailyEinsteinDiscoveryStoryCreation": 100,
    "DailyGenericStreamingApiEvents": 10000,
    "DailyScratchOrgs": 80,
    "DailyStandardVolumePlatformEvents": 10000,
    "DailyStreamingApiEvents": 10000,
    "DailyWorkflowEmails": 1000,
    "DurableStreamingApiConcurrentClients": 20,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5000,
    "HourlyDashboardStatuses": 999999999,
    "HourlyLongTermIdMapping": 100000,
    "HourlyManagedContentPublicRequests": 50000,
    "HourlyODataCallout": 1000,
    "HourlyPublishedPlatformEvents": 50000,
    "HourlyPublishedStandardVolumePlatformEvents": 1000,
    "HourlyShortTermIdMapping": 100000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1000,
    "MassEmail": 5000,
    "MonthlyEinsteinDiscoveryStoryCreation": 500,
    "MonthlyPlatformEvents": 300000,
    "Package2VersionCreates": 6,
    "Package2VersionCreatesWithoutValidation": 500,
    "PublishCallbackUsageInApex": 630,
    "StreamingApiConcurrentClients": 20,
}
_PERMISSION_SETS = 1500
#: MB of records and of files; Developer Edition has far less
_STORAGE = {"Developer": (5, 20)}
_STORAGE_ELSEWHERE = (10240, 10240)
_MB = 1024 * 1024
#: what a record takes of data storage, whatever is in it
#: https://help.salesforce.com/s/articleView?id=000383664
_RECORD = 2048
_RECORDS = {
    "Account": _RECORD,
    "Asset": _RECORD,
    "Campaign": 8192,
    "CampaignMember": 1024,
    "Case": _RECORD,
    "Contact": _RECORD,
    "Contract": _RECORD,
    "Event": _RECORD,
    "Idea": _RECORD,
    "Lead": _RECORD,
    "Note": _RECORD,
    "Opportunity": _RECORD,
    "Order": _RECORD,
    "Quote": _RECORD,
    "Solution": _RECORD,
    "Task": _RECORD,
}
_FILES = {"Attachment": "BodyLength", "ContentVersion": "ContentSize", "Document": "BodyLength"}
#: what was counted is told again for so many times the time it took to count; Salesforce's own
#: figures are older
_FRESH = 20


def show(call: Call) -> Reply:
    """Every limit's maximum and what remains of it."""
    usage = call.org.usage
    data_max, files_max = _STORAGE.get(call.org.edition, _STORAGE_ELSEWHERE)
    data, files, sets = _stored(call.org)
    value: dict[str, Any] = {name: _limit(most, 0) for name, most in _MAXIMA.items()}
    value["DailyApiRequests"] = _limit(usage.limit, usage.used)
    value["SingleEmail"] = _limit(mailing.daily_limit(call.org), mailing.sent_today(call.org))
    value["DataStorageMB"] = _limit(data_max, data // _MB)
    value["FileStorageMB"] = _limit(files_max, files // _MB)
    value["PermissionSets"] = {
        **_limit(_PERMISSION_SETS, sets),
        "CreateCustom": _limit(_PERMISSION_SETS - 500, sets),
    }
    return Reply(dict(sorted(value.items())), root="LimitsSnapshot")


def _limit(most: int, used: int) -> dict[str, Any]:
    return {"Max": most, "Remaining": max(most - used, 0)}


def _stored(org: Org) -> tuple[int, int, int]:
    """Bytes of records, bytes of files, custom permission sets."""
    held: tuple[float, tuple[int, int, int]] | None = org.cache.get("rest.storage")
    begun = time.monotonic()
    if held is not None and begun < held[0]:
        return held[1]
    found = (_sum(org, _record_sizes(org)), _sum(org, _file_sizes(org)), _sets(org))
    ended = time.monotonic()
    org.cache["rest.storage"] = (ended + _FRESH * (ended - begun), found)
    return found


def _record_sizes(org: Org) -> dict[str, sa.ColumnElement[Any]]:
    present = list(org.store.present)
    sizes = {name: _RECORDS[name] for name in present if name in _RECORDS}
    sizes |= {name: _RECORD for name in present if name.endswith("__c")}
    return {name: sa.func.count() * size for name, size in sizes.items()}


def _file_sizes(org: Org) -> dict[str, sa.ColumnElement[Any]]:
    return {
        name: sa.func.sum(org.store.table(name).c[column])
        for name, column in _FILES.items()
        if name in org.store.present
    }


def _sum(org: Org, sizes: dict[str, sa.ColumnElement[Any]]) -> int:
    """The sum over tables, without what lies in the recycle bin."""
    total = 0
    with org.store.reading() as reader:
        for name, size in sizes.items():
            table = org.store.table(name)
            asked = sa.select(size).select_from(table)
            if "IsDeleted" in table.c:
                asked = asked.where(table.c.IsDeleted.is_not(True))
            row = reader.one(org.store.prepare(asked))
            total += int(row[0] or 0) if row is not None else 0
    return total


def _sets(org: Org) -> int:
    table = org.store.table("PermissionSet")
    custom = sa.select(sa.func.count()).where(table.c.IsOwnedByProfile.is_not(True))
    with org.store.reading() as reader:
        row = reader.one(org.store.prepare(custom.select_from(table)))
    return int(row[0]) if row is not None else 0


def record_count(call: Call) -> Reply:
    """``?sObjects=Account,Contact``: live rows per object; unknown names are left out."""
    counted = []
    for name in _names(call):
        kind = objects.visible(call.caller, name)
        if kind is not None and kind.queryable:
            page = query.query(call.caller, f"SELECT COUNT() FROM {kind.name}")
            counted.append({"count": page.total_size, "name": kind.name})
    return Reply({"sObjects": counted}, root="RecordCount")


def _names(call: Call) -> list[str]:
    asked = call.query.get("sObjects")
    if asked is None:
        return sorted(call.org.store.present)
    return list(dict.fromkeys(part.strip() for part in asked.split(",") if part.strip()))
