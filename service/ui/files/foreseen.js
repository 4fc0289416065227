// How the last 30 minutes would have been judged by what is drawn: asked for a moment after each change.

import { ask } from "./ask.js";
import { badge, fill, h } from "./parts.js";
import { clock, name, say, span } from "./words.js";

const SETTLED = 900;
const AGAIN = 2000;
const MOST = 8;

/** Shows what would be otherwise; `look(entry)` asks for it, `clear()` forgets it. */
export class Foreseen {
  constructor(camera, called) {
    this.path = `/v1/cameras/${camera}/what-if`;
    this.called = called;
    this.timer = 0;
    this.asking = null;
    this.inside = h("div", { role: "status" });
    this.element = h("section", { class: "card foreseen", hidden: true }, h("h2", {}, say("foreseen.title")), this.inside);
  }

  clear() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.element.hidden = true;
  }

  look(entry) {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.element.hidden = false;
    fill(this.inside, h("p", { class: "quiet" }, say("foreseen.working")));
    this.timer = setTimeout(() => this.fetch(entry), SETTLED);
  }

  async fetch(entry) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const told = await (await ask(this.path, { method: "POST", json: entry, signal })).json();
      if (!signal.aborted) fill(this.inside, this.told(told));
    } catch (error) {
      if (signal.aborted) return;
      if (error.code === "BUSY") this.timer = setTimeout(() => this.fetch(entry), AGAIN);
      else fill(this.inside, badge("bad", error.status ? error.message : say("lost")));
    }
  }

  told(found) {
    if (!found.frames) return [h("p", {}, say("foreseen.nothing"))];
    const { only_before: gone, only_after: fresh, both } = found;
    return [
      h("p", { class: "quiet" }, say("foreseen.span", { from: clock(found.from), to: clock(found.to), n: found.frames })),
      h("p", { class: "summary" },
        badge("idle", say("foreseen.same", { n: both.length })),
        badge(gone.length ? "good" : "idle", say("foreseen.gone", { n: gone.length })),
        badge(fresh.length ? "bad" : "idle", say("foreseen.fresh", { n: fresh.length }))),
      this.list("foreseen.gone_list", gone),
      this.list("foreseen.fresh_list", fresh),
      h("table", {}, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, say("foreseen.before")), h("th", { scope: "col" }, say("foreseen.after")))),
        h("tbody", {}, ["helmet", "vest"].map((one) => h("tr", {}, h("th", { scope: "row" }, say("foreseen.worn", { equipment: name("equipment", one) })),
          h("td", {}, share(found.before.person_seconds[one])), h("td", {}, share(found.after.person_seconds[one])))))),
      found.was_black.length ? h("p", { class: "quiet" }, say("foreseen.was_black", { zones: found.was_black.map(this.called).join(", ") })) : null,
      found.newly_black ? h("p", { class: "quiet" }, say("foreseen.newly_black")) : null,
    ];
  }

  list(key, alerts) {
    if (!alerts.length) return null;
    const rows = alerts.slice(-MOST).map((alert) => h("li", {}, h("time", { datetime: alert.since }, clock(alert.since)),
      h("span", {}, `${name("lacking", alert.equipment)}, ${this.called(alert.zone)}, ${span(alert.lasted_s)}`)));
    const rest = alerts.length > MOST ? h("li", {}, h("span"), h("span", { class: "quiet" }, say("foreseen.more", { n: alerts.length - MOST }))) : null;
    return [h("h3", {}, say(key)), h("ol", { class: "timeline" }, rows, rest)];
  }
}

function share({ worn, missing, coverage }) {
  if (coverage === null) return say("foreseen.nobody_asked");
  if (!(worn + missing)) return say("foreseen.unknown");
  return say("foreseen.share", { worn: Math.round((100 * worn) / (worn + missing)), known: Math.round(100 * coverage) });
}
