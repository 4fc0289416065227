// Sign in with an API key. The key is sent once and kept nowhere in the browser.

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
const key = h("input", { id: "key", type: "password", autocomplete: "off", required: true, maxlength: 1024, autofocus: true });
const button = h("button", { class: "main" }, say("signin.enter"));

async function enter(event) {
  event.preventDefault();
  button.disabled = true;
  try {
    await ask("/v1/session", { method: "POST", json: { key: key.value.trim() } });
    after();
  } catch (error) {
    const told = { UNAUTHENTICATED: "signin.wrong", RATE_LIMITED: "signin.wait" }[error.code];
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
    h("label", { for: "key" }, say("signin.key")),
    key,
    button,
    said,
    h("p", { class: "quiet" }, say("signin.where"), " ", h("code", {}, "ppe key create NAME --scope operate")),
  ),
);
key.focus();
