"""LoginHistory rows: what an administrator sees of logins, granted and refused.

Statuses: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_eventlogfile_login_status.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simorg.access import rows
from simorg.access.model import Flow

if TYPE_CHECKING:
    from simorg.org.org import Org

SUCCESS = "Success"

_TYPES = {Flow.SOAP_LOGIN: "Other Apex API", Flow.UI: "Application"}
_SUBTYPES = {
    Flow.SOAP_LOGIN: "SoapApiLogin",
    Flow.UI: "UsernamePasswordUiLogin",
    Flow.PASSWORD: "OauthUsernamePassword",
    Flow.WEB_SERVER: "OauthWebServer",
    Flow.USER_AGENT: "OauthUserAgent",
    Flow.REFRESH_TOKEN: "OauthRefreshToken",
    Flow.CLIENT_CREDENTIALS: "OauthClientCredentials",
    Flow.TOKEN_EXCHANGE: "OauthTokenExchange",
    Flow.JWT_BEARER: "OauthJwtBearer",
    Flow.SAML_BEARER: "OauthSamlBearer",
    Flow.DEVICE: "OauthDevice",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login came from."""

    source_ip: str = "127.0.0.1"
    #: host and path the client posted to, without scheme
    login_url: str = ""
    #: "SOAP Partner", "SOAP Enterprise"; None for OAuth and pages
    api_type: str | None = None
    api_version: str | None = None
    browser: str = "Unknown"
    platform: str = "Unknown"
    client_version: str = "N/A"
    tls: bool = False


def record(
    org: Org,
    user_id: str,
    flow: Flow,
    status: str = SUCCESS,
    *,
    origin: Origin | None = None,
    application: str = "N/A",
    sub_type: str | None = None,
) -> str:
    """Write the row of one login; its id. A success also sets ``User.LastLoginDate``.

    ``application`` is the connected app's label, ``Browser`` for pages, ``N/A`` for SOAP;
    ``sub_type`` stands in for the flow's own.
    """
    origin = origin or Origin()
    now = org.clock.text()
    values = {
        "UserId": user_id,
        "LoginTime": now,
        "LoginType": _TYPES.get(flow, "Remote Access 2.0"),
        "LoginSubType": sub_type or _SUBTYPES.get(flow),
        "Status": status[:128],
        "SourceIp": origin.source_ip[:39],
        "LoginUrl": origin.login_url[:255],
        "Application": application[:64],
        "ApiType": origin.api_type,
        "ApiVersion": origin.api_version or "N/A",
        "Browser": origin.browser[:64],
        "Platform": origin.platform[:64],
        "ClientVersion": origin.client_version[:64],
        "TlsProtocol": "TLS 1.3" if origin.tls else "No HTTPS",
        "CipherSuite": None,
        "OptionsIsGet": False,
        "OptionsIsPost": True,
    }
    with org.store.writing() as tx:
        row_id = rows.insert(org, tx, "LoginHistory", values)
        if status == SUCCESS:
            rows.change(org, tx, "User", {"LastLoginDate": now}, where="Id", equals=user_id)
    return row_id
