// Who wears what, drawn over a picture and told beside it: the colours of service/pictures/annotate.py, and words.

import { badge, draw, fill, h, worn } from "./parts.js";
import { name, say } from "./words.js";

const STATE = { true: "good", null: "unsure", false: "bad" };
const ITEM = { helmet: "good", vest: "good", "no-helmet": "bad", "no-vest": "bad" };

/** Draw people, and the model's other boxes from a confidence up, in pixels of the picture. */
export function marks(picture, floor) {
  const { width, height, people, detections } = picture;
  const over = draw("svg", { class: "marks", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const thick = Math.max(2, Math.sqrt(width * height) / 300);
  for (const found of detections) {
    if (found.confidence < floor || found.class === "person") continue;
    over.append(rect(found.box, `item ${ITEM[found.class]}`, thick / 2));
  }
  for (const person of [...people].reverse()) {
    const level = STATE[person.compliant];
    over.append(rect(person.box, `rim ${level}`, thick + 2), rect(person.box, `person ${level}`, thick));
  }
  for (const person of people) over.append(label(person, width, thick));
  return over;
}

function rect({ x1, y1, x2, y2 }, kind, thick) {
  return draw("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: kind, "stroke-width": thick });
}

function label(person, width, thick) {
  const size = Math.max(14, Math.min(thick * 7, width / 20));
  const text = `#${person.id}${{ true: " ✓", null: " ?", false: " ✕" }[person.compliant]}`;
  const wide = size * 0.62 * text.length + size * 0.4;
  const x = Math.max(0, Math.min(person.box.x1, width - wide));
  const y = Math.max(0, person.box.y1 - size * 1.3);
  const level = STATE[person.compliant];
  const ground = draw("rect", { x, y, width: wide, height: size * 1.3, class: `ground ${level}` });
  return draw("g", {}, ground, draw("text", { x: x + size * 0.2, y: y + size, "font-size": size, class: `ink ${level}` }, text));
}

/** Say of everybody on a picture what they wear. */
export function told(picture) {
  if (!picture.people.length) return [h("p", {}, badge("idle", say("try.nobody")))];
  return picture.people.map((person) => h(
    "li",
    { class: "person" },
    h("strong", {}, say("try.person", { id: person.id })),
    worn("helmet", person.helmet),
    worn("vest", person.vest),
    h("span", { class: "quiet" }, say("try.height", { height: Math.round(person.height_px) })),
  ));
}

/** Say in one line how many wear what. */
export function summed(element, { people, compliant, not_compliant: bad, undecided }) {
  const parts = [
    compliant && badge("good", say("try.compliant", { n: compliant })),
    bad && badge("bad", say("try.not_compliant", { n: bad })),
    undecided && badge("unsure", say("try.undecided", { n: undecided })),
  ];
  fill(element, people ? parts : badge("idle", say("try.nobody")));
}

/** Say what the model sees at all, from a confidence up. */
export function listed(picture, floor) {
  const counts = {};
  for (const found of picture.detections) if (found.confidence >= floor) counts[found.class] = (counts[found.class] ?? 0) + 1;
  return Object.entries(counts).map(([kind, n]) => `${name("class", kind)} ${n}`).join(" · ") || say("try.no_boxes");
}
