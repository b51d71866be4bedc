"""Pages about users, permissions, sessions and the org's OAuth switches."""

from __future__ import annotations

from simorg.setup_ui.page import Page

ADMIN_PAGES: tuple[Page, ...] = ()
