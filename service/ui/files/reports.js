// How it was: a day, a week or a month, by hour, camera and zone; to be read, printed, or taken along as CSV.

import { asked } from "./ask.js";
import { chart, legend, percent, told } from "./chart.js";
import { opened } from "./frame.js";
import { complain, current, fill, h } from "./parts.js";
import { added, answered, beside, counted, EQUIPMENT, nothing, partOf, period, PERIODS, shares } from "./tally.js";
import { language, name, say, span } from "./words.js";

const MOST = 5000;
const PAGE = 200;
const format = (options) => new Intl.DateTimeFormat(language, options);
const DAY = format({ year: "numeric", month: "long", day: "numeric", weekday: "short" });
const MONTH = format({ year: "numeric", month: "long" });
const HOUR = format({ hour: "2-digit", minute: "2-digit", hour12: false });
const WEEKDAY = format({ weekday: "short" });

await opened();
const { cameras } = await asked("/v1/cameras");
const chosen = new URLSearchParams(location.search);
const camera = h("select", { id: "camera", onchange: () => go({}) }, h("option", { value: "" }, say("filter.any_camera")),
  cameras.map((one) => h("option", { value: one.id }, one.name)));
camera.value = cameras.some((one) => one.id === chosen.get("camera")) ? chosen.get("camera") : "";
const kinds = PERIODS.map((one) => h("button", { type: "button", "data-period": one, onclick: () => go({ kind: one }) }, say(`reports.${one}`)));
const title = h("h2", {});
const csv = h("a", { class: "button", id: "csv" }, say("reports.csv"));
const body = h("div", { class: "report" });
const asDay = (text) => (/^\d{4}-\d\d-\d\d$/.test(text ?? "") ? new Date(`${text}T00:00`) : new Date());

let shown = period(PERIODS.includes(chosen.get("period")) ? chosen.get("period") : "day", asDay(chosen.get("day")));
let asking = 0;
const zones = new Map();

fill(
  document.getElementById("main"),
  h("h1", {}, say("reports.title")),
  h("div", { class: "bar choosing" },
    h("span", { class: "segments" }, kinds),
    h("span", { class: "segments" },
      h("button", { type: "button", id: "before", "aria-label": say("reports.earlier"), onclick: () => go({ by: -1 }) }, "‹"),
      h("button", { type: "button", id: "after", "aria-label": say("reports.later"), onclick: () => go({ by: 1 }) }, "›")),
    camera,
    h("span", { class: "taking" }, csv, h("button", { type: "button", id: "print", onclick: () => print() }, say("reports.print")))),
  title, body,
);

function go({ kind = shown.kind, by = 0 }) {
  const now = new Date();
  const there = by ? beside(shown, by) : kind === shown.kind || now < shown.from || now >= shown.to ? shown.from : now;
  shown = period(kind, there);
  look().catch(complain);
}

async function look() {
  asking += 1;
  const mine = asking;
  const [since, until] = [shown.from, shown.to].map((one) => one.toISOString());
  const part = `since=${since}&until=${until}${camera.value ? `&camera=${camera.value}` : ""}`;
  const day = [shown.from.getFullYear(), shown.from.getMonth() + 1, shown.from.getDate()].map((one) => String(one).padStart(2, "0")).join("-");
  history.replaceState(null, "", `?${new URLSearchParams({ period: shown.kind, day, ...(camera.value ? { camera: camera.value } : {}) })}`);
  for (const button of kinds) current(button, button.dataset.period === shown.kind);
  title.textContent = { day: () => DAY.format(shown.from), week: () => DAY.formatRange(shown.from, new Date(shown.to - 1)), month: () => MONTH.format(shown.from) }[shown.kind]();
  document.getElementById("after").disabled = shown.to > new Date();
  csv.href = `/v1/stats?format=csv&by=camera,zone,equipment,hour&${part}`;
  csv.download = `ppe-${shown.kind}-${day}.csv`;
  const [hours, places, alerts] = await Promise.all([
    asked(`/v1/stats?by=equipment,hour&${part}`), asked(`/v1/stats?by=camera,zone,equipment&${part}`), every(`/v1/alerts?limit=${PAGE}&${part}`),
  ]);
  await learn(places.groups);
  if (mine === asking) put(hours.groups, places.groups, alerts);
}

async function learn(places) {
  const unknown = cameras.filter(({ id }) => !zones.has(id) && places.some((group) => group.camera === id));
  await Promise.all(unknown.map(async ({ id }) => zones.set(id, (await asked(`/v1/cameras/${id}/zones`)).zones)));
}

async function every(path) {
  const found = [];
  let cursor = "";
  do {
    const page = await asked(path + (cursor && `&cursor=${encodeURIComponent(cursor)}`));
    found.push(...page.alerts);
    cursor = page.next_cursor;
  } while (cursor && found.length < MOST);
  return Object.assign(found, { more: Boolean(cursor) });
}

