// jsforce 3: login, query with autoFetch, insert, update, upsert, destroy, describe, refusals.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { SIMORG_HTTP, SIMORG_USER, SIMORG_PASSWORD } = process.env;
const conn = new jsforce.Connection({ loginUrl: SIMORG_HTTP });
const info = await conn.login(SIMORG_USER, SIMORG_PASSWORD);
assert.match(info.organizationId, /^00D\w{15}$/);

const many = Array.from({ length: 450 }, (_, i) => ({ LastName: `Fetched ${i}` }));
const saved = [];
for (let i = 0; i < many.length; i += 200) {
  saved.push(...(await conn.sobject("Contact").create(many.slice(i, i + 200))));
}
assert.ok(saved.every((r) => r.success), JSON.stringify(saved.find((r) => !r.success)));
let seen = 0;
await new Promise((resolve, reject) => {
  conn
    .query("SELECT Id FROM Contact WHERE LastName LIKE 'Fetched %'")
    .on("record", () => (seen += 1))
    .on("end", resolve)
    .on("error", reject)
    .run({ autoFetch: true, maxFetch: 4000, headers: { "Sforce-Query-Options": "batchSize=200" } });
});
assert.equal(seen, 450);

const account = conn.sobject("Account");
const made = await account.create({ Name: "By jsforce" });
assert.equal(made.success, true);
await account.update({ Id: made.id, Name: "By jsforce, changed" });
assert.equal((await account.retrieve(made.id)).Name, "By jsforce, changed");

const first = await conn.sobject("Upserted__c").upsert({ Name: "One", Key__c: "k1" }, "Key__c");
assert.equal(first.success, true);
const again = await conn.sobject("Upserted__c").upsert({ Name: "Two", Key__c: "k1" }, "Key__c");
assert.equal(again.id, first.id);
assert.equal((await conn.query("SELECT Name FROM Upserted__c")).records[0].Name, "Two");

const described = await account.describe();
assert.equal(described.keyPrefix, "001");
assert.ok(described.fields.some((f) => f.name === "Name" && !f.nillable));
assert.ok((await conn.describeGlobal()).sobjects.length > 1000);

assert.equal((await account.destroy(made.id)).success, true);
await assert.rejects(account.retrieve(made.id), { errorCode: /NOT_FOUND|ENTITY_IS_DELETED/ });
await assert.rejects(account.create({ Nmae: "x" }), { errorCode: "INVALID_FIELD" });
await assert.rejects(conn.query("SELECT Id FORM Account"), { errorCode: "MALFORMED_QUERY" });

// SOAP through jsforce's own writer
const stamp = await conn.soap.getServerTimestamp();
assert.ok(stamp.timestamp);
const soaped = await conn.soap.create({ type: "Account", Name: "By jsforce SOAP" });
assert.equal(String(soaped.success), "true");
await conn.logout();
console.log("ok");
