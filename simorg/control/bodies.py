"""Members of JSON bodies of the control API -> JSON Schema type; "" stands for more than one."""

from __future__ import annotations

USER_STATE = {
    "username": "string",
    "firstName": "",
    "lastName": "string",
    "alias": "string",
    "email": "string",
    "title": "",
    "timeZone": "string",
    "locale": "string",
    "profile": "string",
    "role": "",
    "permissionSets": "array",
    "active": "boolean",
    "frozen": "boolean",
    "password": "string",
    "passwordExpired": "boolean",
    "passwordLocked": "boolean",
    "securityToken": "string",
}
USER = {**USER_STATE, "contact": "", "passwordHash": "", "fields": "object"}
SET_STATE = {"label": "string", "description": "", "permissions": ""}
SET = {**SET_STATE, "name": "string", "license": ""}
PROFILE_STATE = {
    "description": "",
    "permissions": "",
    "loginIpRanges": "array",
    "loginHours": "object",
}
PROFILE = {
    **PROFILE_STATE,
    "name": "string",
    "license": "string",
    "userType": "string",
    "without": "array",
}
NEW_APP = {
    "installed": "boolean",
    "blocked": "boolean",
    "permittedUsers": "string",
    "profiles": "array",
    "permissionSets": "array",
    "name": "string",
    "consumerKey": "",
    "consumerSecret": "",
    "blockedByAllowlisting": "boolean",
    "firstParty": "boolean",
    "certificate": "",
    "callbackUrls": "array",
    "scopes": "array",
    "approvedBy": "array",
    "runAs": "",
    "startUrl": "",
    "sessionLevel": "string",
    "config": "object",
}