function put(hours, places, alerts) {
  const real = alerts.filter((one) => !one.false_alarm);
  fill(body,
    h("div", { class: "heads" }, EQUIPMENT.map((equipment) => headline(equipment, hours))),
    EQUIPMENT.map((equipment) => h("section", { class: "card" }, h("h3", {}, say("reports.over_time", { equipment: name("equipment", equipment) })), timeline(equipment, hours))),
    shown.kind === "day" ? null : h("section", { class: "card" }, h("h3", {}, say("reports.by_hour")), byHour(hours)),
    legend(),
    h("section", { class: "card" }, h("h3", {}, say("reports.by_camera")), byCamera(places, real)),
    h("section", { class: "card" }, h("h3", {}, say("reports.by_zone")), byZone(places, real)),
    h("section", { class: "card" }, h("h3", {}, say("reports.alerts")), byKind(real, alerts), answers(real)),
    alerts.more ? h("p", { class: "note" }, say("reports.more", { n: alerts.length })) : null,
    h("p", { class: "quiet" }, say("reports.means")));
}

const of = (equipment) => (group) => (group.equipment === equipment ? "all" : null);

function headline(equipment, hours) {
  const { compliance, coverage } = shares(added(hours, of(equipment)).get("all") ?? nothing());
  return h("section", { class: "card" }, h("span", { class: "quiet" }, say("foreseen.worn", { equipment: name("equipment", equipment) })),
    h("strong", { class: "figure", "data-equipment": equipment }, percent(compliance)),
    h("span", {}, coverage === null ? say("reports.nobody") : say("reports.known", { known: percent(coverage) })));
}

function timeline(equipment, hours) {
  const sums = added(hours, (group) => (group.equipment === equipment ? partOf(shown, group.hour) : null));
  const every = { day: 3, week: 1, month: 5 }[shown.kind];
  const label = { day: (part) => part.getHours(), week: (part) => WEEKDAY.format(part), month: (part) => part.getDate() }[shown.kind];
  const whole = shown.kind === "day" ? HOUR : DAY;
  const bars = shown.parts.map((part, at) => ({ label: at % every ? "" : String(label(part)), title: whole.format(part), sums: sums.get(at) ?? nothing() }));
  return chart(bars, say("reports.over_time", { equipment: name("equipment", equipment) }));
}

function byHour(hours) {
  const sums = added(hours, (group) => new Date(group.hour).getHours());
  const bars = Array.from({ length: 24 }, (_, hour) => ({ label: hour % 3 ? "" : `${hour}`, title: `${hour}:00`, sums: sums.get(hour) ?? nothing() }));
  return chart(bars, say("reports.by_hour"));
}

function table(heads, rows, none) {
  if (!rows.length) return h("p", {}, none);
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((one) => h("td", {}, String(one))))))));
}

const LACKING = EQUIPMENT.map((one) => name("lacking", one));
const each = (alerts) => EQUIPMENT.map((equipment) => alerts.filter((one) => one.equipment === equipment).length);

const HEADS = ["", ...EQUIPMENT.map((one) => say("foreseen.worn", { equipment: name("equipment", one) })), say("reports.person_hours")];
const titled = (id) => cameras.find((one) => one.id === id)?.name ?? id;
const placed = (one) => `${one.camera.id} ${one.zone.id}`;

function figures(groups) {
  const mine = EQUIPMENT.map((equipment) => added(groups, of(equipment)).get("all") ?? nothing());
  return [...mine.map(told), span(Math.max(...mine.map((sums) => sums.worn + sums.missing + sums.unknown)))];
}

function byCamera(places, alerts) {
  const ids = [...new Set([...cameras.map((one) => one.id), ...places.map((one) => one.camera)])].filter((id) => !camera.value || id === camera.value);
  const rows = ids.map((id) => [titled(id), ...figures(places.filter((group) => group.camera === id)), alerts.filter((one) => one.camera.id === id).length]);
  return table([...HEADS, say("nav.alerts")], rows, say("alerts.none"));
}

function byZone(places, alerts) {
  const found = new Map(places.map((group) => [`${group.camera} ${group.zone}`, `${titled(group.camera)} · ${zoneOf(group)}`]));
  const raised = new Map(counted(alerts, placed));
  for (const [place, [{ camera: its, zone }]] of raised) found.set(place, `${its.name} · ${zone.id === "whole-picture" ? say("alert.whole") : zone.name}`);
  const rows = [...found].map(([place, called]) => [called, ...figures(places.filter((group) => `${group.camera} ${group.zone}` === place)), ...each(raised.get(place) ?? [])]);
  return table([...HEADS, ...LACKING], rows, say("reports.nobody"));
}

function zoneOf({ camera: its, zone }) {
  if (!zone) return say("reports.not_apart");
  return zone === "whole-picture" ? say("alert.whole") : (zones.get(its)?.find((one) => one.id === zone)?.name ?? zone);
}

function byKind(alerts, all) {
  const ends = [["alert.worn", (one) => one.ending === "worn"], ["alert.lost_sight", (one) => one.ending === "lost_sight"], ["alert.open", (one) => one.status === "open"]];
  const rows = ends.map(([key, test]) => [say(key), ...each(alerts.filter(test))]);
  rows.push([say("reports.all"), ...each(alerts)], [say("reports.false"), ...each(all.filter((one) => one.false_alarm))]);
  return table(["", ...LACKING], all.length ? rows : [], say("reports.no_alerts"));
}

function answers(alerts) {
  const found = answered(alerts);
  if (!alerts.length) return null;
  return h("p", { id: "answered" }, found
    ? say("reports.answered", { n: found.n, of: alerts.length, median: span(found.median), most: span(found.most) })
    : say("reports.unanswered"));
}

await look();
