"use strict";
// The admin page: everything shown comes from the control API and is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const SHOWN = 200; // requests kept on the page
const SURFACES = ["rest", "soap", "metadata", "oauth", "visualforce", "setup", "bulk", "other"];
const ANSWERS = {
  "row lock": { error: "rowLock" },
  "request limit exceeded": { error: "requestLimit" },
  "session expired": { error: "sessionExpired" },
  "maintenance (503)": { error: "maintenance" },
  "server error": { error: "serverError" },
  "delay of 5 seconds": { delay: 5 },
  "connection dropped": { drop: true },
  "connection dropped after the work": { drop: true, handled: true },
};

// -- the server ---------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body, signal) {
  const headers = {};
  const token = sessionStorage.getItem("simorg token");
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/_simorg/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store", signal,
  });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, told.error?.message ?? `${answer.status} ${answer.statusText}`);
  }
  return answer.status === 204 ? null : answer;
}

const read = async (path, signal) => (await call("GET", path, undefined, signal)).json();
const inPath = encodeURIComponent;

function problem(error) {
  $("problem").hidden = error === null;
  $("problem").textContent = error === null ? "" : error.message;
  $("token").hidden = !(error instanceof Refused && error.status === 401);
}

/** What a button does: the page says what went wrong, and is drawn anew. */
function act(button, work) {
  button.addEventListener("click", async () => {
    try {
      await work();
      problem(null);
    } catch (error) {
      problem(error);
    }
    await redraw();
  });
  return button;
}

// -- drawing ------------------------------------------------------------------------------------

function make(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function row(...cells) {
  const made = make("tr");
  for (const cell of cells) {
    if (cell instanceof HTMLTableCellElement) made.append(cell);
    else {
      const td = make("td");
      td.append(cell ?? "");
      made.append(td);
    }
  }
  return made;
}

function button(text, label, work) {
  return act(make("button", text, { type: "button", "aria-label": label }), work);
}

function facts(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(make("dt", name), make("dd", value));
  }
  return list;
}

function table(caption, heads, rows) {
  const made = make("table");
  const head = make("tr");
  for (const text of heads) head.append(make("th", text, { scope: "col" }));
  made.append(make("caption", caption, { class: "hidden" }), make("thead"), make("tbody"));
  made.tHead.append(head);
  made.tBodies[0].append(...rows.map((cells) => row(...cells)));
  const wide = make("div", null, { class: "wide", tabindex: "0", role: "group", "aria-label": caption });
  wide.append(made);
  return wide;
}

const number = (value, more = "") => make("td", value, { class: `number ${more}` });
const clock = (text) => text.slice(11, 19);

/** Replace what an element holds unless it would be the same: a reader's place is not lost. */
function put(element, ...content) {
  const next = make("div");
  next.append(...content);
  if (element.dataset.shown === next.innerHTML) return;
  element.dataset.shown = next.innerHTML;
  element.replaceChildren(...next.childNodes);
}

// -- orgs ---------------------------------------------------------------------------------------

const chosen = () => $("choice").value;

async function drawOrgs() {
  const { orgs } = await read("orgs");
  const select = $("choice");
  const options = [make("option", "All orgs", { value: "" })];
  for (const org of orgs) {
    const alone = orgs.filter((other) => other.name === org.name).length === 1;
    options.push(make("option", alone ? org.name : `${org.name} (${org.id})`, { value: org.id }));
  }
  if ([...select.options].map((o) => o.value).join() !== options.map((o) => o.value).join()) {
    const before = select.value;
    select.replaceChildren(...options);
    select.value = orgs.some((org) => org.id === before) ? before : "";
  }
  if (part() !== "orgs") return;
  const rows = orgs.map((org) => {
    const actions = make("td", null, { class: "actions" });
    actions.append(
      button("Look", `Look at ${org.name}`, () => { select.value = org.id; }),
      button("Reset", `Reset ${org.name}`, () => call("POST", `orgs/${org.id}/reset`)),
    );
    if (org.id !== orgs[0].id) {
      actions.append(button("Delete", `Delete ${org.name}`, () => call("DELETE", `orgs/${org.id}`)));
    }
    return row(org.name, make("code", org.id), org.edition, actions);
  });
  put($("org-rows"), ...rows);
  await drawOrg(select.value);
}

