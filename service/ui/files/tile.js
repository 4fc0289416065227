// One camera: its picture, how it does in words, and, enlarged, its zones.

import { asked, may } from "./ask.js";
import { outlined } from "./canvas.js";
import { badge, draw, fill, h } from "./parts.js";
import { forget, pace, show } from "./pictures.js";
import { pressing, sees } from "./situation.js";
import { clock, name, say, span } from "./words.js";

export const LEVELS = { live: "good", moved: "unsure", connecting: "idle", ended: "idle", offline: "blind", frozen: "blind", blind: "blind" };
const OLD = 10;

/** A camera's picture with what is known of it, kept up by `tell`. */
export class Tile {
  constructor(camera, opened) {
    this.img = h("img", { alt: "", onload: () => this.frame.style.setProperty("--ratio", this.img.naturalWidth / this.img.naturalHeight) });
    this.over = h("span", { class: "over" });
    this.state = h("span");
    this.facts = h("span", { class: "facts" });
    this.alerts = h("span", { class: "lacks" });
    this.frame = h("span", { class: "frame empty" }, this.img, this.over);
    const head = h("span", { class: "head" }, h("strong", {}, camera.name), this.state);
    const inside = [this.frame, h("span", { class: "told" }, head, this.alerts, this.facts)];
    const large = { type: "button", class: "tile", "data-camera": camera.id, onclick: opened };
    this.element = opened ? h("button", large, inside) : h("div", { class: "tile large" }, inside);
    show(this.img, camera.id, () => this.frame.classList.remove("empty"));
  }

  tell(camera, open) {
    this.img.alt = say("tile.picture", { camera: camera.name });
    pace(this.img, !sees(camera) && this.img.src ? 0 : wanted(camera));
    const wants = open.filter(pressing);
    const level = wants.length && sees(camera) ? "bad" : LEVELS[camera.status];
    this.element.dataset.level = level;
    fill(this.state, badge(LEVELS[camera.status], name("status", camera.status)));
    const still = !sees(camera);
    this.frame.classList.toggle("still", still);
    const why = camera.code ? name("code", camera.code) : camera.detail;
    fill(this.over, still ? `${name("status", camera.status)} ${say("now.since", { span: ago(camera.since) })}` : "",
      still && why ? h("small", {}, why) : "");
    fill(this.alerts, Object.entries(count(wants)).map(([equipment, n]) => badge("bad", say(`tile.lacking.${equipment}`, { n }))),
      camera.unverified && sees(camera) ? badge("unsure", say("tile.unverified", { n: camera.unverified })) : null,
      sees(camera) ? camera.cannot_judge.map(({ equipment }) => badge("unsure", say(`tile.cannot_judge.${equipment}`))) : []);
    fill(this.facts, facts(camera).join(" · "));
  }

  close() {
    forget(this.img);
    this.element.remove();
  }
}

const ago = (instant) => span((Date.now() - new Date(instant)) / 1000);

function count(alerts) {
  const people = {};
  for (const alert of alerts) (people[alert.equipment] ??= new Set()).add(alert.person);
  return Object.fromEntries(Object.entries(people).map(([equipment, who]) => [equipment, who.size]));
}

function facts(camera) {
  if (camera.frame_age_s === null) return [say("tile.no_picture")];
  const old = camera.frame_age_s >= OLD || !sees(camera);
  const told = [say("tile.people", { n: camera.people ?? 0 }), say("tile.age", { age: camera.frame_age_s.toFixed(camera.frame_age_s < 10 ? 1 : 0) })];
  if (old) return [say("tile.last", { at: clock(Date.now() - camera.frame_age_s * 1000) })];
  told.push(say("tile.rate", { rate: camera.frames_per_second.toFixed(1) }));
  if (camera.reduced_to !== null) told.push(say("tile.reduced", { rate: camera.reduced_to.toFixed(1) }));
  return told;
}

/** Return how often a camera's picture is worth asking for; of one that has none, never. */
function wanted(camera) {
  if (camera.frame_age_s === null) return 0;
  return sees(camera) ? Math.max(camera.frames_per_second, 0.5) : 0.5;
}

/** Show one camera as large as the window, with its zones drawn, until it is closed. */
export async function enlarge(id, cameras, open) {
  const camera = cameras().find((one) => one.id === id);
  if (!camera) return;
  const tile = new Tile(camera, null);
  const close = h("button", { type: "button", class: "close" }, say("close"));
  const link = h("a", { href: `/screen/alerts?camera=${id}` }, say("tile.alerts"));
  const zoned = may("admin") ? h("a", { href: `/screen/zones?camera=${id}` }, say("nav.zones")) : null;
  const dialog = h("dialog", { class: "full", "aria-label": camera.name }, h("div", { class: "bar" }, h("h2", {}, camera.name), link, zoned, close), tile.element);
  const keep = () => {
    const now = cameras().find((one) => one.id === id);
    if (now) tile.tell(now, open().filter((alert) => alert.camera.id === id));
  };
  const timer = setInterval(keep, 1000);
  dialog.addEventListener("close", () => {
    clearInterval(timer);
    tile.close();
    dialog.remove();
  });
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  keep();
  dialog.showModal();
  const { zones } = await asked(`/v1/cameras/${id}/zones`).catch(() => ({ zones: [] }));
  tile.frame.append(drawn(zones));
  dialog.append(h("p", { class: "legend quiet" }, zones.length ? zones.map(described) : say("tile.whole")));
}

/** Draw zones over a picture. */
function drawn(zones) {
  const over = draw("svg", { class: "zones", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const zone of zones) {
    over.append(...outlined(zone.polygon, `${zone.kind} ${zone.active ? "" : "asleep"}`));
  }
  return over;
}

function described(zone) {
  const asks = zone.require.map((one) => name("equipment", one)).join(", ");
  const told = zone.kind === "requires" ? asks : name("zone", zone.kind);
  return h("span", { class: `zone ${zone.kind}` }, `${zone.name}: ${told}${zone.active ? "" : ` (${say("zone.asleep")})`}`);
}
