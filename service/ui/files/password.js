// A user's password: asked for twice, since nobody sees what is typed.

import { ask } from "./ask.js";
import { badge, fill, h, toast } from "./parts.js";
import { say } from "./words.js";

export const SHORTEST = 12;

/** Ask for a new password and hand it to `keep`, until that takes it or nobody wants to any more. */
export function askPassword(title, before, keep) {
  const field = (id, label, autocomplete) => [h("label", { for: id }, label),
    h("input", { id, type: "password", autocomplete, required: true, maxlength: 256, minlength: id === "old" ? null : SHORTEST })];
  const wrong = h("p", { role: "alert" });
  const close = h("button", { type: "button" }, say("cancel"));
  const form = h("form", {},
    h("h2", {}, title),
    before ? field("old", say("password.old"), "current-password") : null,
    field("new", say("password.new"), "new-password"), field("again", say("password.again"), "new-password"),
    h("p", { class: "quiet" }, say("password.rule", { n: SHORTEST })), wrong,
    h("div", { class: "actions" }, h("button", { class: "main" }, say("password.keep")), close));
  const dialog = h("dialog", { class: "say password" }, form);
  const value = (id) => form.querySelector(`#${id}`)?.value ?? "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (value("new") !== value("again")) {
      fill(wrong, badge("bad", say("password.differ")));
      return;
    }
    try {
      await keep(value("new"), value("old"));
      dialog.close();
      toast(say("password.kept"));
    } catch (error) {
      fill(wrong, badge("bad", error.status ? error.message : say("lost")));
    }
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Let who is signed in change their own. */
export function changePassword() {
  askPassword(say("password.title"), true, (fresh, old) =>
    ask("/v1/session/password", { method: "PUT", json: { password: old, new: fresh } }));
}
