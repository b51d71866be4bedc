"""How the fields of standard objects are made up where a definition does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from simorg.org.seeds import words


def _address(prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}Street": {"like": "street"},
        f"{prefix}City": {"like": "city"},
        f"{prefix}State": {"like": "state"},
        f"{prefix}PostalCode": {"like": "postalCode"},
        f"{prefix}Country": {"like": "country"},
    }


_PERSON: dict[str, Any] = {
    "FirstName": {"like": "firstName"},
    "LastName": {"like": "lastName"},
    "Email": {"like": "email"},
    "Phone": {"like": "phone"},
    "Title": {"like": "title"},
}

PATTERNS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Account": {
            "Name": {"like": "company"},
            "AccountNumber": "AC-{n:06}",
            "Type": {"oneOf": list(words.ACCOUNT_TYPES)},
            "Industry": {"like": "industry"},
            "AnnualRevenue": {"between": [100_000, 90_000_000], "step": 100_000},
            "NumberOfEmployees": {"between": [5, 20_000]},
            "Phone": {"like": "phone"},
            "Website": {"like": "website"},
            **_address("Billing"),
        },
        "Contact": {
            **_PERSON,
            "AccountId": {"reference": "Account", "share": 0.96},
            "Department": {"like": "department"},
            "LeadSource": {"oneOf": list(words.LEAD_SOURCES)},
            **_address("Mailing"),
        },
        "Lead": {
            **_PERSON,
            "Company": {"like": "company"},
            "Status": {"oneOf": list(words.LEAD_STATUSES)},
            "Industry": {"like": "industry"},
            "LeadSource": {"oneOf": list(words.LEAD_SOURCES)},
            **_address(""),
        },
        "Opportunity": {
            "AccountId": {"reference": "Account"},
            "Name": {"like": "deal"},
            "StageName": {"oneOf": [stage[0] for stage in words.STAGES]},
            "Amount": {"between": [1_000, 200_000], "step": 500},
            "CloseDate": {"between": ["2025-02-01", "2026-06-30"]},
            "Type": {"oneOf": list(words.OPPORTUNITY_TYPES)},
            "LeadSource": {"oneOf": list(words.LEAD_SOURCES)},
        },
        "Case": {
            "ContactId": {"reference": "Contact"},
            "AccountId": {"from": "ContactId.AccountId"},
            "Subject": {"like": "subject"},
            "Status": {"oneOf": list(words.CASE_STATUSES)},
            "Priority": {"oneOf": ["High", "Medium", "Low"]},
            "Origin": {"oneOf": ["Phone", "Email", "Web"]},
            "Type": {"oneOf": list(words.CASE_TYPES)},
        },
    }
)
