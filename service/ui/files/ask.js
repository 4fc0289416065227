// The API, asked as whoever is signed in at this browser.

let session = null;

/** The API's own words for what went wrong (RFC 9457). */
export class Problem extends Error {
  constructor(status, told) {
    super(told.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = told.code ?? "";
  }
}

/** Return who is signed in, and what they may. */
export async function who() {
  session = await (await fetch("/v1/session", { cache: "no-store" })).json();
  return session;
}

/** Tell whether a scope is among what may be done. */
export const may = (scope) => session !== null && session.scopes.includes(scope);

/** Ask; throw a Problem for what is no success. Whoever is signed in no more is sent to sign in. */
export async function ask(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const sent = { ...headers };
  if (json !== undefined) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  if (method !== "GET" && session?.csrf) sent["X-CSRF-Token"] = session.csrf;
  const answer = await fetch(path, { method, body, headers: sent, signal, cache: "no-store" });
  if (answer.ok || answer.status === 304) return answer;
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 && document.body.dataset.page !== "signin") toSignIn();
  throw new Problem(answer.status, told);
}

/** Ask for JSON. */
export const asked = async (path, options) => (await ask(path, options)).json();

/** Go and sign in, then come back here. */
export function toSignIn() {
  sessionStorage.setItem("after", location.pathname + location.hash);
  location.replace("/screen/signin");
}
