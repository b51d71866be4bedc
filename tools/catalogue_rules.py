"""Turn the raw tables into clean objects: what to drop, and what to say where they are silent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from simorg.org.schema import standard_values
from simorg.org.schema.codes import CALL_CODES, PROPERTY_CODES
from tools.catalogue_facts import RawObject
from tools.catalogue_references import give_prefixes, settle_reference, unique_relationships
from tools.catalogue_words import label_of, plural

CleanField = dict[str, Any]
HAND = Path(__file__).resolve().parent / "catalogue"


def hand(name: str) -> Any:
    """A table written by hand, ``tools/catalogue/<name>.yaml``."""
    return yaml.safe_load((HAND / f"{name}.yaml").read_text(encoding="utf-8"))


#: fields that only orgs with some feature have (multi-currency, state picklists, S2S, ...)
_FEATURE_FIELDS = re.compile(
    r"CurrencyIsoCode|Connection(Received|Sent)Id|(Exchange)?ExportStatus|.*(Country|State)Code"
    r"|ActionCadence.*|ActiveTrackerCount|ScheduledResumeDateTime|First(Call|Email)DateTime"
    r"|IsPersonAccount|MiddleName|Suffix|DefaultDivision|PartnerAccountId|Division"
    r"|CanAllowPortalSelfReg|ScoreIntelligenceId|IqScore|IsPriorityRecord",
    re.IGNORECASE,
)
_KEEP_WITH_LABEL = re.compile(r"Division|.*CountryCode|.*StateCode|IsPriorityRecord|Suffix")
_SYSTEM = {
    "Id": "DFGLS",
    "CreatedDate": "DFS",
    "CreatedById": "DFGS",
    "LastModifiedDate": "DFS",
    "LastModifiedById": "DFGS",
    "SystemModstamp": "DFS",
    "IsDeleted": "DFGS",
    "LastViewedDate": "FNS",
    "LastReferencedDate": "FNS",
    "LastActivityDate": "FGNS",
}
_SYSTEM_TYPES = {
    "Id": ("id", "{label} ID"),
    "IsDeleted": ("boolean", "Deleted"),
    "CreatedDate": ("datetime", "Created Date"),
    "CreatedById": ("reference", "Created By ID"),
    "LastModifiedDate": ("datetime", "Last Modified Date"),
    "LastModifiedById": ("reference", "Last Modified By ID"),
    "SystemModstamp": ("datetime", "System Modstamp"),
}
#: what a field of a type can do when the tables do not say
_BY_TYPE = {
    "boolean": "DFGS",
    "string": "FGNS",
    "textarea": "N",
    "picklist": "FGNS",
    "multipicklist": "FN",
    "reference": "FGNS",
    "datetime": "FNS",
    "double": "FNS",
    "currency": "FNS",
    "percent": "FNS",
    "address": "FN",
    "location": "FN",
    "base64": "",
    "time": "FNS",
}
_LENGTHS = {
    "string": 255,
    "textarea": 32000,
    "picklist": 255,
    "combobox": 255,
    "multipicklist": 4099,
    "reference": 18,
    "id": 18,
    "email": 80,
    "phone": 40,
    "url": 255,
    "encryptedstring": 175,
}
_ADDRESS_PARTS = (
    "Street City State PostalCode Country StateCode CountryCode Latitude Longitude GeocodeAccuracy"
).split()
_CALL_WORDS = {
    "createable": "create",
    "deletable": "delete",
    "updateable": "update",
    "undeletable": "undelete",
    "queryAll": "query",
    "getUpdate": "getUpdated",
    "describe": "describeSObjects",
}


def clean_objects(raw: list[RawObject]) -> list[RawObject]:
    """Clean all objects in place; the list comes back without those we leave out."""
    tables = {n: hand(n) for n in ("objects", "fields", "picklists", "prefixes")}
    tables["picklists"]["lists"] |= _meaningful_lists()
    objects = [o for o in raw if o.name not in tables["objects"]["drop"]]
    names = {o.name.lower(): o.name for o in objects}
    for item in objects:
        _clean_object(item, tables["objects"])
        kept = _kept_fields(item, tables["objects"]["core"].get(item.name))
        item.fields = [_settle(item, f, names) for f in kept]
        _add_system_fields(item)
        _apply_hand_fields(item, tables["fields"], tables["picklists"])
        for field in item.fields:
            targets = field.get("reference_to", ())
            field["reference_to"] = [t for t in targets if t.lower() in names]
        _mark_names_and_parts(item)
        item.fields = _ordered(item.fields, tables["objects"]["order"].get(item.name, "").split())
        unique_relationships(item)
    give_prefixes(objects, tables["prefixes"])
    return objects


def _clean_object(item: RawObject, table: dict[str, Any]) -> None:
    calls = {_CALL_WORDS.get(c, c) for c in item.calls} or {"query", "retrieve"}
    calls |= set(table["calls"].get(item.name, ())) | {"describeSObjects"}
    if {"create", "update"} <= calls:
        calls.add("upsert")
    item.calls = calls & set(CALL_CODES.values())
    names = table["labels"].get(item.name, [])
    item.label = names[0] if names else label_of(item.name)
    item.label_plural = names[1] if len(names) > 1 else plural(item.label)


def _meaningful_lists() -> dict[str, list[Any]]:
    return {
        "time_zones": hand("time_zones"),
        "opportunity_stages": [s.name for s in standard_values.OPPORTUNITY_STAGES],
        "case_statuses": [s.name for s in standard_values.CASE_STATUSES],
        "lead_statuses": [s.name for s in standard_values.LEAD_STATUSES],
        "task_statuses": [s.name for s in standard_values.TASK_STATUSES],
    }


def _kept_fields(item: RawObject, core: list[str] | None) -> list[dict[str, str]]:
    best: dict[str, dict[str, str]] = {}
    for row in item.fields:
        row["field"] = name = "Id" if row["field"] == "ID" else row["field"]
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name) or _dropped(item.name, row):
            continue
        if core is not None and not row["label"] and name not in core:
            continue
        other = best.get(name.lower())
        if other is None:
            best[name.lower()] = row
            continue
        first, second = (row, other) if row["label"] else (other, row)
        merged = {k: v if v not in ("", "?", None) else second[k] for k, v in first.items()}
        best[name.lower()] = merged
    return list(best.values())


def _dropped(owner: str, row: dict[str, str]) -> bool:
    name = row["field"]
    if owner == "Account" and re.fullmatch(
        r"Person.+|FirstName|LastName|Salutation|Suffix|MiddleName|IsPersonAccount"
        r"|SourceSystem.*|EffectiveDate|EndDate|IsActive|IsBuyer",
        name,
    ):
        return True
    if not _FEATURE_FIELDS.fullmatch(name):
        return False
    return not (row["label"] and _KEEP_WITH_LABEL.fullmatch(name))


def _settle(item: RawObject, row: dict[str, str], names: dict[str, str]) -> CleanField:
    name, kind = row["field"], row["type"].lower()
    kind = {"type": "string", "?": "string", "": "string"}.get(kind, kind)
    field: CleanField = {"name": name, "label": row["label"] or label_of(name), "type": kind}
    for key in ("length", "digits", "precision", "scale"):
        field[key] = int(row[key] or 0)
    if not field["length"]:
        field["length"] = _LENGTHS.get(kind, 0)
    if kind in ("double", "currency", "percent") and not field["precision"]:
        field["precision"], field["scale"] = 18, 2
    if kind == "int" and not field["digits"]:
        field["digits"] = 9
    if kind == "long":
        field["digits"] = field["digits"] or 18
    for code in _properties(item, name, kind, field["length"], row["properties"]):
        field[PROPERTY_CODES[code]] = True
    if _optional(item, field, row):
        field["nillable"] = True
    settle_reference(field, row, names)
    return field


def _optional(item: RawObject, field: CleanField, row: dict[str, str]) -> bool:
    """Fields of some feature only, and lists of ids, are never required."""
    if field["type"] in ("junctionidlist", "boolean", "id"):
        return bool(field["type"] == "junctionidlist")
    labelled = any(f["label"] for f in item.fields)
    feature = labelled and not row["label"] and field["type"] != "string"
    return (feature or field["name"] == "RecordTypeId") and bool(field.get("createable"))


def _properties(item: RawObject, name: str, kind: str, length: int, told: str) -> str:
    if name in _SYSTEM and not (name == "IsDeleted" and kind != "boolean"):
        return _SYSTEM[name]
    if told != "?":
        codes = set(told)
    else:
        codes = set(_BY_TYPE.get(kind, "FGNS"))
        if kind == "textarea" and length <= 255:
            codes |= set("FGS")
        if kind == "string" and length > 255:
            codes -= {"G"}
        if kind not in ("address", "location"):
            codes |= {"C"} if "create" in item.calls else set()
            codes |= {"U"} if "update" in item.calls else set()
    if kind == "boolean":
        codes = (codes - {"N"}) | ({"D"} if "C" in codes else set())
    if kind == "id":
        codes |= {"F"}
    if "A" in codes:
        codes = (codes - set("CUN")) | set("DFS")
    return "".join(sorted(codes))


def _add_system_fields(item: RawObject) -> None:
    replicated = bool(item.calls & {"getUpdated", "create", "update"})
    labelled = any(f["name"] == "Id" for f in item.fields)
    wanted = ["Id"]
    if not labelled:
        wanted += ["IsDeleted"] if "undelete" in item.calls or "getDeleted" in item.calls else []
        if replicated:
            wanted += list(_SYSTEM_TYPES)[2:]
    for name in wanted:
        if item.field(name):
            continue
        kind, label = _SYSTEM_TYPES[name]
        field: CleanField = {"name": name, "label": label.format(label=item.label), "type": kind}
        field["length"] = _LENGTHS.get(kind, 0)
        for code in _SYSTEM[name]:
            field[PROPERTY_CODES[code]] = True
        item.fields.append(field)
    for name in ("CreatedById", "LastModifiedById"):
        if known := item.field(name):
            known |= {"type": "reference", "reference_to": ["User"]}
            known["relationship_name"] = name[:-2]


def _apply_hand_fields(item: RawObject, table: dict[str, Any], picklists: dict[str, Any]) -> None:
    """``fields.yaml`` by object (``*``: any) and field: codes, type, refs, default, drop ..."""
    entries = {**table.get("*", {}), **table.get(item.name, {})}
    for name, change in entries.items():
        field = item.field(name)
        if change == "drop":
            item.fields = [f for f in item.fields if f is not field]
            continue
        if field is None:
            if name in table.get("*", {}) and name not in table.get(item.name, {}):
                continue
            field = {"name": name, "label": label_of(name), "type": "string", "length": 255}
            item.fields.append(field)
        change = dict(change)
        if (codes := change.pop("codes", None)) is not None:
            for attribute in PROPERTY_CODES.values():
                field.pop(attribute, None)
            for code in codes:
                field[PROPERTY_CODES[code]] = True
        for code in change.pop("also", ""):
            field[PROPERTY_CODES[code]] = True
        for code in change.pop("not", ""):
            field.pop(PROPERTY_CODES[code], None)
        field.update(change)
    for field in item.fields:
        _give_picklist(item, field, picklists)
        if field.get("auto_number"):
            field.setdefault("display_format", "{00000000}")


def _give_picklist(item: RawObject, field: CleanField, picklists: dict[str, Any]) -> None:
    if field["type"] not in ("picklist", "multipicklist", "combobox"):
        field.pop("restricted_picklist", None)
        return
    values = picklists["fields"].get(f"{item.name}.{field['name']}")
    if values is None:
        values = picklists["fields"].get(f"*.{field['name']}")
    if isinstance(values, str):
        values = picklists["lists"][values]
    default = field.get("default")
    out = []
    for value in values or ():
        text, label = value if isinstance(value, list) else (value, value)
        out.append([text, *([label] if label != text or text == default else [])])
        if text == default:
            out[-1].append(1)
    field["picklist"] = out
    if not out:  # a restricted list without values would refuse every value
        field.pop("restricted_picklist", None)


def _mark_names_and_parts(item: RawObject) -> None:
    if not any(f.get("name_field") for f in item.fields):
        for name in ("Name", f"{item.name}Number", f"{item.name}Name", "Subject", "Title"):
            if (field := item.field(name)) and field["type"] == "string":
                field["name_field"] = True
                break
    for whole in [f for f in item.fields if f["type"] in ("address", "location")]:
        stem = whole["name"].removesuffix("Address").removesuffix("__c")
        for part in _ADDRESS_PARTS:
            if (field := item.field(f"{stem}{part}")) and field is not whole:
                field["compound"] = whole["name"]
        whole.pop("createable", None)
        whole.pop("updateable", None)
    if item.name in ("Contact", "Lead", "User"):
        for part in ("FirstName", "LastName", "Salutation", "MiddleName", "Suffix"):
            if field := item.field(part):
                field["compound"] = "Name"


_FIRST = ["Id", "IsDeleted", "MasterRecordId"]
_LAST = ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"]


def _ordered(fields: list[CleanField], told: list[str]) -> list[CleanField]:
    first = told or _FIRST

    def place(field: CleanField) -> tuple[int, int, str]:
        name = field["name"]
        if name in first:
            return (0, first.index(name), "")
        if field.get("name_field"):
            return (1, 0, "")
        if field.get("compound") == "Name":
            return (2, 0, name)
        return (4, _LAST.index(name), "") if name in _LAST else (3, 0, name.lower())

    return sorted(fields, key=place)
