"""A rule trail as text, for people."""

from __future__ import annotations

from typing import Any


def as_text(found: dict[str, Any]) -> str:
    """What ``access.explain.explain`` answered, a line per rule."""
    through = f"{found['app']}, {found['flow']}" if found["app"] else found["flow"]
    verdict = "is let in" if found["allowed"] else "is refused"
    lines = [f"{found['user']} ({through}, {found['surface']}) {verdict}"]
    if policy := found["policy"]:
        lines.append(
            f"  Permitted Users: stored {policy['stored']}, enforced {policy['enforced']};"
            f" this session reads OptionsAllowAdminApprovedUsersOnly = {policy['apiValue']}"
        )
    for part in ("login", "call"):
        lines.append(f"{part}:")
        for step in found[part]["trail"]:
            mark = "pass" if step["passed"] else "FAIL"
            lines.append(f"  {mark} {step['rule']:<4} {step['title']}: {step['reason']}")
            if not step["passed"]:
                lines.append(f"       {step['source']}")
        if error := found[part]["error"]:
            lines.append(f"  answer ({error['where']}): {error['code']}: {error['message']}")
    return "\n".join(lines)
