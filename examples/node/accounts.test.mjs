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

test("a call fails on purpose, and the journal has it", async (t) => {
  const org = await freshOrg(t);
  const connection = await client(org, "integration", "Approved Integration");
  await org.failNext({ error: "UNABLE_TO_LOCK_ROW" }, { operation: "sobject.create" });
  await assert.rejects(connection.sobject("Account").create({ Name: "Locked" }), {
    errorCode: "UNABLE_TO_LOCK_ROW",
  });
  await connection.sobject("Account").create({ Name: "Locked" });
  const calls = await org.requests({ operation: "sobject.create" });
  assert.deepEqual(calls.map((call) => call.status), [400, 201]);
});

test("two days later the session is over, and a snapshot brings it back", async (t) => {
  const org = await freshOrg(t);
  const connection = await client(org, "integration", "Approved Integration");
  await org.control("POST", "snapshots", { name: "before" });
  await org.control("PUT", "clock", { advance: 2 * 24 * 3600 });
  // jsforce would log in anew, but the password flow gives no refresh token
  await assert.rejects(connection.query("SELECT Id FROM Account"), /Unable to refresh session/);
  await org.control("POST", "snapshots/before/restore");
  assert.ok((await connection.query("SELECT Id FROM Account")).totalSize > 0);
});