async function drawOrg(id) {
  if (!id) return put($("org"));
  const [org, settings, apps] = await Promise.all([
    read(`orgs/${id}`), read(`orgs/${id}/settings`), read(`orgs/${id}/connected-apps`),
  ]);
  const on = settings.apiAccessControl.adminApprovedUsersOnly;
  const change = { apiAccessControl: { adminApprovedUsersOnly: !on } };
  const preference = make("p", `API Access Control is ${on ? "on" : "off"}. `);
  const verb = on ? "Switch it off" : "Switch it on";
  preference.append(button(verb, `${verb}: API Access Control`, () => call("PATCH", `orgs/${id}/settings`, change)));
  put($("org"),
    make("h2", org.name), facts([["HTTP", org.urls.http], ["HTTPS", org.urls.https],
      ["My Domain", org.urls.myDomain], ["Snapshots", org.snapshots.map((s) => s.name ?? s).join(", ")]]),
    preference,
    make("h2", "Users"),
    table("Users", ["Username", "Type", "Active", "Password"],
      org.users.map((u) => [u.username, u.userType, u.active ? "yes" : "no", u.password])),
    make("h2", "Connected apps"),
    table("Connected apps", ["Name", "State", "Stored policy", "Enforced", "API value", "API value, JWT"],
      apps.connectedApps.map((a) => [a.name, a.state, a.storedPolicy, a.uiPolicy, `${a.apiValue}`, `${a.apiValueForJwt}`])));
}

// -- requests -----------------------------------------------------------------------------------

let journal = { query: null, next: 0 };
let waiting = new AbortController();

function filter() {
  const asked = new URLSearchParams();
  if (chosen()) asked.set("org", chosen());
  for (const [name, value] of new FormData($("filter"))) if (value) asked.set(name, value);
  return asked;
}

/** Wait for requests that fit, for as long as this part is looked at. */
async function followRequests() {
  waiting.abort(); // one reader at a time, or entries would come twice
  waiting = new AbortController();
  const asked = filter();
  const query = asked.toString();
  if (journal.query !== query) {
    $("request-rows").replaceChildren();
    journal = { query, next: 0 };
    asked.set("limit", SHOWN);
  } else {
    asked.set("after", journal.next);
    asked.set("wait", 10);
  }
  const found = await read(`requests?${asked}`, waiting.signal);
  journal.next = Math.max(found.next, journal.next);
  const rows = $("request-rows");
  for (const entry of found.requests) rows.prepend(requestRow(entry));
  while (rows.rows.length > SHOWN) rows.rows[rows.rows.length - 1].remove();
  $("no-requests").hidden = rows.rows.length > 0;
}

function requestRow(entry) {
  const show = make("button", entry.number, { type: "button", "aria-label": `Request ${entry.number}` });
  show.addEventListener("click", () => drawRequest(entry.number).catch(problem));
  const path = make("td", null, { class: "path" });
  path.append(`${entry.method} `, make("code", entry.path));
  return row(show, clock(entry.started), `${entry.surface} ${entry.operation ?? ""}`, path,
    make("td", entry.user, { class: "user" }), entry.app, number(entry.status || "none", entry.status >= 400 || !entry.status ? "refused" : ""),
    entry.code, number(Math.round(entry.milliseconds)));
}

