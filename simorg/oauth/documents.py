"""What the identity endpoints say about a user: identity URL and userinfo documents.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: columns of User the documents are made of
USER_FIELDS = (
    "Id",
    "Username",
    "Email",
    "FirstName",
    "LastName",
    "Name",
    "CommunityNickname",
    "TimeZoneSidKey",
    "LocaleSidKey",
    "LanguageLocaleKey",
    "UserType",
    "IsActive",
    "MobilePhone",
    "Street",
    "City",
    "State",
    "Country",
    "PostalCode",
    "LastModifiedDate",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A user of an org, seen from the host a client called."""

    user: Mapping[str, Any]
    org_id: str  # 18 characters
    base_url: str  # scheme and Host of the request
    now: datetime
    #: literal put into API URLs; ``{version}`` unless the client names one
    version: str = "{version}"

    @property
    def id_url(self) -> str:
        return identity_url(self.base_url, self.org_id, self.user["Id"])


def identity_url(base_url: str, org_id: str, user_id: str) -> str:
    """``{base}/id/{org18}/{user18}``: the ``id`` of a token response."""
    return f"{base_url}/id/{org_id}/{user_id}"


def identity(subject: Subject) -> dict[str, Any]:
    """The identity URL's document."""
    user = subject.user
    return {
        "id": subject.id_url,
        "asserted_user": True,
        "user_id": user["Id"],
        "organization_id": subject.org_id,
        "username": user["Username"],
        "nick_name": user["CommunityNickname"],
        "display_name": _display_name(user),
        "email": user["Email"],
        "email_verified": True,
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
        "photos": _photos(subject.base_url),
        "addr_street": user["Street"],
        "addr_city": user["City"],
        "addr_state": user["State"],
        "addr_country": user["Country"],
        "addr_zip": user["PostalCode"],
        "mobile_phone": user["MobilePhone"],
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "urls": _urls(subject),
        "active": bool(user["IsActive"]),
        "user_type": _user_type(user),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": utc_offset(user["TimeZoneSidKey"], subject.now),
        "last_modified_date": user["LastModifiedDate"],
        "is_app_installed": True,
    }


def userinfo(subject: Subject) -> dict[str, Any]:
    """The OpenID Connect userinfo document."""
    user = subject.user
    photos = _photos(subject.base_url)
    address = {
        "street_address": user["Street"],
        "locality": user["City"],
        "region": user["State"],
        "country": user["Country"],
        "postal_code": user["PostalCode"],
    }
    return {
        "sub": subject.id_url,
        "user_id": user["Id"],
        "organization_id": subject.org_id,
        "preferred_username": user["Username"],
        "nickname": user["CommunityNickname"],
        "name": _display_name(user),
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "photos": photos,
        "profile": f"{subject.base_url}/{user['Id']}",
        "picture": photos["picture"],
        "phone_number": user["MobilePhone"],
        "phone_number_verified": False,
        "address": {name: value for name, value in address.items() if value},
        "is_salesforce_integration_user": False,
        "urls": _urls(subject),
        "active": bool(user["IsActive"]),
        "user_type": _user_type(user),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": utc_offset(user["TimeZoneSidKey"], subject.now),
        "updated_at": (user["LastModifiedDate"] or "").replace("+0000", "Z"),
        "is_app_installed": True,
    }


def utc_offset(time_zone: str | None, now: datetime) -> int:
    """Standard-time offset of a zone in milliseconds (``-28800000`` for Los Angeles)."""
    try:
        moment = now.astimezone(ZoneInfo(time_zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    offset, saving = moment.utcoffset(), moment.dst()
    if offset is None:
        return 0
    seconds = offset.total_seconds() - (saving.total_seconds() if saving else 0)
    return int(seconds * 1000)


def _display_name(user: Mapping[str, Any]) -> str:
    parts = (user["FirstName"], user["LastName"])
    return user.get("Name") or " ".join(part for part in parts if part)


def _user_type(user: Mapping[str, Any]) -> str:
    """``STANDARD``, ``POWER_PARTNER``, ``CSP_LITE_PORTAL``, ..."""
    text = user["UserType"] or "Standard"
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(text)).upper()


def _photos(base_url: str) -> dict[str, str]:
    return {
        "picture": f"{base_url}/profilephoto/005/F",
        "thumbnail": f"{base_url}/profilephoto/005/T",
    }


def _urls(subject: Subject) -> dict[str, str]:
    base, version, org15 = subject.base_url, subject.version, subject.org_id[:15]
    rest = f"{base}/services/data/v{version}/"
    return {
        "enterprise": f"{base}/services/Soap/c/{version}/{org15}",
        "metadata": f"{base}/services/Soap/m/{version}/{org15}",
        "partner": f"{base}/services/Soap/u/{version}/{org15}",
        "rest": rest,
        "sobjects": f"{rest}sobjects/",
        "search": f"{rest}search/",
        "query": f"{rest}query/",
        "recent": f"{rest}recent/",
        "tooling_soap": f"{base}/services/Soap/T/{version}/{org15}",
        "tooling_rest": f"{rest}tooling/",
        "profile": f"{base}/{subject.user['Id']}",
        "feeds": f"{rest}chatter/feeds",
        "groups": f"{rest}chatter/groups",
        "users": f"{rest}chatter/users",
        "feed_items": f"{rest}chatter/feed-items",
        "feed_elements": f"{rest}chatter/feed-elements",
        "custom_domain": base,
    }
