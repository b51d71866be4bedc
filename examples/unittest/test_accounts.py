"""simorg without pytest: a server for the module, an org for every test."""

import unittest

import requests
from simple_salesforce import Salesforce

import simorg.testing

server: simorg.testing.Simorg


def setUpModule() -> None:
    global server
    server = simorg.testing.start()
    unittest.addModuleCleanup(server.close)


class Accounts(unittest.TestCase):
    def setUp(self) -> None:
        self.org = self.enterContext(server.create())

    def client(self, user: str) -> Salesforce:
        """The client under test, logged in through an app."""
        session = self.org.login(user, app="Approved Integration", flow="password")
        http = self.enterContext(requests.Session())
        http.trust_env = False  # else REQUESTS_CA_BUNDLE would come first
        http.verify = self.org.ca  # simple-salesforce speaks HTTPS only
        return Salesforce(
            instance_url=self.org.https, session_id=session.access_token, session=http
        )

    def test_it_creates(self) -> None:
        self.client("integration").Account.create({"Name": "Made"})
        self.assertEqual(
            self.org.query("SELECT COUNT(Id) n FROM Account WHERE Name = 'Made'"), [{"n": 1}]
        )

    def test_it_is_alone(self) -> None:
        self.assertEqual(self.org.query("SELECT Id FROM Account WHERE Name = 'Made'"), [])

    def test_a_frozen_user(self) -> None:
        self.org.user("integration").freeze()
        with self.assertRaises(simorg.testing.LoginRefused):
            self.client("integration")


if __name__ == "__main__":
    unittest.main()
