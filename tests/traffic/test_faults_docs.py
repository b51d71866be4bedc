"""The table of errors in docs/faults.md is the one in the code.

``python -m tests.traffic.test_faults_docs`` writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from simorg.traffic import fault_rules
from simorg.traffic.fault_codes import CODES, KINDS, Code

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
TABLE = re.compile(r"(?<=\|---\|---\|---\|---\|---\|\n).*?(?=<!-- /errors -->)", re.S)


def kind(code: Code) -> str:
    if code.record:
        return "record"
    if code.surfaces == ("oauth",):
        return "OAuth"
    if code.operations:
        return ", ".join(f"`{name}`" for name in sorted(code.operations))
    return "pages too" if "setup" in code.surfaces else "API"


def row(name: str, code: Code) -> str:
    words = f"`{code.message}`" if code.message else "…"
    if name in KINDS:
        name = f"`{name}` (`{code.code}`)"
    else:
        name = f"`{name}`"
    if code.soap_message:
        words += f"; SOAP: `{code.soap_message}`"
    if code.oauth and code.surfaces != ("oauth",):
        words += f"; OAuth: `{code.oauth[0]}` / `{code.oauth[1]}`"
    return f"| {name} | {code.status} | {words} | {kind(code)} | {code.sure} |\n"


def table() -> str:
    return "".join(row(name, code) for name, code in [*KINDS.items(), *CODES.items()])


def test_the_table_is_the_code() -> None:
    found = TABLE.search(PAGE.read_text())
    assert found is not None and found[0] == table()


def test_every_member_is_told() -> None:
    text = PAGE.read_text()
    for part in (fault_rules.Match, fault_rules.Calls, fault_rules.Answer):
        for name in part.__struct_encode_fields__:
            assert re.search(rf"^\| [^|]*`{name}`", text, re.M), name


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda _: table(), PAGE.read_text()))
