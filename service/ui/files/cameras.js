// Cameras are added, tried, changed and taken away.

import { ask, asked } from "./ask.js";
import { opened } from "./frame.js";
import { hear } from "./hear.js";
import { badge, complain, current, fill, h, leaving, toast } from "./parts.js";
import { LEVELS } from "./tile.js";
import { Trial } from "./trial.js";
import { idOf, name, say } from "./words.js";

const session = await opened();
const list = h("ul", { class: "zone-list" });
const fields = h("div", { class: "pane" });
const trial = new Trial();
const wrong = h("p", { role: "alert" });

let cameras = [];
let secrets = [];
let chosen = null;
let version = null;
let entry = null;
let saved = "";
let turn = 0; // what was asked for last is what is shown, however late an answer comes

fill(
  document.getElementById("main"),
  h("h1", {}, say("cameras.title")),
  h("div", { class: "editor setup" },
    h("div", { class: "pane" }, list, h("button", { type: "button", class: "main", id: "add", onclick: () => leaving(dirty()) && add() }, say("cameras.add"))),
    fields),
);
addEventListener("beforeunload", (event) => dirty() && event.preventDefault());

const dirty = () => entry !== null && JSON.stringify(entry) !== saved;

async function look() {
  ({ cameras } = await asked("/v1/cameras"));
  listed();
}

function listed() {
  fill(list, cameras.map((camera) => {
    const button = h("button", { type: "button", "data-camera": camera.id, onclick: () => leaving(dirty()) && open(camera.id).catch(complain) },
      h("span", { class: "head" }, h("strong", {}, camera.name), badge(LEVELS[camera.status], name("status", camera.status))));
    current(button, camera.id === chosen);
    return h("li", {}, button);
  }));
}

/** The names of variables that hold passwords: over HTTP a camera gets one that some camera has already. */
async function known() {
  const entries = await Promise.all(cameras.map((camera) => asked(`/v1/cameras/${camera.id}/entry`)));
  secrets = [...new Set(entries.map((one) => one.entry.password_env).filter(Boolean))];
}

async function open(camera) {
  const mine = ++turn;
  const read = await asked(`/v1/cameras/${camera}/entry`);
  if (mine !== turn) return;
  ({ version, entry } = read);
  saved = JSON.stringify(entry);
  chosen = camera;
  history.replaceState(null, "", `?camera=${camera}`);
  put();
}

function add() {
  turn += 1;
  [chosen, version, entry] = [null, null, { source: "" }];
  saved = JSON.stringify(entry);
  put();
  document.getElementById("name").focus();
}

function put() {
  listed();
  trial.clear();
  fill(wrong);
  const write = (key, value) => {
    entry[key] = value;
    if (value === "" || value === null) delete entry[key];
  };
  const line = (key, attributes) => h("label", {}, h("span", {}, say(`cameras.${key}`)), h("input", {
    id: key, value: entry[key] ?? "", autocomplete: "off", spellcheck: "false", oninput: (event) => write(key, event.target.value.trim()), ...attributes,
  }));
  const number = (key, plain) => ({ type: "number", required: true, value: entry[key] ?? plain, oninput: (event) => write(key, Number(event.target.value)) });
  const secret = h("select", { id: "password_env", onchange: (event) => write("password_env", event.target.value) });
  offer(secret);
  fill(fields, h("form", { class: "card zone-form", onsubmit: (event) => { event.preventDefault(); keep().catch(told); } },
    h("h2", {}, chosen === null ? say("cameras.new") : cameras.find((one) => one.id === chosen)?.name ?? chosen),
    line("name", { maxlength: 100, spellcheck: null }),
    line("source", { required: true, maxlength: 2048, placeholder: "rtsp://192.168.1.20:554/stream1", inputmode: "url" }),
    h("p", { class: "quiet" }, say("cameras.source_says")),
    h("div", { class: "pair" }, line("user", { maxlength: 256 }), h("label", {}, h("span", {}, say("cameras.password_env")), secret)),
    h("p", { class: "quiet" }, say("cameras.password_says")),
    h("div", { class: "pair" }, line("fps", { min: 1, max: 30, ...number("fps", 5) }), line("tiles", { min: 1, max: 6, ...number("tiles", 1) })),
    h("p", { class: "quiet" }, say("cameras.tiles_says")),
    h("div", { class: "actions" },
      h("button", { type: "button", id: "try", onclick: () => trial.look(entry).catch(told) }, say("cameras.try")),
      h("button", { class: "main", id: "save" }, say(chosen === null ? "cameras.watch" : "zones.save")),
      chosen === null ? null : h("a", { class: "button", href: `/screen/zones?camera=${chosen}` }, say("nav.zones")),
      chosen === null ? null : h("button", { type: "button", id: "remove", onclick: () => remove().catch(complain) }, say("cameras.remove"))),
    wrong), trial.element);
}

/** Offer the variables that are known by now, and the one that is chosen. */
function offer(select) {
  const own = entry.password_env ?? "";
  fill(select, h("option", { value: "" }, say("cameras.no_password")),
    [...new Set([...secrets, own])].filter(Boolean).map((one) => h("option", { value: one }, one)));
  select.value = own;
}

async function keep() {
  fill(wrong);
  const camera = chosen ?? idOf(entry.name ?? "", "camera", cameras.map((one) => one.id));
  const headers = version ? { "If-Match": `"${version}"` } : {};
  await ask(`/v1/cameras/${camera}`, { method: "PUT", json: entry, headers });
  toast(say("cameras.saved"));
  await look();
  await open(camera);
}

async function remove() {
  const sure = h("button", { class: "main", value: "yes" }, say("cameras.remove"));
  const dialog = h("dialog", { class: "say" }, h("form", { method: "dialog" },
    h("h2", {}, say("cameras.remove")), h("p", {}, say("cameras.remove_says")),
    h("div", { class: "actions" }, sure, h("button", { value: "" }, say("cancel")))));
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  dialog.remove();
  if (dialog.returnValue !== "yes") return;
  await ask(`/v1/cameras/${chosen}`, { method: "DELETE", headers: { "If-Match": `"${version}"` } });
  toast(say("cameras.removed"));
  saved = JSON.stringify(entry);
  await look();
  if (cameras.length) await open(cameras[0].id);
  else add();
}

function told(error) {
  if (error.code === "SITE_INVALID" || error.code === "SITE_CHANGED") fill(wrong, badge("bad", error.message));
  else complain(error);
}

await look();
const wanted = new URLSearchParams(location.search).get("camera");
const first = cameras.find((one) => one.id === wanted) ?? cameras[0];
if (entry === null && first) await open(first.id); // unless somebody was quicker, and adds one
else if (entry === null) add();
await known();
offer(document.getElementById("password_env"));
hear(() => look().catch(complain), 5000);
