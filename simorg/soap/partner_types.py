"""The Partner API's types in wire order: sObject, partner and fault namespaces.

Names and order are those of the Partner WSDL 58.0,
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_partner.htm
``@`` versions: seen absent from the Partner WSDL 28.0, 40.0 or 49.0 and present in the next of
those seen (58.0 last); what lies between two of them is our estimate.
Open lists (StatusCode, ExceptionCode) stay plain strings in our WSDL: a client made from it
takes every code, the ones that Salesforce adds later too.
"""

from __future__ import annotations

from simorg.soap.declare import Model, Namespace
from simorg.soap.spyne_compat import AnyXml

PARTNER_URI = "urn:partner.soap.sforce.com"
SOBJECT_URI = "urn:sobject.partner.soap.sforce.com"
FAULT_URI = "urn:fault.partner.soap.sforce.com"

partner = Namespace(PARTNER_URI)
partner.text("ID", min_len=18, max_len=18, pattern="[a-zA-Z0-9]{18}")
partner.text("QueryLocator")
partner.text("StatusCode")
partner.text("ExtendedErrorCode")
partner.text(
    "fieldType",
    values="string picklist multipicklist combobox reference base64 boolean currency textarea int"
    " double percent phone id date datetime time url email encryptedstring"
    " datacategorygroupreference location address anyType json complexvalue long".split(),
)
partner.text(
    "soapType",
    values="tns:ID xsd:base64Binary xsd:boolean xsd:double xsd:int xsd:long xsd:string xsd:date"
    " xsd:dateTime xsd:time tns:location tns:address xsd:anyType tns:json"
    " urn:RelationshipReferenceTo urn:JunctionIdListNames urn:SearchLayoutFieldsDisplayed"
    " urn:SearchLayoutField urn:SearchLayoutButtonsDisplayed urn:SearchLayoutButton"
    " urn:RecordTypesSupported tns:StringList tns:ChangeEventHeader".split(),
)

sobject = Namespace(SOBJECT_URI, partner)
#: Never written or read by Spyne: ``records.py`` writes it, ``values.py`` reads it.
SObject: Model = sobject.type(
    "sObject", "type:string fieldsToNull:string*~ Id:ID~", as_element=True
)
SObject._type_info["any"] = AnyXml.customize(
    schema_tag="{http://www.w3.org/2001/XMLSchema}any",
    namespace="##targetNamespace",
    process_contents="lax",
    min_occurs=0,
    max_occurs="unbounded",
    nillable=False,
)
partner.borrow(sobject, "sObject")

_type = partner.type
_type("location", "latitude:double~ longitude:double~")
_type(
    "address",
    "city:string~ country:string~ countryCode:string~ geocodeAccuracy:string~ postalCode:string~"
    " state:string~ stateCode:string~ street:string~",
    base="location",
)
_type("QueryResult", "done:boolean queryLocator:QueryLocator~ records:sObject*~ size:int")
_type("SearchRecord", "record:sObject")
_type("SearchResult", "queryId:string searchRecords:SearchRecord*")
_type("GetUpdatedResult", "ids:ID* latestDateCovered:dateTime")
_type("DeletedRecord", "deletedDate:dateTime id:ID")
_type(
    "GetDeletedResult",
    "deletedRecords:DeletedRecord* earliestDateAvailable:dateTime latestDateCovered:dateTime",
)
_type("GetServerTimestampResult", "timestamp:dateTime")
_type("SetPasswordResult")
_type("ChangeOwnPasswordResult")
_type(
    "GetUserInfoResult",
    "accessibilityMode:boolean chatterExternal:boolean@42 currencySymbol:string~"
    " orgAttachmentFileSizeLimit:int orgDefaultCurrencyIsoCode:string~"
    " orgDefaultCurrencyLocale:string~@39 orgDisallowHtmlAttachments:boolean"
    " orgHasPersonAccounts:boolean organizationId:ID organizationMultiCurrency:boolean"
    " organizationName:string profileId:ID roleId:ID~ sessionSecondsValid:int"
    " userDefaultCurrencyIsoCode:string~ userEmail:string userFullName:string userId:ID"
    " userLanguage:string userLocale:string userName:string userTimeZone:string userType:string"
    " userUiSkin:string",
)
_type(
    "LoginResult",
    "metadataServerUrl:string~ passwordExpired:boolean sandbox:boolean serverUrl:string~"
    " sessionId:string~ userId:ID~ userInfo:GetUserInfoResult?",
)
_type("ExtendedErrorDetails", "extendedErrorCode:ExtendedErrorCode")
_type(
    "Error",
    "extendedErrorDetails:ExtendedErrorDetails*~@38 fields:string*~ message:string"
    " statusCode:StatusCode",
)
_type("SaveResult", "errors:Error* id:ID~ success:boolean")
_type("UpsertResult", "created:boolean errors:Error* id:ID~ success:boolean")
_type("DeleteResult", "errors:Error*~ id:ID~ success:boolean")
_type("UndeleteResult", "errors:Error* id:ID~ success:boolean")
_type("EmptyRecycleBinResult", "errors:Error* id:ID~ success:boolean")
_type("InvalidateSessionsResult", "errors:Error* success:boolean")

