"""``/limits`` and ``/limits/recordCount``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm
The maxima are those of an Enterprise org with few licences; only the API request count moves.
"""

from __future__ import annotations

from typing import Any

from simorg.org import query
from simorg.rest import objects
from simorg.rest.call import Call, Reply

_MAXIMA = {
    "ActiveScratchOrgs": 40,
    "AnalyticsExternalDataSizeMB": 40960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250000,
    "DailyBulkApiBatches": 15000,
    "DailyBulkV2QueryFileStorageMB": 976562,
    "DailyBulkV2QueryJobs": 10000,
    "DailyDurableGenericStreamingApiEvents": 10000,
    "DailyDurableStreamingApiEvents": 10000,
    "DailyGenericStreamingApiEvents": 10000,
    "DailyScratchOrgs": 80,
    "DailyStandardVolumePlatformEvents": 10000,
    "DailyStreamingApiEvents": 10000,
    "DailyWorkflowEmails": 1000,
    "DataStorageMB": 10240,
    "DurableStreamingApiConcurrentClients": 20,
    "FileStorageMB": 10240,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5000,
    "HourlyDashboardStatuses": 999999999,
    "HourlyODataCallout": 1000,
    "HourlyPublishedPlatformEvents": 50000,
    "HourlyPublishedStandardVolumePlatformEvents": 1000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1000,
    "MassEmail": 5000,
    "MonthlyPlatformEvents": 300000,
    "Package2VersionCreates": 6,
    "PermissionSets": 1500,
    "SingleEmail": 5000,
    "StreamingApiConcurrentClients": 20,
}


def show(call: Call) -> Reply:
    """Every limit's maximum and what remains of it."""
    usage = call.org.usage
    value: dict[str, Any] = {
        name: {"Max": most, "Remaining": most} for name, most in _MAXIMA.items()
    }
    value["DailyApiRequests"] = {
        "Max": usage.limit,
        "Remaining": max(usage.limit - usage.used, 0),
    }
    return Reply(dict(sorted(value.items())), root="LimitsSnapshot")


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
