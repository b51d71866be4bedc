"""The operations that a fault may name, so that a misspelt one is refused when it is set.

REST and OAuth: what ``names.operation_of`` can answer. SOAP and Metadata: the operations of
Salesforce's own WSDLs, served here or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_REST = """
    versions resources limits limits.record_count query query_all query_more search
    parameterized_search recent describe_global composite composite.batch composite.graph
    composite.tree sobject.basics sobject.create sobject.read sobject.update sobject.upsert
    sobject.delete sobject.describe sobject.updated sobject.deleted user.password
    collection.create collection.read collection.update collection.upsert collection.delete
    actions analytics apexrest appMenu chatter connect metadata process tooling ui-api wave
"""
_SOAP = """
    login describeSObject describeSObjects describeGlobal describeDataCategoryGroups
    describeDataCategoryGroupStructures describeDataCategoryMappings describeKnowledgeSettings
    describeAppMenu describeGlobalTheme describeTheme describeLayout describeSoftphoneLayout
    describeSearchLayouts describeSearchableEntities describeSearchScopeOrder
    describeCompactLayouts describePathAssistants describeApprovalLayout describeSoqlListViews
    executeListView describeSObjectListViews describeTabs describeAllTabs
    describePrimaryCompactLayouts create update upsert merge delete undelete emptyRecycleBin
    retrieve process convertLead logout invalidateSessions getDeleted getUpdated query queryAll
    queryMore search getServerTimestamp setPassword changeOwnPassword resetPassword getUserInfo
    deleteByExample sendEmailMessage sendEmail renderEmailTemplate renderStoredEmailTemplate
    performQuickActions describeQuickActions describeQuickActionsForRecordType
    describeAvailableQuickActions retrieveQuickActionTemplates retrieveMassQuickActionTemplates
    describeVisualForce findDuplicates findDuplicatesByIds describeNouns wsdl
"""
_METADATA = """
    cancelDeploy checkDeployStatus checkRetrieveStatus createMetadata deleteMetadata deploy
    deployRecentValidation describeMetadata describeValueType listMetadata readMetadata
    renameMetadata retrieve updateMetadata upsertMetadata wsdl
"""
_OAUTH = """
    token authorize revoke introspect userinfo identity keys openid_configuration singleaccess
    frontdoor logout login approve error_page verify device
"""
_KNOWN = {
    "rest": frozenset(_REST.split()),
    "bulk": frozenset(["jobs"]),
    "soap": frozenset(_SOAP.split()),
    "metadata": frozenset(_METADATA.split()),
    "oauth": frozenset(_OAUTH.split()),
    "visualforce": frozenset(["page", "session", "enter", "getsessionid"]),
}
#: surfaces whose operations are pages or paths, more than a list could hold
_OPEN = frozenset({"setup", "control", "other"})


def operations(surface: str) -> frozenset[str]:
    """The operations of a surface; empty for one whose names are not listed."""
    return _KNOWN.get(surface, frozenset())


def is_known(operation: str, surface: str | None) -> bool:
    """Whether an operation, or a pattern of some (``sobject.*``), is one of that surface, or of
    any."""
    if surface in _OPEN:
        return True
    known = _KNOWN.values() if surface is None else [operations(surface)]
    return any(fits_any(operation, names) for names in known)


def fits(pattern: str, operation: str) -> bool:
    """Any case; ``*`` stands for anything."""
    return fnmatchcase(operation.lower(), pattern.lower())


def fits_any(pattern: str, known: Iterable[str]) -> bool:
    return any(fits(pattern, name) for name in known)
