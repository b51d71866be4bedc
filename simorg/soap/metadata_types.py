"""The Metadata API's types needed for readMetadata and updateMetadata of the settings served.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedappsettings.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_sitesettings.htm
"""

from __future__ import annotations

from simorg.soap.declare import Namespace

METADATA_URI = "http://soap.sforce.com/2006/04/metadata"

metadata = Namespace(METADATA_URI)
metadata.text("StatusCode")
metadata.type("Metadata", "fullName:string?", as_element=True)
metadata.type(
    "ConnectedAppSettings",
    "enableAdminApprovedAppsOnly:boolean? enableAdminApprovedAppsOnlyForExternalUser:boolean?"
    " enableSkipUserProvisioningWizardWelcomePage:boolean?",
    base="Metadata",
)
metadata.type(
    "SiteSettings",
    "enableProxyLoginICHeader:boolean? enableTopicsInSites:boolean?"
    " enableVisualforceApiAccessAllowed:boolean?",
    base="Metadata",
)
metadata.type("ReadResult", "records:Metadata*")
metadata.type("Error", "fields:string* message:string statusCode:StatusCode")
metadata.type("SaveResult", "errors:Error* fullName:string success:boolean")
metadata.type("AllOrNoneHeader", "allOrNone:boolean")
metadata.type("CallOptions", "client:string")
metadata.type("SessionHeader", "sessionId:string")
