"""Where the rules are written: the pages that rules, refusals and docs cite."""

from __future__ import annotations

_HELP = "https://help.salesforce.com/s/articleView?id="
_OBJECTS = (
    "https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/"
)
_METADATA = "https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/"

AAC_INTERNAL = _HELP + "xcloud.security_api_access_control_all_users.htm"
BLACKLISTED_CONSUMER = _METADATA + "meta_blacklistedconsumer.htm"
USAGE_RESTRICTIONS = _HELP + "005132365"
PREAUTHORIZE = _HELP + "xcloud.preauth_user_app_access_through_eca.htm"
OAUTH_ERRORS = _HELP + "xcloud.remoteaccess_oauth_flow_errors.htm"
JWT_FLOW = _HELP + "xcloud.remoteaccess_oauth_jwt_flow.htm"
SESSION_LEVEL = _METADATA + "meta_connectedapp.htm"
API_EDITIONS = _HELP + "000385436"
SOAP_LOGIN_RETIREMENT = _HELP + "005132110"
SOAP_LOGIN_CALL = (
    "https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm"
)
REST_ERRORS = (
    "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm"
)
NOT_FOR_API = "https://github.com/jsforce/jsforce/pull/1774"
SESSION_TYPES = _HELP + "xcloud.security_session_types.htm"
FREEZE = "https://crmscience.com/single-post/2016/09/06/freezing-salesforce-users"
INACTIVE = "https://github.com/restforce/restforce/issues/303"
NOT_ASSIGNED = "https://github.com/forcedotcom/cli/issues/3260"
NOT_FOUND = "https://github.com/dust-tt/dust/pull/26727"
LOGIN_STATUS = _OBJECTS + "sforce_api_objects_eventlogfile_login_status.htm"
API_DISABLED = "https://github.com/forcedotcom/salesforcedx-vscode/issues/2387"
END_USER_DENIED = "https://github.com/forcedotcom/Salesforce-CDP-jdbc/issues/180"
CROSS_ORG = "https://github.com/forcedotcom/mcp-hosted/issues/10"
