"""``python -m simorg.soap.generate FOLDER``: write the WSDLs of every API served."""

from __future__ import annotations

import sys
from pathlib import Path

from simorg.soap.apis import APIS


def documents() -> dict[str, bytes]:
    """File name to content."""
    return {f"{api.name}.wsdl": api.wsdl() for api in APIS}


def main(folder: str) -> None:
    """Write the files of ``documents`` into a folder."""
    for name, content in documents().items():
        Path(folder, name).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
