"""One-letter codes of the catalogue files (written by ``tools/build_catalogue.py``)."""

from __future__ import annotations

#: Field attributes
PROPERTY_CODES = {
    "A": "auto_number",
    "C": "createable",
    "D": "defaulted_on_create",
    "F": "filterable",
    "G": "groupable",
    "H": "html_formatted",
    "L": "id_lookup",
    "M": "master_detail",
    "N": "nillable",
    "O": "computed",
    "Q": "unique",
    "R": "restricted_picklist",
    "S": "sortable",
    "U": "updateable",
    "X": "external_id",
    "c": "cascade_delete",
    "n": "name_field",
    "r": "restricted_delete",
    "s": "case_sensitive",
}

#: API calls an object supports
CALL_CODES = {
    "c": "create",
    "d": "delete",
    "D": "getDeleted",
    "l": "describeLayout",
    "m": "merge",
    "n": "undelete",
    "o": "describeSObjects",
    "q": "query",
    "r": "retrieve",
    "s": "search",
    "u": "update",
    "U": "getUpdated",
    "p": "upsert",
}