async function drawRequest(which) {
  const entry = await read(`requests/${which}`);
  const half = (title, head, side) => [
    make("h2", title), make("pre", [head, ...side.headers.map((h) => `${h.name}: ${h.value}`)].join("\n")),
    ...(side.body.text ? [make("h2", `${title}: body${side.body.truncated ? " (its beginning)" : ""}`), make("pre", pretty(side.body.text))] : []),
  ];
  put($("request"),
    make("h2", `Request ${entry.number}`, { tabindex: "-1" }),
    facts([["User", entry.user], ["App", entry.app], ["Flow", entry.flow], ["Session", entry.session],
      ["Error", entry.code], ["Fault", entry.fault],
      ["Deciding rule", entry.rule && `${entry.rule.id} ${entry.rule.passed ? "passed" : "refused"}: ${entry.rule.title}: ${entry.rule.reason}`],
      ["Client", entry.client], ["Id", entry.id]]),
    ...half("Request", `${entry.method} ${entry.url}`, entry.request),
    ...half("Answer", `${entry.status} ${entry.response.reason ?? ""}`, entry.response));
  $("request").querySelector("h2").focus();
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// -- faults -------------------------------------------------------------------------------------

const whose = () => (chosen() ? `?org=${inPath(chosen())}` : "");
const words = (value) => Object.entries(value ?? {}).map(([k, v]) => `${k} ${typeof v === "object" ? JSON.stringify(v) : v}`).join(", ");

async function drawFaults() {
  const { faults } = await read(`faults${whose()}`);
  put($("fault-rows"), ...faults.map((fault) => row(
    [words(fault.match) || "any", words(fault.calls)].filter(Boolean).join("; "), words(fault.answer),
    number(fault.seen), number(fault.hits), number(fault.remaining ?? "no end"),
    button("Remove", `Remove ${fault.id}`, () => call("DELETE", `faults/${fault.id}`)))));
}

async function addFault(event) {
  event.preventDefault();
  const match = {};
  for (const name of ["surface", "operation", "user"]) if ($(`x-${name}`).value) match[name] = $(`x-${name}`).value;
  if (chosen()) match.org = chosen();
  try {
    await call("POST", "faults", { match, calls: { times: Number($("x-times").value) || 1 }, answer: ANSWERS[$("x-answer").value] });
    problem(null);
  } catch (error) {
    problem(error);
  }
  await redraw();
}

// -- mail ---------------------------------------------------------------------------------------

async function drawMailbox() {
  const id = chosen() || "default";
  $("mail-of").textContent = chosen() ? "" : "Of the default org; choose another above.";
  const { messages } = await read(`orgs/${id}/mailbox`);
  put($("mail-rows"), ...messages.toReversed().map((mail) => {
    const show = make("button", mail.number, { type: "button", "aria-label": `Message ${mail.number}` });
    show.addEventListener("click", () => put($("mail"), make("h2", mail.subject, { tabindex: "-1" }),
      facts([["From", mail.from], ["To", mail.to.join(", ")]]), make("pre", mail.text ?? mail.html)));
    return row(show, clock(mail.sent), mail.to.join(", "), mail.subject);
  }));
}

// -- the life of the page -----------------------------------------------------------------------

const PARTS = { orgs: null, requests: followRequests, faults: drawFaults, mailbox: drawMailbox };
const part = () => (location.hash.slice(1) in PARTS ? location.hash.slice(1) : "orgs");

async function redraw() {
  for (const name of Object.keys(PARTS)) document.querySelector(`section#${name}`).hidden = name !== part();
  for (const link of document.querySelectorAll("nav a[href^='#']")) {
    if (link.hash === `#${part()}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    await drawOrgs();
    await PARTS[part()]?.();
    $("live").textContent = "live";
    if ($("problem").textContent === "" || !$("token").hidden) problem(null);
    return true;
  } catch (error) {
    if (error.name === "AbortError") return true;
    $("live").textContent = error instanceof Refused ? "refused" : "no answer from the server";
    if (error instanceof Refused) problem(error);
    return false;
  }
}

/** One loop draws; what is asked in between is drawn with its next turn at the latest. */
async function live() {
  for (;;) {
    const begun = performance.now();
    const well = document.visibilityState === "visible" && await redraw();
    const rest = (well ? 1000 : 2000) - (performance.now() - begun);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

for (const id of ["f-surface", "x-surface"]) $(id).append(...SURFACES.map((name) => make("option", name)));
$("x-answer").append(...Object.keys(ANSWERS).map((name) => make("option", name)));
$("filter").addEventListener("submit", (event) => { event.preventDefault(); redraw(); });
$("fault").addEventListener("submit", addFault);
$("token").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("simorg token", $("secret").value);
  $("secret").value = "";
  redraw();
});
$("choice").addEventListener("change", redraw);
window.addEventListener("hashchange", redraw);
act($("new-org"), () => call("POST", "orgs", {}));
act($("clear"), async () => { await call("DELETE", `requests?${filter()}`); journal.query = null; });
act($("no-faults"), () => call("DELETE", `faults${whose()}`));
act($("no-mail"), () => call("DELETE", `orgs/${chosen() || "default"}/mailbox`));
act($("har"), async () => {
  const file = await (await call("GET", `requests.har?${filter()}`)).blob();
  const link = make("a", null, { href: URL.createObjectURL(file), download: "simorg.har" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
read("openapi.json").then((told) => { $("version").textContent = told.info.version; }, () => {});
live();
