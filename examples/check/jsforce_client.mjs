// jsforce as a client of `simorg check`: the library as its documentation shows it.
//
//     simorg check --client "node jsforce_client.mjs"
//
// What is retried, and what is not, is the library's choice; this file adds nothing to it.
import { createSign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import jsforce from "jsforce";

const SKIP = 77;
const given = process.env;

function skip(why) {
  console.log(why);
  process.exit(SKIP);
}

/** jsforce signs nothing itself; any JWT library would do. */
function assertion() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: given.SIMORG_CLIENT_ID,
    sub: given.SIMORG_USERNAME,
    aud: "https://login.salesforce.com",
    exp: Math.floor(Date.now() / 1000) + 120,
  };
  const text = `${part({ alg: "RS256" })}.${part(claims)}`;
  const key = readFileSync(given.SIMORG_JWT_KEY);
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}

const app = () => ({
  loginUrl: given.SIMORG_HTTP,
  clientId: given.SIMORG_CLIENT_ID,
  clientSecret: given.SIMORG_CLIENT_SECRET,
  redirectUri: "http://localhost/callback",
});

async function connect() {
  const { SIMORG_LOGIN: kind, SIMORG_INSTANCE_URL: instanceUrl } = given;
  if (kind === "session") {
    return new jsforce.Connection({ instanceUrl, accessToken: given.SIMORG_ACCESS_TOKEN });
  }
  if (kind === "refresh") {
    return new jsforce.Connection({
      oauth2: app(),
      instanceUrl,
      accessToken: given.SIMORG_ACCESS_TOKEN,
      refreshToken: given.SIMORG_REFRESH_TOKEN,
    });
  }
  if (kind === "soap") {
    const conn = new jsforce.Connection({ loginUrl: given.SIMORG_HTTP });
    await conn.login(given.SIMORG_USERNAME, given.SIMORG_PASSWORD);
    return conn;
  }
  if (kind === "password") {
    const conn = new jsforce.Connection({ oauth2: app() });
    await conn.login(given.SIMORG_USERNAME, given.SIMORG_PASSWORD);
    return conn;
  }
  if (kind === "jwt") {
    const conn = new jsforce.Connection({ oauth2: app() });
    await conn.authorize({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: assertion(),
    });
    return conn;
  }
  return skip(`jsforce has no login by ${kind}`);
}

async function query(conn) {
  // its SOAP API has no query; any call will do
  if (given.SIMORG_API === "soap") return console.log(await conn.soap.getServerTimestamp());
  for (const record of (await conn.query(given.SIMORG_SOQL)).records) console.log(record.Name);
}

const tasks = {
  login: () => {},
  query,
  "query-twice": async (conn) => {
    await query(conn);
    console.log("simorg: next");
    await once(process.stdin, "data");
    await query(conn);
  },
  create: async (conn) => {
    console.log((await conn.sobject("Account").create({ Name: given.SIMORG_RECORD_NAME })).id);
  },
  update: (conn) =>
    conn.sobject("Account").update({ Id: given.SIMORG_RECORD_ID, Description: "changed" }),
};

const task = tasks[given.SIMORG_TASK];
if (!task) skip(`jsforce reads fields; ${given.SIMORG_TASK} is its user's business`);
try {
  await task(await connect());
  process.exit(0);
} catch (error) {
  console.error(`${error.errorCode ?? error.name}: ${error.message}`);
  process.exit(1);
}
