"""MkDocs hooks: what lies outside ``docs/`` becomes pages of the site, and links to it follow.

``examples.md`` is made of ``examples/README.md`` and the examples' files, ``changelog.md`` of
``CHANGELOG.md``, ``default-org.md`` of the built-in org definition; they are written nowhere.
https://www.mkdocs.org/user-guide/configuration/#hooks
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
LANGUAGES = {".py": "python", ".mjs": "javascript", ".json": "json", ".sh": "sh", ".yml": "yaml"}
LANGUAGES |= {".yaml": "yaml"}
#: a link out of docs/ -> the page that stands for it
OUTSIDE = {
    "../examples/README.md": "examples.md",
    "../examples": "examples.md",
    "../CHANGELOG.md": "changelog.md",
    "../README.md": "index.md",
    "../fixtures/orgs/acme.yaml": "default-org.md",
}
_SNIPPET = re.compile(r"^```(\w+)\n(?:#|//) snippet: ([^\n\"]+)\n", re.M)
_EXAMPLE = re.compile(r"\.\./examples/([\w-]+)/?")
_LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages made of files outside ``docs/``."""
    files.append(File.generated(config, "examples.md", content=examples_page()))
    files.append(File.generated(config, "changelog.md", content=changelog_page()))
    files.append(File.generated(config, "default-org.md", content=default_org_page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links that leave ``docs/`` lead to the page that stands for the file; the name by which a
    test runs a block becomes its title."""
    depth = page.file.src_uri.count("/")

    def follow(found: re.Match[str]) -> str:
        target = found[1].removeprefix("../" * depth)
        there = OUTSIDE.get(target)
        if example := _EXAMPLE.fullmatch(target):
            there = f"examples.md#{example[1]}"
        return f"]({'../' * depth}{there}{found[2] or ''})" if there else found[0]

    named = _SNIPPET.sub(lambda found: f'```{found[1]} title="{found[2]}"\n', markdown)
    return _LINK.sub(follow, named)


def changelog_page() -> str:
    """``CHANGELOG.md``; its links are those of the repository's root."""
    return (ROOT / "CHANGELOG.md").read_text("utf-8").replace("](docs/", "](")


def default_org_page() -> str:
    """The definition of the org that every server has."""
    definition = (ROOT / "fixtures" / "orgs" / "acme.yaml").read_text("utf-8")
    told = "What `simorg serve` serves unless `--org` says otherwise. What the keys mean: "
    told += "[org definitions](org-definitions.md)."
    return f"# The default org's definition\n\n{told}\n\n```yaml\n{definition}```\n"


def examples_page() -> str:
    """The examples' README, then every file of every example."""
    text = (EXAMPLES / "README.md").read_text("utf-8").replace("](../docs/", "](")
    parts = [text]
    for folder in sorted(path for path in EXAMPLES.iterdir() if path.is_dir()):
        text = text.replace(f"]({folder.name})", f"](#{folder.name})")
        parts[0] = text
        parts.append(f"\n## {folder.name}\n")
        parts += [block(path) for path in sorted(folder.rglob("*")) if shown(path)]
    return "\n".join(parts)


def shown(path: Path) -> bool:
    """A file of the example itself, not what a run left behind."""
    inside = path.relative_to(EXAMPLES).parts
    left = any(part == "node_modules" or part.startswith("__pycache") for part in inside)
    return path.is_file() and not left and not any(part.startswith(".pytest") for part in inside)


def block(path: Path) -> str:
    """A file as a fenced block below its name."""
    language = LANGUAGES.get(path.suffix, "text")
    name = path.relative_to(EXAMPLES).as_posix()
    return f"`{name}`\n\n```{language}\n{path.read_text('utf-8').rstrip()}\n```\n"
