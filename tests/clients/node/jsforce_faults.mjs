// Faults as jsforce meets them: error codes, retries, a connection that is lost after the work.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { SIMORG_HTTP, SIMORG_USER, SIMORG_PASSWORD, SIMORG_ORG } = process.env;
const control = async (method, path, body) => {
  const answer = await fetch(`${SIMORG_HTTP}/_simorg/${path}`, {
    method,
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, path);
  return answer.status === 204 ? null : answer.json();
};
const fault = (answer, calls = { times: 1 }, match = {}) =>
  control("POST", "faults", { match: { org: SIMORG_ORG, ...match }, calls, answer });

const conn = new jsforce.Connection({ loginUrl: SIMORG_HTTP });
await conn.login(SIMORG_USER, SIMORG_PASSWORD);

// an error's code, as Salesforce words it
await fault({ error: "REQUEST_LIMIT_EXCEEDED" }, { times: 1 }, { operation: "query" });
await assert.rejects(conn.query("SELECT Id FROM Account"), {
  errorCode: "REQUEST_LIMIT_EXCEEDED",
  message: "TotalRequests Limit exceeded.",
});

// one of three records is locked
await fault({ error: "rowLock", records: [1] }, { times: 1 }, { operation: "collection.create" });
const saved = await conn.sobject("Account").create([{ Name: "a" }, { Name: "b" }, { Name: "c" }]);
assert.deepEqual(saved.map((one) => one.success), [true, false, true]);
assert.equal(saved[1].errors[0].statusCode, "UNABLE_TO_LOCK_ROW");

// a session that expires on the way: jsforce logs in again by itself and repeats the call
const renewed = await fault({ error: "sessionExpired" }, { times: 1 }, { operation: "query" });
conn.on("refresh", () => {
  conn.refreshed = true;
});
assert.ok((await conn.query("SELECT Id FROM Account LIMIT 1")).records.length);
assert.ok(conn.refreshed);
assert.equal((await control("GET", `faults/${renewed.id}`)).hits, 1);

// it repeats a GET that the server was too busy for, and never a POST
const busy = await fault({ error: "SERVER_UNAVAILABLE" }, { times: 1 });
assert.ok((await conn.sobject("Account").describe()).fields.length);
assert.equal((await control("GET", `faults/${busy.id}`)).hits, 1);
const lost = { drop: true, handled: true };
await fault(lost, { times: 1 }, { operation: "sobject.create" });
await assert.rejects(conn.sobject("Account").create({ Name: "once" }));
const found = await conn.query("SELECT Id FROM Account WHERE Name = 'once'");
assert.equal(found.totalSize, 1);

// SOAP
await fault({ error: "SERVER_UNAVAILABLE" }, { times: 1 }, { operation: "getServerTimestamp" });
await assert.rejects(conn.soap.getServerTimestamp(), /Server too busy/);
assert.deepEqual(
  (await control("GET", `faults?org=${SIMORG_ORG}`)).faults.map((one) => one.remaining),
  [0, 0, 0, 0, 0, 0],
);
console.log("ok");
