// One alert: its pictures, what happened to it, and what is said of it.

import { ask, asked, may } from "./ask.js";
import { complain, fill, h, toast } from "./parts.js";
import { said } from "./saying.js";
import { clock, name, say, span } from "./words.js";

const CLIP_COMES = 90_000;
const CLIP_AGAIN = 3000;

/** The alert that is looked at. */
export class Detail {
  constructor(session, changed) {
    this.id = null;
    this.session = session;
    this.changed = changed;
    this.shown = "";
    this.timer = 0;
    this.element = h("section", { class: "detail", "aria-live": "polite" }, h("p", { class: "note" }, say("alert.choose")));
  }

  async open(id) {
    this.id = id;
    this.shown = "";
    document.body.classList.add("detailed");
    await this.refresh();
    this.element.scrollTop = 0;
  }

  close() {
    this.id = null;
    this.shown = "";
    clearTimeout(this.timer);
    document.body.classList.remove("detailed");
    history.replaceState(null, "", location.pathname + location.search);
    for (const row of document.querySelectorAll(".row[aria-current]")) row.removeAttribute("aria-current");
    fill(this.element, h("p", { class: "note" }, say("alert.choose")));
  }

  /** Ask for it again, and show what is new; a clip that plays goes on. */
  async refresh() {
    if (!this.id) return;
    clearTimeout(this.timer);
    const { id } = this;
    const alert = await asked(`/v1/alerts/${id}`);
    if (id !== this.id) return;
    const { duration_s: _, seen_at: __, box: ___, ...lasting } = alert;
    const now = JSON.stringify(lasting);
    if (now !== this.shown) this.put(alert);
    this.shown = now;
    const comes = !alert.evidence.clip && Date.now() - new Date(alert.fired_at) < CLIP_COMES;
    if (comes) this.timer = setTimeout(() => this.refresh().catch(complain), CLIP_AGAIN);
  }

  put(alert) {
    const { evidence } = alert;
    const still = evidence.annotated ? h("a", { href: evidence.annotated, target: "_blank", rel: "noopener" },
      h("img", { src: evidence.annotated, alt: say("alert.still") })) : h("p", { class: "note" }, say("alert.no_still"));
    const clip = evidence.clip ? h("video", { src: evidence.clip, controls: true, preload: "metadata", muted: true, playsinline: true })
      : h("p", { class: "quiet" }, say(Date.now() - new Date(alert.fired_at) < CLIP_COMES ? "alert.clip_comes" : "alert.no_clip"));
    fill(
      this.element,
      h("div", { class: "bar" }, h("h2", {}, name("lacking", alert.equipment)), h("button", { type: "button", onclick: () => this.close() }, say("close"))),
      h("p", {}, say("alert.where", { camera: alert.camera.name, zone: alert.zone.id === "whole-picture" ? say("alert.whole") : alert.zone.name })),
      h("p", { class: "quiet" }, say("alert.when", { at: clock(alert.since), span: span(alert.duration_s) }), " ", say(`severity.${alert.severity}`)),
      alert.zone_uncertain ? h("p", { class: "quiet" }, say("alert.zone_uncertain")) : null,
      alert.by_absence ? h("p", { class: "quiet" }, say("alert.by_absence")) : null,
      this.actions(),
      h("div", { class: "evidence" }, still, clip),
      h("h3", {}, say("alert.timeline")),
      h("ol", { class: "timeline" }, alert.changes.map(change)),
    );
  }

  actions() {
    if (!may("operate")) return h("p", { class: "quiet" }, say("alert.may_not"));
    const button = (what, key) => h("button", { type: "button", class: what === "acknowledge" ? "main" : null, "data-act": what, onclick: () => this.act(what) },
      say(`act.${what}`), h("kbd", {}, key));
    return h("div", { class: "actions" }, button("acknowledge", "a"), button("snooze", "s"), button("false", "f"));
  }

  /** Ask what is to be said of it, and say it. */
  async act(what) {
    if (!this.id || !may("operate") || document.querySelector("dialog[open]")) return;
    const { id } = this;
    const json = await said(what, this.session);
    if (json === null) return;
    try {
      await ask(`/v1/alerts/${id}/${what}`, { method: "POST", json });
      toast(say(`done.${what}`));
      await this.changed();
    } catch (error) {
      complain(error);
    }
  }
}

function change({ kind, at, by, note, until }) {
  const more = [by && say("alert.by", { by }), note, until && say("alert.until", { at: clock(until) })].filter(Boolean).join(" · ");
  return h("li", {}, h("time", { datetime: at }, clock(at)), h("span", {}, name("change", kind), more && h("span", { class: "quiet" }, ` ${more}`)));
}
