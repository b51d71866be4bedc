"""A client that does what seems right: any refusal is an old session, any failure passes by itself.

    simorg check --client "python examples/check/naive_client.py"

Each of its habits is one that real clients had. Compare `simorg/scenarios/reference.py`.
"""

import os
import re
import sys
import time

import requests

TRIES = 6
SOAP = "/services/Soap/u/62.0"
ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com"><e:Header>{}</e:Header><e:Body>{}</e:Body></e:Envelope>'
)


class GaveUp(Exception):
    pass


class Naive:
    def __init__(self, given):
        self.given = given
        self.http = requests.Session()
        self.http.trust_env = False
        self.token = given.get("SIMORG_ACCESS_TOKEN")
        self.url = given["SIMORG_HTTP"]
        self.signed = None

    # -- logging in: the server may be busy, so it tries again -----------------------------------

    def log_in(self):
        for _ in range(TRIES):
            answer = self.soap_login() if self.given["SIMORG_LOGIN"] == "soap" else self.oauth()
            if answer.ok:
                return
        raise GaveUp("login failed")

    def oauth(self):
        given = self.given
        app = {
            "client_id": given.get("SIMORG_CLIENT_ID"),
            "client_secret": given.get("SIMORG_CLIENT_SECRET"),
        }
        kind = given["SIMORG_LOGIN"]
        if kind == "device":
            return self.device(app["client_id"])
        if kind == "jwt":
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": self.assertion(),
            }
        elif kind == "refresh":
            refresh = given["SIMORG_REFRESH_TOKEN"]
            form = {**app, "grant_type": "refresh_token", "refresh_token": refresh}
        else:
            user = {"username": given["SIMORG_USERNAME"], "password": given["SIMORG_PASSWORD"]}
            form = {**app, **user, "grant_type": "password"}
        answer = self.http.post(f"{self.url}/services/oauth2/token", data=form)
        if answer.ok:
            self.token = answer.json()["access_token"]
        return answer

    def device(self, client_id):
        """A new code each time, and no pause: the last one did not work."""
        url = f"{self.given['SIMORG_MY_DOMAIN']}/services/oauth2/token"
        way = {"proxies": {"https": self.given["SIMORG_PROXY"]}, "verify": self.given["SIMORG_CA"]}
        form = {"client_id": client_id, "response_type": "device_code"}
        code = self.http.post(url, data=form, **way).json()["device_code"]
        form = {"client_id": client_id, "grant_type": "device", "code": code}
        return self.http.post(url, data=form, **way)

    def assertion(self):
        """Signed once: the server can only have been busy."""
        import jwt  # PyJWT

        if self.signed is not None:
            return self.signed
        claims = {
            "iss": self.given["SIMORG_CLIENT_ID"],
            "sub": self.given["SIMORG_USERNAME"],
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 120,
        }
        with open(self.given["SIMORG_JWT_KEY"]) as key:
            self.signed = jwt.encode(claims, key.read(), "RS256")
        return self.signed

    def soap_login(self):
        name, password = self.given["SIMORG_USERNAME"], self.given["SIMORG_PASSWORD"]
        body = f"<login><username>{name}</username><password>{password}</password></login>"
        answer = self.soap(body)
        if answer.ok:
            self.token = re.search("<sessionId>(.*?)</sessionId>", answer.text)[1]
        return answer

    def soap(self, body, header=""):
        return self.http.post(
            self.url + SOAP,
            data=ENVELOPE.format(header, body),
            headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        )

    # -- calls: whatever goes wrong, a new session and another try -------------------------------

    def call(self, do):
        if self.token is None:
            self.log_in()
        for _ in range(TRIES):
            try:
                answer = do()
            except requests.ConnectionError:
                continue
            if answer.ok:
                return answer
            if answer.status_code in (401, 403) or "INVALID_SESSION_ID" in answer.text:
                if self.given["SIMORG_LOGIN"] != "session":
                    self.log_in()
        raise GaveUp("session expired")

    def rest(self, method, path, **more):
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/services/data/v62.0/{path}"
        return self.http.request(method, url, headers=headers, **more)

    def query(self, soql):
        if self.given["SIMORG_API"] == "soap":
            body = f"<query><queryString>{soql}</queryString></query>"

            def ask():
                session = f"<SessionHeader><sessionId>{self.token}</sessionId></SessionHeader>"
                return self.soap(body, session)

            return [
                {"Name": name} for name in re.findall("<Name>(.*?)</Name>", self.call(ask).text)
            ]
        return self.call(lambda: self.rest("GET", "query", params={"q": soql})).json()["records"]


def run(naive, given, say, wait):
    task, soql = given["SIMORG_TASK"], given["SIMORG_SOQL"]
    if task == "login":
        naive.log_in()
    elif task in ("query", "query-twice"):
        for again in range(2 if task == "query-twice" else 1):
            if again:
                wait()
            for record in naive.query(soql):
                say(record["Name"])
    elif task == "create":
        account = {"Name": given["SIMORG_RECORD_NAME"]}
        say(naive.call(lambda: naive.rest("POST", "sobjects/Account", json=account)).json()["id"])
    elif task == "update":
        path, change = f"sobjects/Account/{given['SIMORG_RECORD_ID']}", {"Description": "changed"}
        naive.call(lambda: naive.rest("PATCH", path, json=change))
    elif task == "read-policy":
        field = "OptionsAllowAdminApprovedUsersOnly"
        for app in naive.query(f"SELECT Name, {field} FROM ConnectedApplication"):
            say(f"{app['Name']}: {'admin-approved' if app[field] else 'self-authorize'}")


def main(given, say, wait):
    naive = Naive(given)
    try:
        run(naive, given, say, wait)
    except GaveUp as error:
        say(str(error))
        return 1
    finally:
        naive.http.close()
    return 0


def wait_for_a_line():
    print("simorg: next", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main(os.environ, print, wait_for_a_line))
