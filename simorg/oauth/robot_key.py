"""JWT Robot's key pair: made at first need, one per server, certificate on every org's app.

The app asks for it in its configuration (``generatedCertificate: true`` in simorg_Config).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import rows
from simorg.oauth import keys, server_keys

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

#: the default definition's app, also without the configuration key
CONSUMER_KEY = "3MVG9simorgJwtRobot"


def private_pem(catalogue: OrgCatalogue) -> bytes:
    """The private key, PKCS#8 PEM: what ``GET /_simorg/jwt-robot.pem`` serves."""
    return server_keys.private_pem(catalogue, server_keys.ROBOT)


def certificate_of(catalogue: OrgCatalogue, org: Org, app: App) -> str | None:
    """The app's certificate; JWT Robot's is put on the app the first time it is asked for."""
    if app.certificate or not _generated(app):
        return app.certificate
    certificate = keys.self_signed_certificate(private_pem(catalogue), app.name)
    with org.store.writing() as tx:
        rows.change(
            org,
            tx,
            "ConnectedApplication",
            {"simorg_Certificate": certificate},
            where="Id",
            equals=app.id,
        )
        tx.touch_access()
    return certificate


def _generated(app: App) -> bool:
    return bool(app.config.get("generatedCertificate", app.consumer_key == CONSUMER_KEY))
