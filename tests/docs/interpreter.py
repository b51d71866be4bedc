"""Runs Python snippets for ``snippets.Interpreter``: a line of JSON in, an exit code out."""

from __future__ import annotations

import ast
import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

SECONDS = 240


def load(text: str) -> None:
    """Import what the snippet will import; what fails here fails there, with its traceback."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            try:
                importlib.import_module(name)
            except ImportError:
                pass


def play(asked: dict[str, Any]) -> int:
    """The child: the snippet as ``__main__``, as ``python -c`` would run it."""
    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for name, stream in (("out.log", 1), ("err.log", 2)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream)
    try:
        exec(compile(asked["text"], "snippet.py", "exec"), {"__name__": "__main__"})
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        load(asked["text"])
        child = os.fork()
        if child == 0:
            code = play(asked)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
