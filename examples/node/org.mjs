// An org per test, by the control API: http://127.0.0.1:8080/_simorg/openapi.json tells the rest.
const HTTP = process.env.SIMORG_HTTP ?? "http://127.0.0.1:8080";

async function control(method, path, body) {
  const answer = await fetch(`${HTTP}/_simorg/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const told = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(`${told.error.code}: ${told.error.message}`);
  return told;
}

/** A fresh org; it is deleted when the test `t` ends. */
export async function freshOrg(t) {
  const org = await control("POST", "orgs", {});
  t.after(() => control("DELETE", `orgs/${org.id}`));
  const below = (method, path, body) => control(method, `orgs/${org.id}/${path}`, body);
  return {
    id: org.id,
    loginUrl: HTTP,
    user: (name) => org.users.find((user) => user.username.startsWith(`${name}@`)),
    app: (name) => org.connectedApps.find((app) => app.name === name),
    control: below,
    create: async (type, fields) => (await below("POST", "records", { type, fields })).id,
    failNext: (answer, match = {}) =>
      control("POST", "faults", { match: { ...match, org: org.id }, calls: { times: 1 }, answer }),
    requests: async (filter) =>
      (await control("GET", `requests?${new URLSearchParams({ ...filter, org: org.id })}`)).requests,
    query: async (soql) => (await below("POST", "query", { soql })).records,
  };
}
