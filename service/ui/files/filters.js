// Which alerts are listed: chosen in the page, kept in its address.

import { asked } from "./ask.js";
import { h } from "./parts.js";
import { name, say } from "./words.js";

const STATES = { all: "", open: "&status=open", waiting: "&status=open&acknowledged=false", taken: "&acknowledged=true", ended: "&status=ended" };

/** Return what chooses, and the query of what is chosen; `changed` is called when something else is. */
export async function filters(changed) {
  const chosen = new URLSearchParams(location.search);
  const { cameras } = await asked("/v1/cameras").catch(() => ({ cameras: [] }));
  const camera = select("camera", cameras.map((one) => [one.id, one.name]));
  const zone = select("zone", []);
  const equipment = select("equipment", ["helmet", "vest"].map((one) => [one, name("equipment", one)]));
  const state = select("state", Object.keys(STATES).slice(1).map((one) => [one, say(`filter.${one}`)]));
  const day = h("input", { type: "date", id: "day", value: /^\d{4}-\d\d-\d\d$/.test(chosen.get("day") ?? "") ? chosen.get("day") : "" });
  const all = { camera, zone, equipment, state, day };

  function select(key, options) {
    const made = h("select", { id: key }, h("option", { value: "" }, say(`filter.any_${key}`)), options.map(([value, text]) => h("option", { value }, text)));
    made.value = chosen.get(key) ?? "";
    if (made.selectedIndex < 0) made.value = "";
    return made;
  }

  async function zones() {
    const { zones: found } = camera.value ? await asked(`/v1/cameras/${camera.value}/zones`).catch(() => ({ zones: [] })) : { zones: [] };
    const judging = found.filter((one) => one.kind === "requires");
    zone.replaceChildren(zone.options[0], ...judging.map((one) => h("option", { value: one.id }, one.name)));
    zone.value = judging.some((one) => one.id === chosen.get("zone")) ? chosen.get("zone") : "";
    zone.parentElement.hidden = judging.length === 0;
  }

  function keep() {
    const kept = new URLSearchParams(Object.entries(all).map(([key, input]) => [key, input.value]).filter(([, value]) => value));
    history.replaceState(null, "", `${location.pathname}${kept.size ? `?${kept}` : ""}${location.hash}`);
  }

  const element = h("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
    Object.entries(all).map(([key, input]) => h("label", {}, h("span", { class: "quiet" }, say(`filter.${key}`)), input)));
  await zones();
  element.addEventListener("change", async (event) => {
    if (event.target === camera) await zones();
    keep();
    changed();
  });

  function query() {
    const part = (key, value) => (value ? `&${key}=${encodeURIComponent(value)}` : "");
    const at = day.value ? new Date(`${day.value}T00:00`) : null;
    const after = at && new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1);
    return part("camera", camera.value) + part("zone", zone.value) + part("equipment", equipment.value) + STATES[state.value || "all"]
      + part("since", at?.toISOString()) + part("until", after?.toISOString());
  }

  return { element, query };
}
