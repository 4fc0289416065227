// How it is on the site now: one sentence, then every camera.

import { asked, Problem } from "./ask.js";
import { opened } from "./frame.js";
import { hear } from "./hear.js";
import { badge, fill, h } from "./parts.js";
import { sees, situation } from "./situation.js";
import { enlarge, Tile } from "./tile.js";
import { say, span } from "./words.js";

const CAMERAS = 2000;
await opened();
const sentence = h("h1", { class: "sentence", "aria-live": "polite" });
const rest = h("ul", { class: "rest" });
const wall = h("div", { class: "wall" });
const today = h("p", { class: "today quiet" });
fill(document.getElementById("main"), sentence, rest, today, wall);

const tiles = new Map();
let cameras = [];
let open = [];
let fired = null;

async function look() {
  try {
    const midnight = new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
    const day = `/v1/alerts?since=${encodeURIComponent(midnight)}&limit=200`;
    const [watched, pressing, page] = await Promise.all([
      asked("/v1/cameras"),
      every("/v1/alerts?status=open&limit=200"),
      asked(day),
    ]);
    ({ cameras } = watched);
    open = pressing;
    fired = { n: page.alerts.length, more: page.next_cursor !== null };
    tell();
  } catch (error) {
    lost(error);
  }
}

async function every(path) {
  const found = [];
  let cursor = "";
  do {
    const page = await asked(path + (cursor && `&cursor=${encodeURIComponent(cursor)}`));
    found.push(...page.alerts);
    cursor = page.next_cursor;
  } while (cursor && found.length < 1000);
  return found;
}

async function lookAtCameras() {
  if (document.hidden) return;
  try {
    ({ cameras } = await asked("/v1/cameras"));
    tell();
  } catch (error) {
    lost(error);
  }
}

function lost(error) {
  document.body.classList.add("lost");
  line(sentence, { level: "blind", key: "lost", words: {} });
  if (error instanceof Problem) fill(rest, h("li", {}, badge("bad", error.message)));
}

function tell() {
  document.body.classList.remove("lost");
  if (!cameras.length) {
    location.replace("/screen/try");
    return;
  }
  const [first, ...others] = situation(cameras, open);
  line(sentence, first);
  fill(rest, others.map((one) => line(h("li"), one)));
  fill(today, say(fired?.more ? "now.today_more" : "now.today", { n: fired?.n ?? 0 }), " ",
    h("a", { href: "/screen/alerts" }, say("now.all_alerts")));
  arrange();
}

function line(element, { level, key, words, since }) {
  const text = say(key, words) + (since ? ` ${say("now.since", { span: span((Date.now() - new Date(since)) / 1000) })}` : "");
  if (element.textContent.endsWith(text) && element.dataset.level === level) return element;
  element.dataset.level = level;
  fill(element, badge(level, text));
  return element;
}

function arrange() {
  for (const [id, tile] of tiles) {
    if (cameras.some((camera) => camera.id === id)) continue;
    tile.close();
    tiles.delete(id);
  }
  for (const camera of cameras) {
    if (!tiles.has(camera.id)) {
      const tile = new Tile(camera, () => enlarge(camera.id, () => cameras, () => open));
      tiles.set(camera.id, tile);
      wall.append(tile.element);
    }
    tiles.get(camera.id).tell(camera, open.filter((alert) => alert.camera.id === camera.id));
  }
  document.body.classList.toggle("unseen", cameras.some((camera) => !sees(camera)));
}

hear(look);
setInterval(lookAtCameras, CAMERAS);
