"""A running simorg: orgs, WSGI application and listeners, started and stopped as one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import orjson

from simorg.config import ServerConfig
from simorg.control.context import Context
from simorg.org.catalogue import OrgCatalogue
from simorg.server import ca, compose
from simorg.server.listeners import Listener
from simorg.server.proxy import Proxy


class Server:
    """``Server(config).start()`` answers requests when it returns; ``stop()`` leaves nothing.

    Usable as a context manager. Raises ``OSError`` if a port is taken.
    """

    def __init__(self, config: ServerConfig) -> None:
        from simorg import access

        self.config = config
        self._temporary = None if config.state else Path(tempfile.mkdtemp(prefix="simorg-"))
        self.folder: Path = config.state or self._temporary or Path()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._listeners: list[Listener | Proxy] = []
        try:
            self.catalogue = OrgCatalogue(config, access.behaviour())
            self._bind()
        except BaseException:
            self.stop()
            raise

    def _bind(self) -> None:
        config = self.config
        self.http: int | None = None
        self.https: int | None = None
        self.proxy: int | None = None
        self.authority = ca.ensure(self.folder / "tls", config.host)
        app = compose.application(Context(self.catalogue, config, self.folder, self.info))
        if config.port is not None:
            plain = Listener(config.host, config.port, app, threads=config.threads)
            self._listeners.append(plain)
            self.http = plain.port
        if config.tls_port is not None:
            tls = Listener(
                config.host,
                config.tls_port,
                app,
                threads=config.threads,
                authority=self.authority,
            )
            self._listeners.append(tls)
            self.https = tls.port
            if config.proxy_port is not None:
                proxy = Proxy(config.host, config.proxy_port, (config.host, tls.port))
                self._listeners.append(proxy)
                self.proxy = proxy.port

    def start(self) -> Server:
        for listener in self._listeners:
            listener.start()
        if self.config.ready_file is not None:
            write_atomically(self.config.ready_file, orjson.dumps(self.info()))
        return self

    def stop(self) -> None:
        for listener in self._listeners:
            listener.stop()
        self._listeners.clear()
        catalogue = getattr(self, "catalogue", None)
        if catalogue is not None:
            catalogue.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        if self.config.ready_file is not None:
            self.config.ready_file.unlink(missing_ok=True)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def url(self, scheme: str = "http") -> str:
        """``http://127.0.0.1:8080``, or ``https://localhost:8443`` by ``scheme``."""
        port = self.http if scheme == "http" else self.https
        host = self.config.host
        if host in ("127.0.0.1", "0.0.0.0", "::1", "::") and scheme == "https":
            host = "localhost"
        elif ":" in host:
            host = f"[{host}]"
        return f"{scheme}://{host}:{port}"

    def info(self) -> dict[str, Any]:
        """The content of ``--ready-file``."""
        host = self.config.host
        return {
            "http": self.url("http") if self.http else None,
            "https": self.url("https") if self.https else None,
            "proxy": f"http://{host}:{self.proxy}" if self.proxy else None,
            "ca": str(self.authority.certificate),
            "pid": os.getpid(),
            "orgs": [{"id": org.id, "name": org.name} for org in self.catalogue.list()],
        }


def write_atomically(path: Path, content: bytes) -> None:
    """Readers of ``path`` see all of ``content`` or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
