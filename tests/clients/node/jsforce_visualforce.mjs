// A page's session as jsforce uses it: from the page's own host, and handed to a client outside.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { SIMORG_HTTP, SIMORG_PROXY, SIMORG_USER, SIMORG_ORG, SIMORG_MY_DOMAIN } = process.env;
const control = async (method, path, body) => {
  const answer = await fetch(`${SIMORG_HTTP}/_simorg/orgs/${SIMORG_ORG}/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
};
const prefer = (preference) => control("PATCH", "settings", { apiAccessControl: preference });
const session = async (context) =>
  (await control("POST", "sessions", { user: SIMORG_USER, context })).sessionId;
const page = async (context = "page") =>
  new jsforce.Connection({
    instanceUrl: `https://${SIMORG_MY_DOMAIN}--c.vf.force.com`,
    accessToken: await session(context),
    httpProxy: SIMORG_PROXY,
  });
const outside = async () =>
  new jsforce.Connection({ instanceUrl: SIMORG_HTTP, accessToken: await session("external") });

const works = async (conn) => {
  assert.equal((await conn.query("SELECT Id FROM Organization")).totalSize, 1);
  assert.ok((await conn.soap.getServerTimestamp()).timestamp);
};
const refused = async (conn) => {
  await assert.rejects(conn.query("SELECT Id FROM Organization"), (error) => {
    assert.equal(error.errorCode, "INVALID_SESSION_ID");
    assert.match(error.message, /not valid for use with the REST API/);
    return true;
  });
  await assert.rejects(conn.soap.getServerTimestamp(), /not valid for use with the API/);
};

await works(await page());
await works(await outside());
await refused(await page("lightning"));
await prefer({ adminApprovedUsersOnly: true });
await refused(await page());
await refused(await outside());
await prefer({ visualforceAllowed: true });
await works(await page());
await refused(await outside());
await refused(await page("lightning"));
await prefer({ visualforceOrigin: "session" });
await works(await outside());
console.log("ok");
