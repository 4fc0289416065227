// Zones of a camera, drawn on its picture; what they would change is shown before they are saved.

import { ask, asked } from "./ask.js";
import { Canvas, kind } from "./canvas.js";
import { Foreseen } from "./foreseen.js";
import { opened } from "./frame.js";
import { badge, complain, current, fill, h, leaving, toast } from "./parts.js";
import { fault } from "./polygon.js";
import { asks, form } from "./zoneform.js";
import { idOf, name, say } from "./words.js";

await opened();
const { cameras } = await asked("/v1/cameras");
const choose = h("select", { id: "camera", onchange: () => other().catch(complain) }, cameras.map((one) => h("option", { value: one.id }, one.name)));
const add = h("button", { type: "button", class: "main", id: "draw", onclick: () => (canvas.corners ? canvas.leave() : canvas.begin()) }, say("zones.draw"));
const hint = h("p", { class: "quiet", role: "status" });
const stage = h("div", { class: "pane" });
const list = h("ul", { class: "zone-list" });
const fields = h("div");
const wrong = h("p", { role: "alert" });
const save = h("button", { type: "button", class: "main", id: "save", onclick: () => keep().catch(told) }, say("zones.save"));
const leave = h("button", { type: "button", id: "discard", onclick: () => open(camera).catch(complain) }, say("zones.discard"));

let canvas = null;
let foreseen = null;
let version = "";
let entry = {};
let zones = [];
let chosen = null;
let saved = "";
let camera = "";
let turn = 0; // what was asked for last is what is shown, however late an answer comes

fill(
  document.getElementById("main"),
  h("h1", {}, say("zones.title")),
  h("div", { class: "bar" }, h("label", { for: "camera" }, say("filter.camera")), choose, add),
  h("div", { class: "editor" },
    h("div", { class: "pane" }, stage, hint),
    h("div", { class: "pane" }, list, fields, wrong, h("div", { class: "actions" }, save, leave))),
);
addEventListener("beforeunload", (event) => dirty() && event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (!canvas?.corners) return;
  if (event.key === "Escape") canvas.leave();
  if (event.key !== "Enter") return;
  event.preventDefault(); // the button that began it may have the focus still
  canvas.finish();
});

const dirty = () => JSON.stringify(file()) !== saved;
const titled = (zone) => zone.name || zone.id;

/** Return the zones as the site file has them. */
function file() {
  return Object.fromEntries(zones.map(({ id, fresh, ...zone }) => [id, zone.name ? zone : { ...zone, name: undefined }]));
}

async function other() {
  if (leaving(dirty())) await open(choose.value);
  else choose.value = camera;
}

async function open(wanted) {
  const mine = ++turn;
  const read = await asked(`/v1/cameras/${wanted}/entry`);
  if (mine !== turn) return;
  camera = wanted;
  canvas?.close();
  foreseen?.clear();
  foreseen?.element.remove();
  ({ version, entry } = read);
  zones = Object.entries(entry.zones ?? {}).map(([id, zone]) => ({ id, ...structuredClone(zone) }));
  saved = JSON.stringify(file());
  canvas = new Canvas(camera, { chosen: pick, changed, drawn, drawing });
  foreseen = new Foreseen(camera, (id) => (id === "whole-picture" ? say("alert.whole") : titled(zones.find((zone) => zone.id === id) ?? { id })));
  fill(stage, canvas.element);
  stage.parentElement.append(foreseen.element);
  choose.value = camera;
  history.replaceState(null, "", `?camera=${camera}`);
  drawing(false);
  pick(null);
  weigh();
}

function pick(zone) {
  chosen = zone;
  canvas.put(zones, chosen);
  fill(fields, zone ? form(zone, (named) => (named ? listed() : changed()), remove) : h("p", { class: "note" }, say(zones.length ? "zones.choose" : "tile.whole")));
  listed();
}

function listed() {
  fill(list, zones.map((zone) => {
    const told = kind(zone) === "requires" ? asks(zone).map((one) => name("equipment", one)).join(", ") : say(`zones.${kind(zone)}`);
    const button = h("button", { type: "button", onclick: () => pick(zone) }, h("span", { class: `zone ${kind(zone)}` }, h("strong", {}, titled(zone)), ` ${told}`));
    current(button, zone === chosen);
    return h("li", {}, button);
  }));
  weigh();
}

function weigh() {
  const bad = zones.map((zone) => [zone, fault(zone.polygon)]).find(([, what]) => what);
  fill(wrong, bad ? badge("bad", `${titled(bad[0])}: ${say(`zones.fault.${bad[1]}`)}`) : "");
  save.disabled = Boolean(bad) || !dirty();
  leave.disabled = !dirty();
  return !bad;
}

function changed() {
  canvas.put(zones, chosen);
  listed();
  if (!weigh() || !dirty()) foreseen.clear();
  else foreseen.look({ ...entry, zones: file() });
}

function drawing(yes) {
  add.textContent = say(yes ? "zones.stop" : "zones.draw");
  fill(hint, say(yes ? "zones.drawing" : "zones.moving"));
}

function drawn(polygon) {
  const zone = { id: idOf("", "zone", zones.map((one) => one.id)), fresh: true, polygon };
  zones.push(zone);
  pick(zone);
  changed();
  document.getElementById("zone-name").focus();
}

function remove() {
  zones = zones.filter((zone) => zone !== chosen);
  pick(null);
  changed();
}

/** A new zone's id comes from its name, where that has Latin letters. */
function identify() {
  for (const zone of zones.filter((one) => one.fresh && one.name)) {
    zone.id = idOf(zone.name, "zone", zones.filter((one) => one !== zone).map((one) => one.id));
  }
}

async function keep() {
  identify();
  const { zones: _, ...rest } = entry;
  const wanted = zones.length ? { ...rest, zones: file() } : rest;
  await ask(`/v1/cameras/${camera}`, { method: "PUT", json: wanted, headers: { "If-Match": `"${version}"` } });
  toast(say("zones.saved"));
  await open(camera);
}

function told(error) {
  if (error.code === "SITE_INVALID" || error.code === "SITE_CHANGED") fill(wrong, badge("bad", error.message));
  else complain(error);
}

const wanted = new URLSearchParams(location.search).get("camera");
await open(cameras.some((one) => one.id === wanted) ? wanted : cameras[0].id);
