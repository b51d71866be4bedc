// jsforce's OAuth2: prints the address for the browser, reads where the browser was sent.
import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";
import jsforce from "jsforce";

const { SIMORG_HTTP, SIMORG_USER, SIMORG_ORG } = process.env;
const oauth2 = new jsforce.OAuth2({
  loginUrl: SIMORG_HTTP,
  clientId: "3MVG9simorgSelfService",
  clientSecret: "secretSelfService",
  redirectUri: "http://localhost/callback",
  useVerifier: true,
});
console.log(oauth2.getAuthorizationUrl({ scope: "api refresh_token id", state: "s&1=ä" }));
const lines = createInterface({ input: process.stdin });
const back = new URL((await lines[Symbol.asyncIterator]().next()).value);
lines.close();
assert.equal(back.searchParams.get("state"), "s&1=ä");

const conn = new jsforce.Connection({ oauth2 });
const info = await conn.authorize(back.searchParams.get("code"));
assert.equal(info.organizationId, SIMORG_ORG);
assert.equal(conn.instanceUrl, SIMORG_HTTP);
assert.ok(conn.refreshToken);
assert.equal((await conn.identity()).username, SIMORG_USER);
await assert.rejects(conn.authorize(back.searchParams.get("code")), /expired authorization code/);

// the replay revoked what the code gave; start again from a token of the same kind
await assert.rejects(conn.query("SELECT Id FROM Account LIMIT 1"), /expired access\/refresh token/);
console.log(oauth2.getAuthorizationUrl({ scope: "api refresh_token id" }));
const again = createInterface({ input: process.stdin });
const second = new URL((await again[Symbol.asyncIterator]().next()).value);
again.close();
await conn.authorize(second.searchParams.get("code"));

// an ended session: jsforce refreshes and carries on
const old = conn.accessToken;
const refreshed = new Promise((resolve) => conn.on("refresh", resolve));
await new jsforce.OAuth2({ loginUrl: SIMORG_HTTP }).revokeToken(old);
assert.equal((await conn.query("SELECT Id FROM Account LIMIT 1")).totalSize, 1);
assert.notEqual(await refreshed, old);

const direct = await oauth2.refreshToken(conn.refreshToken);
assert.match(direct.access_token, /^00D\w{12}!/);
await oauth2.revokeToken(conn.refreshToken);
await assert.rejects(oauth2.refreshToken(conn.refreshToken), /expired access\/refresh token/);
await assert.rejects(conn.query("SELECT Id FROM Account LIMIT 1"), /expired access\/refresh token/);
console.log("ok");
process.exit(0);
