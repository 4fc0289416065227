// Periods, and what adds up in them. Pure: groups of GET /v1/stats and alerts in, figures out.

export const PERIODS = ["day", "week", "month"];
export const EQUIPMENT = ["helmet", "vest"];

/** Return the period that holds a day: `from` and `to` at local midnights, and the beginnings of its parts. */
export function period(kind, day) {
  const [year, month, date] = [day.getFullYear(), day.getMonth(), day.getDate()];
  const monday = date - ((day.getDay() + 6) % 7);
  const [from, to] = {
    day: [new Date(year, month, date), new Date(year, month, date + 1)],
    week: [new Date(year, month, monday), new Date(year, month, monday + 7)],
    month: [new Date(year, month, 1), new Date(year, month + 1, 1)],
  }[kind];
  const parts = [];
  let part = new Date(from);
  while (part < to) {
    parts.push(part);
    part = kind === "day" ? new Date(part.getTime() + 3_600_000)
      : new Date(part.getFullYear(), part.getMonth(), part.getDate() + 1);
  }
  return { kind, from, to, parts };
}

/** Return a day of the period before or after. */
export function beside({ kind, from }, by) {
  const [year, month, date] = [from.getFullYear(), from.getMonth(), from.getDate()];
  if (kind === "month") return new Date(year, month + by, 1);
  return new Date(year, month, date + by * (kind === "week" ? 7 : 1));
}

export const nothing = () => ({ worn: 0, missing: 0, unknown: 0 });

/** Add person-seconds of groups up, by a key of each; groups without a key count nowhere. */
export function added(groups, key = () => "all") {
  const sums = new Map();
  for (const group of groups) {
    const at = key(group);
    if (at === null) continue;
    if (!sums.has(at)) sums.set(at, nothing());
    const sum = sums.get(at);
    sum.worn += group.worn_s;
    sum.missing += group.missing_s;
    sum.unknown += group.unknown_s;
  }
  return sums;
}

/** Return compliance and coverage, 0..1; null where there is nothing to tell them by. */
export function shares({ worn, missing, unknown }) {
  const judged = worn + missing;
  const all = judged + unknown;
  return { compliance: judged ? worn / judged : null, coverage: all ? judged / all : null };
}

/** Return the number of the part of a period in which an hour begins. */
export function partOf({ parts, to }, hour) {
  const at = new Date(hour);
  if (at < parts[0] || at >= to) return null;
  const after = parts.findIndex((part) => part > at);
  return (after < 0 ? parts.length : after) - 1;
}

/** Return how soon alerts were acknowledged, in seconds; null where none was. */
export function answered(alerts) {
  const waits = alerts.filter((one) => one.acknowledged)
    .map((one) => Math.max(0, (new Date(one.acknowledged.at) - new Date(one.fired_at)) / 1000)).sort((a, b) => a - b);
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))];
  return waits.length ? { n: waits.length, median: at(0.5), most: at(0.9) } : null;
}

/** Count things by a key, the most first. */
export function counted(things, key) {
  const counts = new Map();
  for (const thing of things) counts.set(key(thing), [...(counts.get(key(thing)) ?? []), thing]);
  return [...counts.entries()].sort(([, one], [, other]) => other.length - one.length);
}
