"""Which pages there are: address, label, place in the menu, permissions, module.

Addresses are Salesforce's where it has the page; those below ``/lightning/setup/Simorg`` are ours.
https://github.com/tprouvot/Salesforce-Inspector-reloaded/blob/main/addon/links.js
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import needs
from simorg.setup_ui.page import Page as Page
from simorg.setup_ui.page import resolve as resolve
from simorg.setup_ui.pages_admin import ADMIN_PAGES

if TYPE_CHECKING:
    from simorg.org.org import Org

HOME = "/lightning/setup/SetupOneHome/home"


#: headings of the menu, in order
SECTIONS = ("Apps", "Users", "Identity", "Security", "simorg")

PAGES: tuple[Page, ...] = (
    Page(HOME, "Setup Home", "home:show"),
    Page(
        "/lightning/setup/ApiAccessControl/home",
        "API Access Control",
        "api_access_control:show",
        "api_access_control:save",
        section="Security",
        listed="api_access_control:listed",
        words="API client whitelisting allowlisted connected apps preference",
    ),
    Page(
        "/lightning/setup/ConnectedAppsUsage/home",
        "Connected Apps OAuth Usage",
        "apps_usage:show",
        "apps_usage:act",
        section="Apps",
        need=needs.APPS_USAGE,
        words="tokens revoke block unblock install uninstall",
    ),
    Page(
        "/lightning/setup/ConnectedAppsUsage/<app_id>/users",
        "Users of a connected app",
        "apps_usage:users",
        "apps_usage:revoke",
        need=needs.APPS_USAGE,
        under="/lightning/setup/ConnectedAppsUsage/home",
    ),
    Page(
        "/identity/app/AppInstallApprovalPage.apexp",
        "Install connected app?",
        "apps_usage:ask_install",
        "apps_usage:install",
        need=needs.MANAGE_APPS,
        under="/lightning/setup/ConnectedAppsUsage/home",
    ),
    Page(
        "/lightning/setup/ConnectedApplication/home",
        "Manage Connected Apps",
        "app_list:show",
        section="Apps",
        need=needs.MANAGE_APPS,
        words="OAuth policies permitted users",
    ),
    Page(
        "/lightning/setup/ConnectedApplication/new",
        "New Connected App",
        "app_form:show_new",
        "app_form:create",
        need=needs.MANAGE_APPS,
        under="/lightning/setup/ConnectedApplication/home",
    ),
    Page(
        "/lightning/setup/ConnectedApplication/page",
        "Connected App",
        "app_list:by_address",
        need=needs.MANAGE_APPS,
        under="/lightning/setup/ConnectedApplication/home",
    ),
    *(
        Page(
            f"/lightning/setup/ConnectedApplication/<app_id>/{name}",
            label,
            view,
            action,
            need=needs.MANAGE_APPS,
            under="/lightning/setup/ConnectedApplication/home",
        )
        for name, label, view, action in (
            ("view", "Connected App", "app_list:detail", "app_list:act"),
            ("edit", "Edit Connected App", "app_form:show_edit", "app_form:save"),
            ("policies", "Edit Policies", "app_policy:show", "app_policy:save"),
            ("profiles", "Manage Profiles", "app_policy:show_profiles", "app_policy:save_profiles"),
            (
                "permissionsets",
                "Manage Permission Sets",
                "app_policy:show_permission_sets",
                "app_policy:save_permission_sets",
            ),
        )
    ),
    Page(
        "/lightning/setup/SimorgAccessMatrix/home",
        "Access Matrix",
        "access_matrix:show",
        section="simorg",
        need=needs.APPS_USAGE,
        words="who gets in and why users apps rules refused explain",
    ),
    Page(
        "/lightning/setup/SimorgAccessMatrix/why",
        "Why",
        "access_matrix:why",
        need=needs.APPS_USAGE,
        under="/lightning/setup/SimorgAccessMatrix/home",
    ),
    *ADMIN_PAGES,
)


def menu(org: Org, find: str = "") -> list[tuple[str, list[Page]]]:
    """(heading, pages) for the menu; ``find`` keeps pages whose words hold all of its words."""
    wanted = find.lower().split()
    found = []
    for section in SECTIONS:
        pages = [
            page
            for page in PAGES
            if page.section == section
            and all(word in f"{page.label} {section} {page.words}".lower() for word in wanted)
            and (page.listed is None or resolve(page.listed)(org))
        ]
        if pages:
            found.append((section, pages))
    return found
