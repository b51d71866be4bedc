"""Pages about users, permissions, sessions and the org's OAuth switches."""

from __future__ import annotations

from simorg.access import needs
from simorg.setup_ui.page import Page

_USERS = "/lightning/setup/ManageUsers/home"
_PROFILES = "/lightning/setup/EnhancedProfiles/home"
_SETS = "/lightning/setup/PermSets/home"

ADMIN_PAGES: tuple[Page, ...] = (
    Page(
        _USERS,
        "Users",
        "users:show",
        section="Users",
        words="freeze unfreeze deactivate activate reset password",
    ),
    Page(
        "/lightning/setup/ManageUsers/<user_id>/view",
        "User",
        "users:view",
        "users:act",
        under=_USERS,
    ),
    Page(
        "/lightning/setup/ManageUsers/<user_id>/edit",
        "Edit User",
        "user_edit:form",
        "user_edit:change",
        under=_USERS,
    ),
    Page(
        "/lightning/setup/ManageUsers/<user_id>/permissionsets",
        "Permission Set Assignments",
        "user_edit:sets",
        "user_edit:assign",
        under=_USERS,
    ),
    Page(
        "/lightning/setup/ManageUsers/<user_id>/password",
        "Set Password",
        "users:password_form",
        "users:set_password",
        under=_USERS,
    ),
    Page(
        "/lightning/setup/ManageUsers/new",
        "New User",
        "user_edit:new",
        "user_edit:create",
        under=_USERS,
    ),
    Page("/lightning/setup/ManageUsers/page", "User", "users:by_address", under=_USERS),
    Page(
        _SETS,
        "Permission Sets",
        "permission_sets:show",
        section="Users",
        words="assigned connected apps manage assignments",
    ),
    Page(
        "/lightning/setup/PermSets/new",
        "New Permission Set",
        "permission_sets:new",
        "permission_sets:create",
        under=_SETS,
    ),
    Page(
        "/lightning/setup/PermSets/<set_id>/view",
        "Permission Set",
        "permission_sets:view",
        "permission_sets:change",
        under=_SETS,
    ),
    Page(
        "/lightning/setup/PermSets/<set_id>/assignments",
        "Manage Assignments",
        "set_assignments:show",
        "set_assignments:change",
        under=_SETS,
    ),
    Page(
        _PROFILES,
        "Profiles",
        "profiles:show",
        section="Users",
        words="connected app access login ip ranges permissions",
    ),
    Page(
        "/lightning/setup/EnhancedProfiles/<profile_id>/view",
        "Profile",
        "profiles:view",
        "profiles:change",
        under=_PROFILES,
    ),
    Page("/lightning/setup/Profiles/home", "Profiles", "profiles:classic", under=_PROFILES),
    Page(
        "/lightning/setup/SimorgExternalApps/home",
        "Installed Apps for Customers and Partners",
        "external_apps:show",
        section="simorg",
        words="experience cloud site external users",
    ),
    Page(
        "/lightning/settings/personal/AdvancedUserDetails/home",
        "Advanced User Details",
        "personal_apps:show",
        "personal_apps:act",
        need=(),
    ),
    Page(
        "/lightning/setup/OrgLoginHistory/home",
        "Login History",
        "login_history:show",
        section="Identity",
        need=needs.LOGIN_HISTORY,
        words="logins failed status source ip",
    ),
    Page(
        "/lightning/setup/OauthOidcSettings/home",
        "OAuth and OpenID Connect Settings",
        "oauth_settings:show",
        "oauth_settings:save",
        section="Identity",
        words="username-password user-agent flow pkce client credentials block allow",
    ),
    Page(
        "/lightning/setup/SessionManagementPage/home",
        "Session Management",
        "session_management:show",
        "session_management:remove",
        section="Security",
        words="live sessions remove end log out",
    ),
    Page(
        "/lightning/setup/SecuritySession/home",
        "Session Settings",
        "session_settings:show",
        "session_settings:save",
        section="Security",
        words="timeout",
    ),
    Page(
        "/lightning/setup/SecurityEvents/home",
        "View Setup Audit Trail",
        "audit_trail:show",
        section="Security",
        words="changes history",
    ),
)