_type("ScopeInfo", "label:string name:string")
_type("NamedLayoutInfo", "name:string")
_type(
    "PicklistEntry",
    "active:boolean defaultValue:boolean label:string~ validFor:base64Binary? value:string",
)
_type("FilteredLookupInfo", "controllingFields:string* dependent:boolean optionalFilter:boolean")
_type(
    "ActionOverride",
    "formFactor:string~@40 isAvailableInTouch:boolean name:string pageId:ID url:string~",
)
_type(
    "ChildRelationship",
    "cascadeDelete:boolean childSObject:string deprecatedAndHidden:boolean field:string"
    " junctionIdListNames:string*~@34 junctionReferenceTo:string*~@34 relationshipName:string?"
    " restrictedDelete:boolean?",
)
_type(
    "RecordTypeInfo",
    "active:boolean@41 available:boolean defaultRecordTypeMapping:boolean developerName:string@38"
    " master:boolean@37 name:string recordTypeId:ID~",
)
_type(
    "Field",
    "aggregatable:boolean@34 aiPredictionField:boolean@44 autoNumber:boolean byteLength:int"
    " calculated:boolean calculatedFormula:string? cascadeDelete:boolean? caseSensitive:boolean"
    " compoundFieldName:string?@33 controllerName:string? createable:boolean custom:boolean"
    " dataTranslationEnabled:boolean?@49 defaultValue:anyType?@32 defaultValueFormula:string?"
    " defaultedOnCreate:boolean dependentPicklist:boolean? deprecatedAndHidden:boolean digits:int"
    " displayLocationInDecimal:boolean?@26 encrypted:boolean?@34 externalId:boolean?"
    " extraTypeInfo:string?@32 filterable:boolean filteredLookupInfo:FilteredLookupInfo?~@30"
    " formulaTreatNullNumberAsZero:boolean?@41 groupable:boolean highScaleNumber:boolean?@33"
    " htmlFormatted:boolean? idLookup:boolean inlineHelpText:string? label:string length:int"
    " mask:string?@29 maskType:string?@29 name:string nameField:boolean namePointing:boolean?"
    " nillable:boolean permissionable:boolean picklistValues:PicklistEntry*~"
    " polymorphicForeignKey:boolean@40 precision:int queryByDistance:boolean@30"
    " referenceTargetField:string?@32 referenceTo:string*~ relationshipName:string?"
    " relationshipOrder:int? restrictedDelete:boolean? restrictedPicklist:boolean scale:int"
    " searchPrefilterable:boolean@40 soapType:soapType sortable:boolean? type:fieldType"
    " unique:boolean updateable:boolean writeRequiresMasterRead:boolean?",
)
_type(
    "DescribeSObjectResult",
    "actionOverrides:ActionOverride*~@32 activateable:boolean"
    " associateEntityType:string~@50 associateParentEntity:string~@50"
    " childRelationships:ChildRelationship* compactLayoutable:boolean@29 createable:boolean"
    " custom:boolean customSetting:boolean dataTranslationEnabled:boolean?@49"
    " deepCloneable:boolean@41 defaultImplementation:string~@46 deletable:boolean"
    " deprecatedAndHidden:boolean feedEnabled:boolean fields:Field*~ hasSubtypes:boolean@39"
    " idEnabled:boolean@35 implementedBy:string~@46 implementsInterfaces:string~@46"
    " isInterface:boolean@46 isSubtype:boolean@39 keyPrefix:string~ label:string"
    " labelPlural:string layoutable:boolean mergeable:boolean mruEnabled:boolean@39 name:string"
    " namedLayoutInfos:NamedLayoutInfo*@31 networkScopeFieldName:string~@40 queryable:boolean"
    " recordTypeInfos:RecordTypeInfo* replicateable:boolean retrieveable:boolean"
    " searchLayoutable:boolean?@24 searchable:boolean supportedScopes:ScopeInfo*~@33"
    " triggerable:boolean? undeletable:boolean updateable:boolean urlDetail:string~"
    " urlEdit:string~ urlNew:string~",
)
_type(
    "DescribeGlobalSObjectResult",
    "activateable:boolean associateEntityType:string~@50 associateParentEntity:string~@50"
    " createable:boolean custom:boolean customSetting:boolean dataTranslationEnabled:boolean?@49"
    " deepCloneable:boolean@41 deletable:boolean deprecatedAndHidden:boolean feedEnabled:boolean"
    " hasSubtypes:boolean@39 idEnabled:boolean@35 isInterface:boolean@46 isSubtype:boolean@39"
    " keyPrefix:string~ label:string labelPlural:string layoutable:boolean mergeable:boolean"
    " mruEnabled:boolean@39 name:string queryable:boolean replicateable:boolean"
    " retrieveable:boolean searchable:boolean triggerable:boolean undeletable:boolean"
    " updateable:boolean",
)
_type(
    "DescribeGlobalResult",
    "encoding:string~ maxBatchSize:int sobjects:DescribeGlobalSObjectResult*",
)

