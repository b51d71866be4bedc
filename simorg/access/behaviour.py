"""What ``access`` teaches every org: rules of the system objects, the computed field, settings."""

from __future__ import annotations

from simorg.access.assignment_objects import AssignmentRules, EntityAccessRules
from simorg.access.computed import COMPUTED
from simorg.access.login_objects import (
    AuditTrailRules,
    AuthSessionRules,
    ConnectedApplicationRules,
    LoginHistoryRules,
    OauthTokenRules,
    OrganizationRules,
    UserLoginRules,
)
from simorg.access.page_objects import ApexPageRules
from simorg.access.permission_objects import PermissionSetRules, ProfileRules
from simorg.access.sections import SECTIONS
from simorg.access.user_objects import UserRules
from simorg.org.behaviour import Behaviour

#: a committed change of one of these makes every session be judged anew
ACCESS_OBJECTS = frozenset(
    {
        "AuthSession",
        "ConnectedApplication",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "SetupEntityAccess",
        "User",
        "UserLogin",
    }
)


def behaviour() -> Behaviour:
    """Composed once by the server and given to its catalogue of orgs."""
    return Behaviour(
        rules={
            "ApexPage": ApexPageRules(),
            "AuthSession": AuthSessionRules(),
            "ConnectedApplication": ConnectedApplicationRules(),
            "LoginHistory": LoginHistoryRules(),
            "OauthToken": OauthTokenRules(),
            "Organization": OrganizationRules(),
            "PermissionSet": PermissionSetRules(),
            "PermissionSetAssignment": AssignmentRules(),
            "Profile": ProfileRules(),
            "SetupAuditTrail": AuditTrailRules(),
            "SetupEntityAccess": EntityAccessRules(),
            "User": UserRules(),
            "UserLogin": UserLoginRules(),
        },
        computed=COMPUTED,
        access_objects=ACCESS_OBJECTS,
        sections=SECTIONS,
    )
