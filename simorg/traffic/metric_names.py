"""SOAP operations that are counted by name; a client may send any.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_list.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_calls_intro.htm
"""

from __future__ import annotations

_PARTNER = """
login logout invalidateSessions query queryAll queryMore search retrieve create update upsert
delete undelete emptyRecycleBin merge convertLead process getDeleted getUpdated getUserInfo
getServerTimestamp setPassword resetPassword changeOwnPassword sendEmail sendEmailMessage
renderEmailTemplate renderStoredEmailTemplate describeGlobal describeGlobalTheme describeTheme
describeSObject describeSObjects describeLayout describeCompactLayouts describePrimaryCompactLayouts
describeSoftphoneLayout describePathAssistants describeSearchLayouts describeSearchScopeOrder
describeDataCategoryGroups describeDataCategoryGroupStructures describeTabs describeAllTabs
describeAppMenu describeApprovalLayout describeListViews describeSoqlListViews executeListView
describeNouns describeVisualForce describeKnowledgeSettings describeQuickActions
describeAvailableQuickActions retrieveQuickActionTemplates performQuickActions findDuplicates
findDuplicatesByIds deleteByExample retrieveMassQuickActionTemplates
""".split()
_METADATA = """
deploy checkDeployStatus cancelDeploy deployRecentValidation retrieve checkRetrieveStatus
createMetadata readMetadata updateMetadata upsertMetadata deleteMetadata renameMetadata
listMetadata describeMetadata describeValueType checkStatus wsdl
""".split()

SOAP_OPERATIONS = frozenset([*_PARTNER, *_METADATA])
