// Alerts, newest first, as they happen; one of them beside the list; keys for who has many.

import { asked } from "./ask.js";
import { Detail } from "./alert.js";
import { filters } from "./filters.js";
import { opened } from "./frame.js";
import { hear } from "./hear.js";
import { badge, complain, current, fill, h } from "./parts.js";
import { sees } from "./situation.js";
import { clock, name, say, span } from "./words.js";

const PAGE = 30;
const session = await opened();
const apart = h("section", { class: "apart", hidden: true });
const list = h("ol", { class: "alerts" });
const older = h("button", { type: "button", hidden: true, onclick: () => more().catch(complain) }, say("alerts.older"));
const empty = h("p", { class: "note", hidden: true }, say("alerts.none"));
const detail = new Detail(session, () => look().catch(complain));
const wanted = await filters(() => { pages = 1; look().catch(complain); });

let pages = 1;
let found = [];
let cursor = null;

fill(
  document.getElementById("main"),
  h("h1", {}, say("alerts.title")),
  apart,
  wanted.element,
  h("div", { class: "columns" }, h("div", { class: "listed" }, list, empty, older), detail.element),
  h("p", { class: "quiet keys" }, say("alerts.keys")),
);

const page = (from) => asked(`/v1/alerts?limit=${PAGE}${wanted.query()}${from ? `&cursor=${encodeURIComponent(from)}` : ""}`);

async function look() {
  const alerts = [];
  let next = null;
  for (let number = 0; number < pages; number += 1) {
    const one = await page(next);
    alerts.push(...one.alerts);
    next = one.next_cursor;
    if (!next) break;
  }
  put(alerts, next);
  await Promise.all([detail.refresh(), lookApart()]);
}

async function more() {
  const one = await page(cursor);
  pages += 1;
  put([...found, ...one.alerts], one.next_cursor);
}

async function lookApart() {
  const { cameras } = await asked("/v1/cameras");
  const told = cameras.flatMap((camera) => [
    !sees(camera) && camera.status !== "ended" && badge("blind", say("apart.unseen", { camera: camera.name, status: name("status", camera.status) })),
    sees(camera) && camera.unverified && badge("unsure", say("apart.unverified", { n: camera.unverified, camera: camera.name })),
    ...(sees(camera) ? camera.cannot_judge.map(({ equipment }) => badge("unsure", say(`now.cannot_judge.${equipment}`, { camera: camera.name }))) : []),
  ]).filter(Boolean);
  apart.hidden = !told.length;
  fill(apart, h("h2", {}, say("apart.title")), told);
}

function put(alerts, next) {
  found = alerts;
  cursor = next;
  older.hidden = !next;
  empty.hidden = alerts.length > 0;
  fill(list, alerts.map(row));
}

/** Return the state of an alert in signs and words. */
export function standing(alert) {
  if (alert.false_alarm) return badge("idle", say("alert.false"));
  if (alert.status === "open") return badge("bad", say("alert.open"));
  return alert.ending === "worn" ? badge("good", say("alert.worn")) : badge("unsure", say("alert.lost_sight"));
}

function row(alert) {
  const marked = [
    alert.acknowledged && badge("good", say("alert.acknowledged")),
    alert.snoozed && badge("idle", say("alert.snoozed", { at: clock(alert.snoozed.until) })),
  ];
  const still = alert.evidence.crop
    ? h("img", { src: alert.evidence.crop, alt: "", loading: "lazy" })
    : h("span", { class: "no-still", "aria-hidden": "true" }, "–");
  const chosen = alert.id === detail.id;
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "row", "data-alert": alert.id, "aria-current": chosen ? "true" : null, onclick: () => pick(alert.id) },
      still,
      h("span", { class: "what" },
        h("strong", {}, name("lacking", alert.equipment)),
        h("span", {}, alert.zone.id === "whole-picture" ? alert.camera.name : `${alert.camera.name} · ${alert.zone.name}`),
        h("span", { class: "quiet" }, `${clock(alert.fired_at)} · ${span(alert.duration_s)}`)),
      h("span", { class: "marks-said" }, standing(alert), ...marked.filter(Boolean)),
    ),
  );
}

function pick(id) {
  detail.open(id).catch(complain);
  history.replaceState(null, "", `#${id}`);
  for (const button of list.querySelectorAll(".row")) {
    current(button, button.dataset.alert === id);
    if (button.dataset.alert === id) button.scrollIntoView({ block: "nearest" });
  }
}

function step(by) {
  const at = found.findIndex((alert) => alert.id === detail.id);
  const next = found[at < 0 ? 0 : Math.min(found.length - 1, Math.max(0, at + by))];
  if (next) pick(next.id);
}

const KEYS = { j: () => step(1), k: () => step(-1), a: () => detail.act("acknowledge"), s: () => detail.act("snooze"), f: () => detail.act("false") };
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") detail.close();
  KEYS[event.key]?.();
  if (event.key in KEYS) event.preventDefault();
});

hear(() => look().catch(complain));
const linked = () => /^#[0-9a-f]{8,}$/.test(location.hash) && pick(location.hash.slice(1));
addEventListener("hashchange", linked);
linked();
