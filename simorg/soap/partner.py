"""The Partner API: every operation served, in one table.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_list.htm
"""

from __future__ import annotations

from simorg.soap import (
    partner_describe,
    partner_email,
    partner_query,
    partner_records,
    partner_session,
)
from simorg.soap.partner_types import partner
from simorg.soap.service import Operation, build_service

_CALL = "SessionHeader CallOptions"
_DML = (
    f"{_CALL} AllowFieldTruncationHeader DisableFeedTrackingHeader StreamingEnabledHeader"
    " AllOrNoneHeader DuplicateRuleHeader LocaleOptions DebuggingHeader PackageVersionHeader"
)
_SAVE = f"{_DML} AssignmentRuleHeader MruHeader EmailHeader"
_QUERY = f"{_CALL} QueryOptions MruHeader PackageVersionHeader"
_DESCRIBE = f"{_CALL} PackageVersionHeader LocaleOptions"

_QUERY_FAULTS = (
    "InvalidSObjectFault InvalidFieldFault MalformedQueryFault InvalidIdFault"
    " UnexpectedErrorFault InvalidQueryLocatorFault"
)
_SAVE_FAULTS = "InvalidSObjectFault UnexpectedErrorFault InvalidIdFault InvalidFieldFault"
_OBJECT_FAULTS = "InvalidSObjectFault UnexpectedErrorFault"

OPERATIONS = (
    Operation(
        "login",
        partner_session.login,
        "username:string password:string",
        "result:LoginResult",
        headers="LoginScopeHeader CallOptions",
        answer_headers="",
        faults="LoginFault UnexpectedErrorFault InvalidIdFault",
        open_to_all=True,
    ),
    Operation("logout", partner_session.logout),
    Operation(
        "invalidateSessions",
        partner_session.invalidate_sessions,
        "sessionIds:string*",
        "result:InvalidateSessionsResult*",
    ),
    Operation(
        "getServerTimestamp",
        partner_session.get_server_timestamp,
        result="result:GetServerTimestampResult",
    ),
    Operation("getUserInfo", partner_session.get_user_info, result="result:GetUserInfoResult"),
    Operation(
        "setPassword",
        partner_session.set_password,
        "userId:ID password:string",
        "result:SetPasswordResult",
        faults="InvalidIdFault InvalidNewPasswordFault UnexpectedErrorFault",
    ),
    Operation(
        "resetPassword",
        partner_email.reset_password,
        "userId:ID",
        "result:ResetPasswordResult",
        headers=f"{_CALL} EmailHeader",
        faults="InvalidIdFault UnexpectedErrorFault",
    ),
    Operation("sendEmail", partner_email.send_email, "messages:Email*", "result:SendEmailResult*"),
    Operation(
        "query",
        partner_query.query,
        "queryString:string",
        "result:QueryResult",
        headers=_QUERY,
        faults=_QUERY_FAULTS,
    ),
    Operation(
        "queryAll",
        partner_query.query_all,
        "queryString:string",
        "result:QueryResult",
        headers=f"{_CALL} QueryOptions",
        faults=_QUERY_FAULTS,
    ),
    Operation(
        "queryMore",
        partner_query.query_more,
        "queryLocator:QueryLocator",
        "result:QueryResult",
        headers=f"{_CALL} QueryOptions",
        faults="InvalidQueryLocatorFault UnexpectedErrorFault InvalidFieldFault"
        " MalformedQueryFault",
    ),
    Operation(
        "search",
        partner_query.search,
        "searchString:string",
        "result:SearchResult",
        headers=f"{_CALL} PackageVersionHeader",
        faults="InvalidSObjectFault InvalidFieldFault MalformedSearchFault UnexpectedErrorFault",
    ),
    Operation(
        "retrieve",
        partner_query.retrieve,
        "fieldList:string sObjectType:string ids:ID*",
        "result:sObject*~",
        headers=_QUERY,
        faults="InvalidSObjectFault InvalidFieldFault MalformedQueryFault UnexpectedErrorFault"
        " InvalidIdFault",
    ),
    Operation(
        "create",
        partner_records.create,
        "sObjects:sObject*",
        "result:SaveResult*",
        headers=_SAVE,
        faults=_SAVE_FAULTS,
    ),
    Operation(
        "update",
        partner_records.update,
        "sObjects:sObject*",
        "result:SaveResult*",
        headers=f"{_SAVE} OwnerChangeOptions",
        faults=_SAVE_FAULTS,
    ),
    Operation(
        "upsert",
        partner_records.upsert,
        "externalIDFieldName:string sObjects:sObject*",
        "result:UpsertResult*",
        headers=f"{_SAVE} OwnerChangeOptions",
        faults=_SAVE_FAULTS,
    ),
    Operation(
        "delete",
        partner_records.delete,
        "ids:ID*",
        "result:DeleteResult*",
        headers=f"{_DML} UserTerritoryDeleteHeader EmailHeader",
    ),
    Operation(
        "undelete", partner_records.undelete, "ids:ID+", "result:UndeleteResult+", headers=_DML
    ),
    Operation(
        "emptyRecycleBin",
        partner_records.empty_recycle_bin,
        "ids:ID+",
        "result:EmptyRecycleBinResult+",
    ),
    Operation(
        "getUpdated",
        partner_records.get_updated,
        "sObjectType:string startDate:dateTime endDate:dateTime",
        "result:GetUpdatedResult",
        faults=_OBJECT_FAULTS,
    ),
    Operation(
        "getDeleted",
        partner_records.get_deleted,
        "sObjectType:string startDate:dateTime endDate:dateTime",
        "result:GetDeletedResult",
        faults=_OBJECT_FAULTS,
    ),
    Operation(
        "describeGlobal",
        partner_describe.describe_global,
        result="result:DescribeGlobalResult",
        headers=f"{_CALL} PackageVersionHeader",
    ),
    Operation(
        "describeSObject",
        partner_describe.describe_sobject,
        "sObjectType:string",
        "result:DescribeSObjectResult~",
        headers=_DESCRIBE,
        faults=_OBJECT_FAULTS,
    ),
    Operation(
        "describeSObjects",
        partner_describe.describe_sobjects,
        "sObjectType:string*",
        "result:DescribeSObjectResult*~",
        headers=_DESCRIBE,
        faults=_OBJECT_FAULTS,
    ),
)

PartnerService = build_service("PartnerService", partner, OPERATIONS)
