// Pieces of pages. Texts are put in as text, never as markup.

import { name, say } from "./words.js";

/** Make an element: attributes by name (`on...` listens, false and null are left out), then what is in it. */
export function h(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing. */
export function draw(tag, attributes = {}, ...inside) {
  const made = document.createElementNS(SVG, tag);
  set(made, attributes);
  made.append(...inside);
  return made;
}

function set(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
}

const SIGNS = { good: "✓", bad: "✕", unsure: "?", blind: "⊘", idle: "–" };

/** A state: a sign, a word, and a colour that says the same. */
export function badge(level, word) {
  return h("span", { class: `badge ${level}` }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[level]), word);
}

const LEVELS = { worn: "good", missing: "bad", unknown: "unsure" };

/** What is known of one equipment of a person, with the reason where it is unknown. */
export function worn(equipment, finding) {
  const why = finding.reason ? ` – ${name("reason", finding.reason)}` : "";
  return badge(LEVELS[finding.state], `${name("equipment", equipment)}: ${name("state", finding.state)}${why}`);
}

/** Mark an element as the one that is shown, or not. */
export const current = (element, yes) => (yes ? element.setAttribute("aria-current", "true") : element.removeAttribute("aria-current"));

/** Put something in the place of all that is in an element. */
export const fill = (element, ...inside) => element.replaceChildren(...inside.flat(Infinity).filter(Boolean));

let gone = 0;

/** Say something for some seconds, also to who can't see it. */
export function toast(text, level = "good") {
  let place = document.querySelector(".toast");
  if (!place) document.body.append((place = h("div", { class: "toast", role: "status" })));
  fill(place, badge(level, text));
  clearTimeout(gone);
  gone = setTimeout(() => place.remove(), 5000);
}

/** Say what went wrong. */
export function complain(error) {
  if (error.name === "AbortError") return;
  toast(error.status ? `${name("problem", error.code)}: ${error.message}` : say("lost"), "bad");
}

/** Ask before changes that are not saved are let go; true: go on. */
export const leaving = (dirty) => !dirty || confirm(say("unsaved"));
