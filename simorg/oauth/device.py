"""Device flow: a device asks for codes, a person approves them elsewhere, the device polls.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_device_flow.htm
Both requests go to the token endpoint: ``response_type=device_code``, then ``grant_type=device``
with the device code as ``code``. Errors of polling: RFC 8628, 3.5.
"""

from __future__ import annotations

from simorg.access import directory
from simorg.access.model import Flow
from simorg.errors import OAuthError
from simorg.oauth import approvals, device_codes, issue, places, policies, scopes, secrets
from simorg.oauth.device_codes import DeviceCode
from simorg.oauth.machinery import Answer, Grant, TokenRequest
from simorg.org.org import Org

RESPONSE_TYPE = "device_code"
#: the verification page
CONNECT_PATH = "/setup/connect"


def invalid() -> OAuthError:
    """A device code nobody was given, or another client's."""
    return OAuthError("invalid_grant", "invalid device code")


def expired() -> OAuthError:
    """Used before, or older than ten minutes."""
    return OAuthError("invalid_grant", "expired device code")


def check_enabled(app: directory.App) -> None:
    """The app allows the flow (``isDeviceFlowEnabled``)."""
    if not policies.policy(app).device_flow:
        raise OAuthError("oauth_flow_disabled", "oauth flow is disabled")


class DeviceCodeRequest(Grant):
    """``response_type=device_code``: the first request, which names no grant type."""

    GRANT_TYPE = RESPONSE_TYPE
    granted: tuple[str, ...]
    org: Org

    @classmethod
    def check_token_endpoint(cls, request: TokenRequest) -> bool:
        """Chosen by the response type."""
        call = request.call
        return not call.get("grant_type") and call.get("response_type") == RESPONSE_TYPE

    def validate_token_request(self) -> None:
        call = self.call
        key = call.client_id or call.require("client_id")
        self.org = places.org_of_client(call, key)
        app = places.find_app(call, self.org, key)
        places.check_secret(app, call.client_secret, required=False)
        check_enabled(app)
        self.granted = scopes.grant(call.get("scope"), app.scopes)

    def create_token_response(self) -> Answer:
        text, code = device_codes.create(self.org, self.call.client_id, self.granted)
        return issue.answer(
            {
                "device_code": text,
                "user_code": code.user_code,
                "verification_uri": self.call.base_url + CONNECT_PATH,
                "interval": code.interval,
            }
        )


class DeviceGrant(Grant):
    """``grant_type=device``: a poll."""

    GRANT_TYPE = "device"
    home: Org
    key: str
    login: issue.Login

    def validate_token_request(self) -> None:
        call = self.call
        text = call.require("code")
        org = places.org_of_secret(call, device_codes.MARK, text)
        if org is None:
            places.org_of_client(call, call.client_id)
            raise invalid()
        app = places.find_app(call, org, call.client_id)
        places.check_secret(app, call.client_secret, required=False)
        check_enabled(app)
        self.home, self.key = org, secrets.digest(text)
        with org.store.writing():
            code = device_codes.by_key(org, self.key)
            refusal = self._judge(code)
        if code is not None and code.state == device_codes.SPENT:
            self._take_back(code)
        if refusal is not None:
            raise refusal

    def _judge(self, code: DeviceCode | None) -> OAuthError | None:
        """What a poll is refused with; None once somebody approved the code."""
        if code is None or code.consumer_key != self.call.client_id:
            return invalid()
        if code.state == device_codes.SPENT or code.expired(self.home):
            return expired()
        if code.state == device_codes.DENIED:
            return OAuthError("access_denied", "end-user denied authorization")
        if code.state == device_codes.PENDING:
            if device_codes.too_fast(self.home, self.key, code):
                return OAuthError("slow_down", "polling too frequently")
            return OAuthError("authorization_pending", "end-user has not authorized yet")
        return self._find_login(code)

    def _find_login(self, code: DeviceCode) -> OAuthError | None:
        org = self.call.catalogue.living(code.org_id or "")
        app = places.app_of(org, code.consumer_key) if org is not None else None
        person = directory.person(org, code.user_id or "") if org is not None else None
        if org is None or app is None or person is None:
            return invalid()
        self.login = issue.Login(
            self.call, org, app, person, Flow.DEVICE, high_assurance=code.high_assurance
        )
        return None

    def _take_back(self, code: DeviceCode) -> None:
        """A code that comes again takes away what it gave, as an authorization code does."""
        org = self.call.catalogue.living(code.org_id or "")
        if org is not None and code.approval:
            approvals.revoke(org, code.approval)

    def create_token_response(self) -> Answer:
        login = self.login
        with issue.recorded(login):
            code = self._claim()
            try:
                with login.org.store.writing():
                    issue.admit(login)
                    issued = issue.with_approval(login, code.scopes, self.key)
            except OAuthError:
                self._change(code, device_codes.APPROVED)
                raise
            self._change(code, device_codes.SPENT, issued.approval_key)
        return issue.answer(issue.body(login, issued))

    def _claim(self) -> DeviceCode:
        """Of two polls that find the code approved only one gets it."""
        with self.home.store.writing():
            code = device_codes.by_key(self.home, self.key)
            if code is None or code.state != device_codes.APPROVED:
                raise expired()
            self._change(code, device_codes.SPENT)
        return code

    def _change(self, code: DeviceCode, state: str, approval: str | None = None) -> None:
        code.state, code.approval = state, approval
        device_codes.keep(self.home, self.key, code)
