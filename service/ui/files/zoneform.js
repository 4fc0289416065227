// What one zone asks, and when: fields that write into it.

import { h } from "./parts.js";
import { kind } from "./canvas.js";
import { language, name, say } from "./words.js";

const EQUIPMENT = ["helmet", "vest"];
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WEEKDAY = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
const MONDAY = Date.UTC(2024, 0, 1);
const dayName = (at) => WEEKDAY.format(MONDAY + at * 86_400_000);

/** Return what a zone asks for, as ids of equipment. */
export const asks = (zone) => (zone.require ?? EQUIPMENT).map((one) => one.equipment ?? one);

/** Return the fields of a zone; `changed` is called after each change, `removed` when it is to go. */
export function form(zone, changed, removed) {
  const again = () => {
    changed();
    element.replaceChildren(...inside());
  };
  const element = h("form", { class: "card zone-form", onsubmit: (event) => event.preventDefault() });
  const inside = () => [
    h("label", {}, h("span", {}, say("zones.name")), h("input", {
      id: "zone-name", maxlength: 100, value: zone.name ?? "",
      oninput: (event) => { zone.name = event.target.value; changed(true); },
    })),
    kinds(zone, again),
    kind(zone) === "requires" ? required(zone, again) : null,
    zone.ignore ? null : schedule(zone, again),
    h("div", { class: "actions" }, h("button", { type: "button", id: "remove", onclick: removed }, say("zones.remove"))),
  ].filter(Boolean);
  element.append(...inside());
  return element;
}

function kinds(zone, again) {
  const choose = (wanted) => {
    delete zone.exempt;
    delete zone.ignore;
    if (wanted === "exempt") zone.exempt = true;
    if (wanted === "ignored") {
      zone.ignore = true;
      delete zone.schedule;
    }
    again();
  };
  return h("fieldset", {}, h("legend", {}, say("zones.kind")), ["requires", "exempt", "ignored"].map((one) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "kind", value: one, checked: kind(zone) === one, onchange: () => choose(one) }),
    h("span", {}, h("strong", {}, say(`zones.${one}`)), h("span", { class: "quiet" }, ` ${say(`zones.${one}_says`)}`)))));
}

function required(zone, again) {
  const set = (equipment, yes) => {
    const known = zone.require ?? EQUIPMENT.map((one) => ({ equipment: one }));
    const left = known.filter((one) => (one.equipment ?? one) !== equipment);
    const wanted = yes ? [...left, { equipment }] : left;
    if (wanted.length) zone.require = wanted;
    again();
  };
  return h("fieldset", {}, h("legend", {}, say("zones.asks")), EQUIPMENT.map((one) => h("label", { class: "choice" },
    h("input", { type: "checkbox", name: "require", value: one, checked: asks(zone).includes(one), onchange: (event) => set(one, event.target.checked) }),
    name("equipment", one))));
}

function schedule(zone, again) {
  const shifts = zone.schedule ?? [];
  const keep = (changed) => {
    zone.schedule = changed;
    if (!changed.length) delete zone.schedule;
    again();
  };
  const add = () => keep([...shifts, { days: DAYS.slice(0, 5), from: "07:00", to: "18:00" }]);
  return h("fieldset", {}, h("legend", {}, say("zones.when")),
    shifts.length ? null : h("p", { class: "quiet" }, say("zones.always")),
    shifts.map((shift, at) => one(shift, (changed) => keep(changed ? shifts.with(at, changed) : shifts.toSpliced(at, 1)))),
    h("button", { type: "button", id: "add-hours", onclick: add }, say("zones.add_hours")));
}

function one(shift, keep) {
  const days = shift.days ?? DAYS;
  const toggle = (day) => {
    const wanted = DAYS.filter((known) => (known === day ? !days.includes(day) : days.includes(known)));
    if (wanted.length) keep({ ...shift, days: wanted });
  };
  const time = (end) => h("input", {
    type: "time", required: true, value: (shift[end] ?? "00:00").slice(0, 5), "aria-label": say(`zones.${end}`),
    onchange: (event) => event.target.value && keep({ ...shift, [end]: event.target.value }),
  });
  return h("div", { class: "shift" },
    h("span", { class: "days" }, DAYS.map((day, at) => h("button", {
      type: "button", "aria-pressed": String(days.includes(day)), onclick: () => toggle(day),
    }, dayName(at)))),
    h("span", { class: "hours" }, time("from"), "–", time("to"), h("button", { type: "button", onclick: () => keep(null) }, say("zones.remove_hours"))));
}
