"""GetUserInfoResult: who somebody is, in which org.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getuserinfo_getuserinforesult.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simorg.org import query as soql
from simorg.org.org import Org
from simorg.org.query.layout import Column

#: the currency an org in that locale has (an org has one: no multiple currencies here)
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MAX_ATTACHMENT = 26_214_400  # 25 MB

_USER = (
    "Email Name ProfileId UserRoleId LanguageLocaleKey LocaleSidKey Username TimeZoneSidKey"
    " UserType"
).split()
_ORG = "Name IsSandbox OrganizationType LanguageLocaleKey DefaultLocaleSidKey".split()


def _one(org: Org, sobject: str, names: list[str], where: str = "") -> Mapping[str, Any]:
    page = soql.query(org.system_caller(), f"SELECT {', '.join(names)} FROM {sobject}{where}")
    row = page.rows[0]
    return {i.name: row[i.index] for i in page.layout.items if isinstance(i, Column)}


def org_facts(org: Org) -> Mapping[str, Any]:
    """The Organization row's facts that a login tells."""
    return _one(org, "Organization", _ORG)


def user_info(org: Org, user_id: str, seconds_valid: int) -> dict[str, Any]:
    """The result of getUserInfo and the userInfo of login."""
    user = _one(org, "User", _USER, f" WHERE Id = '{user_id}'")
    company = org_facts(org)
    currency = "USD"
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": _SYMBOLS[currency],
        "orgAttachmentFileSizeLimit": _MAX_ATTACHMENT,
        "orgDefaultCurrencyIsoCode": currency,
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
