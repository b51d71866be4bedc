"""``/.well-known/openid-configuration``: where the endpoints are and what they support.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid_discovery_endpoint.htm
Only what simorg serves is listed.
"""

from __future__ import annotations

from typing import Any

from simorg.oauth.scopes import SCOPES

_GRANT_TYPES = (
    "authorization_code refresh_token password client_credentials device"
    " urn:ietf:params:oauth:grant-type:jwt-bearer urn:ietf:params:oauth:grant-type:saml2-bearer"
    " urn:ietf:params:oauth:grant-type:token-exchange hybrid_auth_code hybrid_refresh"
).split()
_CLIENT_SECRET = ["client_secret_post", "client_secret_basic"]
_CLAIMS = (
    "active address email email_verified family_name given_name is_app_installed language"
    " locale name nickname organization_id phone_number phone_number_verified photos picture"
    " preferred_username profile sub updated_at urls user_id user_type utcOffset zoneinfo"
).split()


def openid_configuration(base_url: str) -> dict[str, Any]:
    """The discovery document as seen from ``base_url``."""
    oauth = f"{base_url}/services/oauth2"
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "revocation_endpoint": f"{oauth}/revoke",
        "userinfo_endpoint": f"{oauth}/userinfo",
        "jwks_uri": f"{base_url}/id/keys",
        "introspection_endpoint": f"{oauth}/introspect",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code", "token", "token id_token", "hybrid_token"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": list(_GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "display_values_supported": ["page", "popup", "touch"],
        "token_endpoint_auth_methods_supported": list(_CLIENT_SECRET),
        "introspection_endpoint_auth_methods_supported": list(_CLIENT_SECRET),
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": list(_CLAIMS),
    }
