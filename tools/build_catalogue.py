"""Build ``fixtures/catalogue`` from tables of facts about standard objects.

    python tools/build_catalogue.py FACTS_FOLDER [OUTPUT_FOLDER]

FACTS_FOLDER holds ``sobjects.tsv``, ``sobject_fields.tsv`` and ``key_prefixes.tsv``. What the
tables leave open is settled by ``tools/catalogue_rules.py`` and ``tools/catalogue/*.yaml``. The
result is deterministic; it is checked in, so nobody needs the tables to use simorg. The format is
described in ``simorg/org/schema/catalogue.py``, which reads it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from simorg.org.schema.codes import CALL_CODES, PROPERTY_CODES  # noqa: E402
from tools.catalogue_children import Child, child_relationships  # noqa: E402
from tools.catalogue_facts import RawObject, read_objects  # noqa: E402
from tools.catalogue_rules import CleanField, clean_objects  # noqa: E402


def field_line(field: CleanField) -> str:
    """One line of the data file; trailing empty columns are left out."""
    codes = "".join(sorted(c for c, name in PROPERTY_CODES.items() if field.get(name)))
    numbers = [field.get(name, 0) for name in ("length", "digits", "precision", "scale")]
    extra = {k: field[k] for k in sorted(field) if k in _EXTRA and field[k] not in (None, [], 0)}
    columns = [
        field["name"],
        field["label"],
        field["type"],
        ",".join(str(n) if n else "" for n in numbers).rstrip(","),
        codes,
        field.get("relationship_name") or "",
        "|".join(field.get("reference_to", ())),
        json.dumps(extra, ensure_ascii=False, separators=(",", ":")) if extra else "",
    ]
    return "\t".join(columns).rstrip("\t") + "\n"


_EXTRA = {"picklist", "default", "compound", "display_format", "min_version"}


def child_line(child: Child) -> str:
    flags = ("c" if child.cascade else "") + ("r" if child.restricted else "")
    return f"{child.name or ''}\t{child.child}\t{child.field}\t{flags}\n"


def write(objects: list[RawObject], output: Path) -> None:
    """Write index, data and child relationship files."""
    children = child_relationships(objects)
    index, data, relations = [], bytearray(), bytearray()
    for item in objects:
        block = "".join(field_line(f) for f in item.fields).encode()
        related = "".join(child_line(c) for c in children.get(item.name, ())).encode()
        calls = "".join(sorted(code for code, call in CALL_CODES.items() if call in item.calls))
        place = (len(data), len(block), len(relations), len(related))
        head = (item.name, item.prefix or "", item.label, item.label_plural, calls)
        index.append("\t".join((*head, *map(str, place))) + "\n")
        data += block
        relations += related
    output.mkdir(parents=True, exist_ok=True)
    (output / "index.tsv").write_text("".join(index), encoding="utf-8")
    (output / "fields.tsv").write_bytes(data)
    (output / "children.tsv").write_bytes(relations)


def main() -> None:
    facts = Path(sys.argv[1])
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "fixtures" / "catalogue"
    objects = clean_objects(read_objects(facts))
    write(objects, output)
    print(f"{len(objects)} objects, {sum(len(o.fields) for o in objects)} fields -> {output.name}")


if __name__ == "__main__":
    main()
