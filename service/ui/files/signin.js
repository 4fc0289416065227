// Sign in by name and password, or with an API key. They are sent once and kept nowhere in the browser.

import { ask } from "./ask.js";
import { opened } from "./frame.js";
import { badge, fill, h } from "./parts.js";
import { say } from "./words.js";

const session = await opened();
const after = () => {
  const wanted = sessionStorage.getItem("after") ?? "";
  sessionStorage.removeItem("after");
  location.replace(/^\/screen\/[a-z]/.test(wanted) ? wanted : "/screen/");
};
if (session.signed_in) after();

const said = h("p", { role: "alert" });
const user = h("input", { id: "name", autocomplete: "username", maxlength: 100, autofocus: true });
const key = h("input", { id: "key", type: "password", autocomplete: "current-password", required: true, maxlength: 1024 });
const button = h("button", { class: "main" }, say("signin.enter"));

async function enter(event) {
  event.preventDefault();
  button.disabled = true;
  try {
    const name = user.value.trim();
    if (name) await ask("/v1/session/user", { method: "POST", json: { name, password: key.value } });
    else await ask("/v1/session", { method: "POST", json: { key: key.value.trim() } });
    after();
  } catch (error) {
    const wrong = user.value.trim() ? "signin.wrong_password" : "signin.wrong";
    const told = { UNAUTHENTICATED: wrong, RATE_LIMITED: "signin.wait" }[error.code];
    fill(said, badge("bad", told ? say(told) : error.status ? error.message : say("lost")));
    button.disabled = false;
    key.select();
  }
}

fill(
  document.getElementById("main"),
  h(
    "form",
    { class: "card signin", onsubmit: enter },
    h("h1", {}, say("signin.title")),
    h("label", { for: "name" }, say("signin.name")),
    user,
    h("label", { for: "key" }, say("signin.password")),
    key,
    button,
    said,
    h("p", { class: "quiet" }, say("signin.by_key")),
    h("p", { class: "quiet" }, say("signin.where"), " ", h("code", {}, "ppe user create NAME --role operator")),
  ),
);
user.focus();
