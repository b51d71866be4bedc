"""The divergence: one stored Permitted Users policy, three readings of it.

* what Setup shows and the org enforces: ``ui_policy``
* what ``ConnectedApplication.OptionsAllowAdminApprovedUsersOnly`` says: ``api_value``
* what the record keeps: ``AppFacts.stored_policy``, which the preference never writes

https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
"""

from __future__ import annotations

from simorg.access.model import AccessSettings, AppFacts, Flow, Policy, UserFacts


def overridden(app: AppFacts, settings: AccessSettings) -> bool:
    """The internal preference stands in for this app's own policy."""
    if app.external_client_app and settings.external_client_apps_exempt:
        return False
    return settings.internal_on and app.installed


def ui_policy(app: AppFacts, settings: AccessSettings) -> Policy:
    """Permitted Users as Setup shows it."""
    return Policy.ADMIN if overridden(app, settings) else app.stored_policy


def enforced_policy(app: AppFacts, settings: AccessSettings, user: UserFacts) -> Policy:
    """The policy this user meets: Setup's, unless the org exempts customers and partners."""
    if user.external and settings.external_under_internal == "exempt":
        return app.stored_policy
    return ui_policy(app, settings)


def reveals(app: AppFacts, settings: AccessSettings, flow: Flow | str | None) -> bool:
    """Whether the API tells this reader what Setup shows ("in the JWT bearer flow").

    ``settings.jwt_reading`` says whose JWT bearer flow that is: the reading session's or, since
    an app is used so only with a certificate, that of the app being read.
    """
    if settings.jwt_reading == "app":
        return app.has_certificate
    return flow == Flow.JWT_BEARER


def api_value(app: AppFacts, settings: AccessSettings, flow: Flow | str | None) -> bool:
    """``OptionsAllowAdminApprovedUsersOnly`` as a session of that flow reads it."""
    told = ui_policy(app, settings) if reveals(app, settings, flow) else app.stored_policy
    return told is Policy.ADMIN


def metadata_value(app: AppFacts, settings: AccessSettings, follows: str) -> bool:
    """``ConnectedApp.oauthConfig.isAdminApproved``; ``follows`` is "stored" or "ui"."""
    policy = ui_policy(app, settings) if follows == "ui" else app.stored_policy
    return policy is Policy.ADMIN
