// What every page has: links to the others, who is signed in, the language and the colours.

import { ask, toSignIn, who } from "./ask.js";
import { complain, fill, h } from "./parts.js";
import { changePassword } from "./password.js";
import { name, say } from "./words.js";

const YEAR = 31536000;
const keep = (what, value) => {
  document.cookie = `${what}=${value}; path=/; max-age=${YEAR}; samesite=lax`;
};

/** Set the page up; give the session, or never come back where this page is not for who is signed in. */
export async function opened() {
  choices();
  const page = document.body.dataset.page;
  let session = null;
  while (session === null) {
    session = await who().catch(() => null);
    if (session === null) {
      fill(document.getElementById("main"), h("p", { class: "note", role: "alert" }, say("lost")));
      await new Promise((again) => setTimeout(again, 2000));
    }
  }
  if (page === "signin") return session;
  if (!session.signed_in) {
    toSignIn();
    return new Promise(() => {});
  }
  links(session);
  fill(document.querySelector(".who"), ...identity(session));
  const here = document.querySelector("nav a[aria-current]");
  if (here?.hidden) {
    const other = document.querySelector("nav a:not([hidden])");
    if (other) location.replace(other.href);
    else fill(document.getElementById("main"), h("p", { class: "note" }, say("nothing_allowed")));
    return new Promise(() => {});
  }
  fill(document.getElementById("main"));
  return session;
}

function links({ needed, watching, scopes }) {
  const sees = watching && scopes.includes("read");
  const admin = needed && scopes.includes("admin");
  const holds = { admin, watching: sees, "setting-up": sees && scopes.includes("admin"), detect: scopes.includes("detect") };
  for (const link of document.querySelectorAll("nav a")) link.hidden = !holds[link.dataset.needs];
}

function identity(session) {
  if (!session.needed) return [h("span", { class: "quiet" }, say("open"))];
  const out = async () => {
    await ask("/v1/session", { method: "DELETE" });
    location.assign("/screen/signin");
  };
  const known = `${session.name} (${name("role", session.role ?? "none")})`;
  return [
    session.user
      ? h("button", { type: "button", id: "me", title: say("password.title"), onclick: () => changePassword() }, known)
      : h("span", { class: "quiet" }, known),
    h("button", { type: "button", onclick: () => out().catch(complain) }, say("signout")),
  ];
}

function choices() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      keep("ppe_language", button.dataset.language);
      location.reload();
    });
  }
  document.querySelector("[data-theme-switch]").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep("ppe_theme", root.dataset.theme);
  });
}
