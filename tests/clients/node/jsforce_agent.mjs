// jsforce for a test that goes on: logs in by the username-password flow of a connected app, then
// answers each line of input ("rest" or "soap") with one line of JSON: what the call brought.
import readline from "node:readline";
import jsforce from "jsforce";

const { SIMORG_LOGIN_URL, SIMORG_USER, SIMORG_PASSWORD, SIMORG_CLIENT, SIMORG_SECRET } = process.env;
const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const failure = (error) => ({ ok: false, code: error.errorCode ?? error.name, message: error.message });

const conn = new jsforce.Connection({
  loginUrl: SIMORG_LOGIN_URL,
  oauth2: { loginUrl: SIMORG_LOGIN_URL, clientId: SIMORG_CLIENT, clientSecret: SIMORG_SECRET },
});
try {
  await conn.login(SIMORG_USER, SIMORG_PASSWORD);
  tell({ ok: true });
} catch (error) {
  tell(failure(error));
}
const calls = {
  rest: async () => (await conn.query("SELECT Id FROM Organization")).totalSize,
  soap: async () => (await conn.soap.getServerTimestamp()).timestamp,
};
for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    tell({ ok: true, value: await calls[line.trim()]() });
  } catch (error) {
    tell(failure(error));
  }
}
