// What somebody says of an alert is asked for in a dialog.

import { h } from "./parts.js";
import { say } from "./words.js";

const HOUR = 3600_000;
const REASONS = ["statue", "wears", "picture", "person"];

/** Ask for what an action needs; give the body of the request, or null where nothing is to be said. */
export function said(what, session) {
  const name = h("input", { id: "by", maxlength: 100, value: localStorage.getItem("by") ?? "", autocomplete: "name", required: what === "acknowledge" });
  const own = session.needed ? [] : [h("label", { for: "by" }, say("say.by")), name];
  const { inside, body } = { acknowledge, snooze, false: mistaken }[what]();
  return new Promise((told) => {
    const send = h("button", { class: "main", value: "send" }, say(`act.${what}`));
    const leave = h("button", { type: "button", onclick: () => dialog.close("") }, say("cancel"));
    const form = h("form", { method: "dialog" }, h("h2", {}, say(`act.${what}`)), own, inside, h("p", { class: "quiet" }, say(`say.${what}`)), h("div", { class: "actions" }, send, leave));
    const dialog = h("dialog", { class: "say" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "send") return told(null);
      if (!session.needed) localStorage.setItem("by", name.value.trim());
      return told({ ...(session.needed || !name.value.trim() ? {} : { by: name.value.trim() }), ...body() });
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function acknowledge() {
  const note = h("input", { id: "note", maxlength: 1000 });
  return { inside: [h("label", { for: "note" }, say("say.note")), note], body: () => (note.value.trim() ? { note: note.value.trim() } : {}) };
}

function snooze() {
  const hours = [1, 4, 12, 24].map((n) => h("option", { value: n }, say("say.hours", { n })));
  const choose = h("select", { id: "hours" }, hours);
  return {
    inside: [h("label", { for: "hours" }, say("say.for")), choose],
    body: () => ({ until: new Date(Date.now() + choose.value * HOUR).toISOString() }),
  };
}

function mistaken() {
  const known = h("datalist", { id: "reasons" }, REASONS.map((one) => h("option", { value: say(`reason_false.${one}`) })));
  const reason = h("input", { id: "reason", list: "reasons", maxlength: 1000, required: true, pattern: ".*\\S.*" });
  return { inside: [h("label", { for: "reason" }, say("say.reason")), reason, known], body: () => ({ reason: reason.value.trim() }) };
}
