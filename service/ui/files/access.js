// Who may come in: users with their passwords, and keys that programs send.

import { ask, asked } from "./ask.js";
import { opened } from "./frame.js";
import { askPassword, SHORTEST } from "./password.js";
import { badge, complain, fill, h, toast } from "./parts.js";
import { clock, name, say } from "./words.js";

const ROLES = ["viewer", "operator", "admin"];

const session = await opened();
const list = h("ul", { class: "entries" });
const wrong = h("p", { role: "alert" });
const field = (id, label, more) => h("label", {}, h("span", {}, label), h("input", { id, required: true, autocomplete: "off", ...more }));
const role = h("select", { id: "role" }, ROLES.map((one) => h("option", { value: one }, name("role", one))));
const form = h("form", { class: "card zone-form", onsubmit: (event) => { event.preventDefault(); add().catch(told); } },
  h("h2", {}, say("access.new")),
  field("name", say("signin.name"), { maxlength: 100 }),
  h("label", {}, h("span", {}, say("access.role")), role),
  h("p", { class: "quiet" }, say("access.roles")),
  field("password", say("access.first"), { type: "password", minlength: SHORTEST, maxlength: 256, autocomplete: "new-password" }),
  h("p", { class: "quiet" }, say("password.rule", { n: SHORTEST })),
  h("div", { class: "actions" }, h("button", { class: "main", id: "add" }, say("access.add"))), wrong);

fill(
  document.getElementById("main"),
  h("h1", {}, say("access.title")),
  h("p", { class: "quiet" }, say("access.says")),
  h("div", { class: "editor" },
    h("div", { class: "pane" }, list),
    h("div", { class: "pane" }, form)),
);

async function look() {
  const { keys } = await asked("/v1/keys");
  const standing = keys.filter((one) => one.revoked_at === null);
  fill(list, standing.map(row), standing.length ? null : h("li", { class: "note" }, say("access.nobody")));
}

function row(one) {
  const user = one.kind === "user";
  const may = user ? name("role", ROLES.find((known) => one.scopes.includes({ viewer: "read", operator: "operate", admin: "admin" }[known]))) : one.scopes.join(", ");
  const actions = [
    user ? h("button", { type: "button", onclick: () => change(one) }, say("access.password")) : null,
    h("button", { type: "button", "data-revoke": one.id, onclick: () => revoke(one).catch(complain) }, say("access.revoke")),
  ];
  const used = one.used_at ? say("access.used", { at: clock(one.used_at) }) : say("access.never");
  return h("li", { class: "card", "data-key": one.id },
    h("div", { class: "told" }, h("strong", {}, one.name), h("div", { class: "quiet" }, [say(`access.${one.kind}`), may, used].join(" · "))),
    h("div", { class: "actions" }, actions));
}

async function add() {
  fill(wrong);
  const [who, password] = ["name", "password"].map((id) => form.querySelector(`#${id}`));
  await ask("/v1/users", { method: "POST", json: { name: who.value.trim(), role: role.value, password: password.value } });
  toast(say("access.added", { name: who.value.trim() }));
  form.reset();
  await look();
}

const change = (user) => askPassword(say("access.other", { name: user.name }), false, (fresh) =>
  ask(`/v1/users/${user.id}/password`, { method: "PUT", json: { password: fresh } }));

async function revoke(one) {
  if (!confirm(say(one.name === session.name ? "access.sure_self" : "access.sure", { name: one.name }))) return;
  await ask(`/v1/keys/${one.id}`, { method: "DELETE" });
  await look();
}

function told(error) {
  if (error.code === "BODY_INVALID") fill(wrong, badge("bad", error.message));
  else complain(error);
}

await look();
