// jsforce against an org of its own for every test. Start the server first: simorg serve
import assert from "node:assert/strict";
import { test } from "node:test";
import jsforce from "jsforce";
import { freshOrg } from "./org.mjs";

async function client(org, user, appName) {
  const app = org.app(appName);
  const connection = new jsforce.Connection({
    oauth2: { loginUrl: org.loginUrl, clientId: app.consumerKey, clientSecret: app.consumerSecret },
  });
  const { username, password } = org.user(user);
  await connection.authorize({ grant_type: "password", username, password });
  return connection;
}

test("it creates accounts", async (t) => {
  const org = await freshOrg(t);
  const connection = await client(org, "integration", "Approved Integration");
  const made = await connection.sobject("Account").create({ Name: "By jsforce" });
  assert.deepEqual(await org.query(`SELECT Name FROM Account WHERE Id = '${made.id}'`), [
    { Name: "By jsforce" },
  ]);
});

test("every test is alone", async (t) => {
  const org = await freshOrg(t);
  assert.deepEqual(await org.query("SELECT Id FROM Account WHERE Name = 'By jsforce'"), []);
});

test("API Access Control keeps a user out", async (t) => {
  const org = await freshOrg(t);
  await org.control("PATCH", "settings", { apiAccessControl: { adminApprovedUsersOnly: true } });
  await assert.rejects(client(org, "standard", "Self Service"), /not admin approved/);
});
