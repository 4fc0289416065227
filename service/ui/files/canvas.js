// A camera's picture on which zones are drawn and moved, by mouse, finger or keys.

import { draw, fill, h } from "./parts.js";
import { forget, pace, show } from "./pictures.js";
import { held, middles, moved } from "./polygon.js";
import { say } from "./words.js";

const SLOWLY = 0.5;
const STEP = 0.01;
const NEAR = 14;

/**
 * The picture with its zones.
 *
 * @param told `chosen(zone)`, `changed(zone)`, `drawn(polygon)` and `drawing(yes)` are called.
 */
export class Canvas {
  constructor(camera, told) {
    this.told = told;
    this.zones = [];
    this.chosen = null;
    this.corners = null;
    this.pointer = null;
    this.img = h("img", { alt: say("zones.picture"), onload: () => this.element.style.setProperty("--ratio", this.img.naturalWidth / this.img.naturalHeight) });
    this.over = draw("svg", { class: "zones", viewBox: "0 0 1 1", preserveAspectRatio: "none" });
    this.handles = h("div", { class: "handles" });
    this.element = h("div", { class: "frame canvas empty" }, this.img, this.over, this.handles);
    this.element.addEventListener("pointerdown", (event) => this.press(event));
    this.element.addEventListener("pointermove", (event) => this.point(event));
    this.element.addEventListener("dblclick", () => this.corners && this.finish());
    show(this.img, camera, () => this.element.classList.remove("empty"));
    pace(this.img, SLOWLY);
  }

  close() {
    forget(this.img);
    this.element.remove();
  }

  put(zones, chosen) {
    this.zones = zones;
    this.chosen = chosen;
    this.paint();
  }

  /** Begin to draw a zone, corner by corner. */
  begin() {
    this.corners = [];
    this.told.drawing(true);
    this.paint();
  }

  leave() {
    this.corners = null;
    this.told.drawing(false);
    this.paint();
  }

  finish() {
    const drawn = this.corners.filter((corner, at, all) => !at || this.far(corner, all[at - 1]));
    if (drawn.length < 3) return;
    this.leave();
    this.told.drawn(drawn);
  }

  place(event) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return [held((event.clientX - left) / width), held((event.clientY - top) / height)];
  }

  far([x, y], [otherX, otherY], least = 3) {
    const { clientWidth, clientHeight } = this.element;
    return Math.hypot((x - otherX) * clientWidth, (y - otherY) * clientHeight) > least;
  }

  press(event) {
    if (event.button || event.target.closest(".corner, .middle")) return;
    const at = this.place(event);
    if (this.corners) {
      event.preventDefault();
      if (this.corners.length > 2 && !this.far(at, this.corners[0], NEAR)) this.finish();
      else this.corners.push(at);
      this.paint();
      return;
    }
    const zone = this.zones.find((one) => one.id === event.target.dataset?.zone);
    if (zone && zone !== this.chosen) this.told.chosen(zone);
    if (!zone) return;
    const from = zone.polygon;
    this.drag(event, (to) => { zone.polygon = moved(from, to[0] - at[0], to[1] - at[1]); });
  }

  point(event) {
    if (!this.corners) return;
    this.pointer = this.place(event);
    this.paint();
  }

  /** Follow the pointer until it is let go. */
  drag(event, follow) {
    event.preventDefault();
    const zone = this.chosen;
    let went = false;
    const move = (later) => {
      went = true;
      follow(this.place(later));
      this.paint();
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (went) this.told.changed(zone);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  paint() {
    const chosen = this.corners ? null : this.chosen;
    const order = [...this.zones].sort((one, other) => (one === chosen) - (other === chosen));
    fill(this.over, order.map((zone) => outlined(zone.polygon, `${kind(zone)} ${zone === chosen ? "chosen" : ""}`, zone.id)));
    if (this.corners) {
      const line = [...this.corners, ...(this.pointer ? [this.pointer] : [])];
      if (line.length) this.over.append(draw("polyline", { points: text(line), class: "begun", "vector-effect": "non-scaling-stroke" }));
    }
    const focused = this.handles.contains(document.activeElement) ? document.activeElement.dataset.at : null;
    fill(this.handles, this.corners ? this.corners.map((corner) => spot(h("span", { class: "corner begun" }), corner)) : chosen ? this.grips(chosen) : []);
    if (focused) this.handles.querySelector(`[data-at="${focused}"]`)?.focus();
  }

  grips(zone) {
    const corners = zone.polygon.map((corner, at) => spot(h("button", {
      type: "button", class: "corner", "data-at": at, "aria-label": say("zones.corner", { at: at + 1 }),
      onpointerdown: (event) => this.drag(event, (to) => { zone.polygon = zone.polygon.with(at, to); }),
      onkeydown: (event) => this.nudge(event, zone, at),
      ondblclick: () => this.without(zone, at),
    }), corner));
    const between = middles(zone.polygon).map((middle, at) => spot(h("span", {
      class: "middle",
      onpointerdown: (event) => {
        zone.polygon = zone.polygon.toSpliced(at + 1, 0, middle.map(held));
        this.drag(event, (to) => { zone.polygon = zone.polygon.with(at + 1, to); });
      },
    }), middle));
    return [...between, ...corners];
  }

  nudge(event, zone, at) {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.without(zone, at);
    if (!by) return;
    event.preventDefault();
    zone.polygon = zone.polygon.with(at, zone.polygon[at].map((value, axis) => held(value + by[axis])));
    this.paint();
    this.told.changed(zone);
  }

  without(zone, at) {
    if (zone.polygon.length < 4) return;
    zone.polygon = zone.polygon.toSpliced(at, 1);
    this.paint();
    this.told.changed(zone);
  }
}

/** Return what a zone does: requires, exempt or ignored. */
export const kind = (zone) => (zone.ignore ? "ignored" : zone.exempt ? "exempt" : "requires");

const text = (corners) => corners.map((corner) => corner.join(",")).join(" ");

/** Draw a zone on a dark rim, so that it is seen on any picture. */
export function outlined(polygon, style, id = null) {
  const shape = { points: text(polygon), "vector-effect": "non-scaling-stroke" };
  return [draw("polygon", { ...shape, class: "rim" }), draw("polygon", { ...shape, class: style, "data-zone": id })];
}

function spot(element, [x, y]) {
  element.style.left = `${x * 100}%`;
  element.style.top = `${y * 100}%`;
  return element;
}
