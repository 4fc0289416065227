// A camera is tried: what it shows, how fast, how tall people are, or in plain words why there is nothing.

import { ask } from "./ask.js";
import { badge, fill, h } from "./parts.js";
import { name, say } from "./words.js";

const SLOW = 2;

/** Shows how a try went. */
export class Trial {
  constructor() {
    this.asking = null;
    this.url = null;
    this.element = h("section", { class: "card trial", role: "status", hidden: true });
  }

  clear() {
    this.asking?.abort();
    this.element.hidden = true;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
  }

  async look(entry) {
    this.clear();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.element.hidden = false;
    fill(this.element, h("p", {}, say("trial.working"), " ", h("progress")));
    try {
      const found = await (await ask("/v1/site/try", { method: "POST", json: entry, signal })).json();
      fill(this.element, found.works ? this.shown(found) : failed(found));
    } catch (error) {
      if (signal.aborted) return;
      this.element.hidden = true;
      throw error;
    }
  }

  shown(found) {
    const bytes = Uint8Array.from(atob(found.picture), (letter) => letter.charCodeAt(0));
    this.url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    const { width, height, after_s: after, frames_per_second: rate } = found;
    return [
      h("p", { class: "summary" },
        badge("good", say("trial.works", { width, height, after: after.toFixed(1) })),
        rate === null ? null : badge(rate < SLOW ? "unsure" : "good", say("trial.rate", { rate: rate.toFixed(1) }))),
      h("img", { src: this.url, alt: say("trial.picture") }),
      h("ul", { class: "rest" }, tall(found).map((one) => h("li", {}, one))),
    ];
  }
}

function failed({ code, detail }) {
  return [
    h("p", { class: "summary" }, badge("bad", name("code", code))),
    h("p", {}, say(`fix.${code}`)),
    h("p", { class: "quiet" }, detail),
  ];
}

/** Say whether people are large enough, and what would make them so. */
function tall({ heights_px: heights, needed_px: needed, scale }) {
  if (!heights.length) return [badge("idle", say("trial.nobody"))];
  const range = { n: heights.length, low: Math.round(heights.at(-1)), high: Math.round(heights[0]) };
  const told = [badge("idle", say("trial.people", range))];
  for (const [equipment, least] of Object.entries(needed)) {
    const n = heights.filter((one) => one >= least).length;
    const level = n === heights.length ? "good" : n ? "unsure" : "bad";
    told.push(badge(level, say("trial.enough", { equipment: name("equipment", equipment), least: Math.round(least), n, of: heights.length })));
  }
  const least = Math.max(...Object.values(needed));
  if (heights[0] < least || heights.filter((one) => one >= least).length < heights.length / 2) {
    told.push(h("span", {}, say(scale < 1 ? "trial.use_tiles" : "trial.come_nearer", { factor: (least / heights[Math.floor(heights.length / 2)]).toFixed(1) })));
  }
  return told;
}