partner.text("EmailPriority", values="Highest High Normal Low Lowest".split())
partner.text("SendEmailOptOutPolicy", values="SEND FILTER REJECT".split())
_type(
    "EmailFileAttachment",
    "body:base64Binary?~ contentType:string?~ fileName:string id:ID?~ inline:boolean?",
)
_type(
    "Email",
    "bccSender:boolean~ emailPriority:EmailPriority~ replyTo:string~ saveAsActivity:boolean~"
    " senderDisplayName:string~ subject:string~ useSignature:boolean~",
    as_element=True,
)
_type(
    "MassEmailMessage",
    "description:string~ targetObjectIds:ID* templateId:ID whatIds:ID*",
    base="Email",
)
_type(
    "SingleEmailMessage",
    "bccAddresses:string*~ ccAddresses:string*~ charset:string~ documentAttachments:ID*"
    " entityAttachments:ID* fileAttachments:EmailFileAttachment* htmlBody:string~"
    " inReplyTo:string?~ optOutPolicy:SendEmailOptOutPolicy~ orgWideEmailAddressId:ID?~"
    " plainTextBody:string~ references:string?~ targetObjectId:ID~ templateId:ID~"
    " templateName:string?~ toAddresses:string*~ treatBodiesAsTemplate:boolean~"
    " treatTargetObjectAsRecipient:boolean~ whatId:ID~",
    base="Email",
)
_type("SendEmailError", "fields:string*~ message:string statusCode:StatusCode targetObjectId:ID~")
_type("SendEmailResult", "errors:SendEmailError* success:boolean")
_type("ResetPasswordResult", "password:string")

# Headers: elements of these types, in a request's (LimitInfoHeader: an answer's) soap Header.
_type("LogInfo", "category:string level:string")
_type("LimitInfo", "current:int limit:int type:string")
_type("PackageVersion", "majorNumber:int minorNumber:int namespace:string")
_type("OwnerChangeOption", "type:string execute:boolean")
_type("SessionHeader", "sessionId:string")
_type("LoginScopeHeader", "organizationId:ID portalId:ID?")
_type("CallOptions", "client:string~ defaultNamespace:string~")
_type("QueryOptions", "batchSize:int?")
_type("DebuggingHeader", "categories:LogInfo* debugLevel:string")
_type("PackageVersionHeader", "packageVersions:PackageVersion*")
_type("AllowFieldTruncationHeader", "allowFieldTruncation:boolean")
_type("DisableFeedTrackingHeader", "disableFeedTracking:boolean")
_type("StreamingEnabledHeader", "streamingEnabled:boolean")
_type("AllOrNoneHeader", "allOrNone:boolean")
_type(
    "DuplicateRuleHeader", "allowSave:boolean includeRecordDetails:boolean runAsCurrentUser:boolean"
)
_type("LimitInfoHeader", "limitInfo:LimitInfo*")
_type("MruHeader", "updateMru:boolean")
_type(
    "EmailHeader",
    "triggerAutoResponseEmail:boolean triggerOtherEmail:boolean triggerUserEmail:boolean",
)
_type("AssignmentRuleHeader", "assignmentRuleId:ID~ useDefaultRule:boolean~")
_type("UserTerritoryDeleteHeader", "transferToUserId:ID~")
_type("LocaleOptions", "language:string? localizeErrors:boolean?")
_type("OwnerChangeOptions", "options:OwnerChangeOption*~")

fault = Namespace(FAULT_URI, partner)
fault.text("ExceptionCode")
fault.type(
    "ApiFault",
    "exceptionCode:ExceptionCode exceptionMessage:string"
    " extendedErrorDetails:ExtendedErrorDetails*~",
)
fault.type("ApiQueryFault", "row:int column:int", base="ApiFault")
for _name in (
    "LoginFault",
    "InvalidQueryLocatorFault",
    "InvalidNewPasswordFault",
    "InvalidOldPasswordFault",
    "InvalidIdFault",
    "UnexpectedErrorFault",
):
    fault.type(_name, base="ApiFault")
for _name in (
    "InvalidFieldFault",
    "InvalidSObjectFault",
    "MalformedQueryFault",
    "MalformedSearchFault",
):
    fault.type(_name, base="ApiQueryFault")
