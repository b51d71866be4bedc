// API Access Control as jsforce meets it: refused on the next call, and no refresh loop.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { SIMORG_HTTP, SIMORG_USER, SIMORG_PASSWORD, SIMORG_ORG } = process.env;
const prefer = (on) =>
  fetch(`${SIMORG_HTTP}/_simorg/orgs/${SIMORG_ORG}/settings`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ apiAccessControl: { adminApprovedUsersOnly: on } }),
  }).then((r) => assert.equal(r.status, 200));

const conn = new jsforce.Connection({ loginUrl: SIMORG_HTTP });
await conn.login(SIMORG_USER, SIMORG_PASSWORD);
await conn.query("SELECT Id FROM Account LIMIT 1");
await prefer(true);
await assert.rejects(conn.query("SELECT Id FROM Account LIMIT 1"), (error) => {
  assert.equal(error.errorCode, "INVALID_SESSION_ID");
  assert.match(error.message, /not valid for use with the REST API/);
  return true;
});
// over SOAP jsforce takes any INVALID_SESSION_ID for expiry and logs in again and again, until the
// login rate is exceeded; a connection that cannot refresh shows the fault itself
const bare = new jsforce.Connection({
  instanceUrl: conn.instanceUrl,
  accessToken: conn.accessToken,
});
await assert.rejects(bare.soap.getServerTimestamp(), /not valid for use with the API/);
await prefer(false);
await conn.query("SELECT Id FROM Account LIMIT 1");
console.log("ok");
