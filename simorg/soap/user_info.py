"""GetUserInfoResult: who somebody is, in which org.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getuserinfo_getuserinforesult.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simorg.org import records
from simorg.org.org import Org
from simorg.org.query.layout import Column

#: the org's one currency (multiple currencies are a feature no org here has)
_CURRENCY, _SYMBOL = "USD", "$"
_MAX_ATTACHMENT = 26_214_400  # 25 MB

_USER = (
    "Email Name ProfileId UserRoleId LanguageLocaleKey LocaleSidKey Username TimeZoneSidKey"
    " UserType"
).split()
_ORG = "Name IsSandbox DefaultLocaleSidKey".split()


def _one(org: Org, sobject: str, record_id: str, names: list[str]) -> Mapping[str, Any]:
    layout, (row,) = records.retrieve(org.system_caller(), sobject, [record_id], names)
    if row is None:
        raise LookupError(f"{sobject} {record_id} is gone")
    return {i.name: row[i.index] for i in layout.items if isinstance(i, Column)}


def org_facts(org: Org) -> Mapping[str, Any]:
    """The Organization row's facts that a login tells."""
    return _one(org, "Organization", org.id, _ORG)


def user_info(org: Org, user_id: str, seconds_valid: int) -> dict[str, Any]:
    """The result of getUserInfo and the userInfo of login."""
    user = _one(org, "User", user_id, _USER)
    company = org_facts(org)
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": _SYMBOL,
        "orgAttachmentFileSizeLimit": _MAX_ATTACHMENT,
        "orgDefaultCurrencyIsoCode": _CURRENCY,
        "orgDefaultCurrencyLocale": company["DefaultLocaleSidKey"],
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": org.id,
        "organizationMultiCurrency": False,
        "organizationName": company["Name"],
        "profileId": user["ProfileId"],
        "roleId": user["UserRoleId"],
        "sessionSecondsValid": seconds_valid,
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user_id,
        "userLanguage": user["LanguageLocaleKey"],
        "userLocale": user["LocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": user["TimeZoneSidKey"],
        "userType": user["UserType"],
        "userUiSkin": "Theme3",
    }
