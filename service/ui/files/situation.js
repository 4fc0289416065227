// What is so on the site now, in the order in which it matters. Pure: cameras and alerts in, lines out.

const SEES = new Set(["live", "moved"]);

/** Tell whether people on a camera's pictures are judged. */
export const sees = (camera) => SEES.has(camera.status);

/** Tell whether an alert still asks for somebody. */
export const pressing = (alert) => alert.status === "open" && alert.false_alarm === null;

/**
 * Return lines `{level, key, words}`, the most pressing first; `key` is a text, `words` what fills it.
 *
 * @param cameras as GET /v1/cameras lists them
 * @param alerts that are open, as GET /v1/alerts lists them
 */
export function situation(cameras, alerts) {
  const lines = [...lacking(alerts.filter(pressing)), ...blind(cameras), ...unsure(cameras)];
  const watched = cameras.filter(sees);
  const pressed = lines.some((line) => line.level === "bad");
  if (cameras.length && !watched.length && !lines.length) return [{ level: "idle", key: "now.over", words: {} }];
  if (!pressed && watched.length) {
    const people = watched.reduce((sum, camera) => sum + (camera.people ?? 0), 0);
    lines.push({ level: people ? "good" : "idle", key: people ? "now.protected" : "now.nobody", words: {} });
  }
  return lines;
}

function lacking(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const place = `${alert.camera.id} ${alert.equipment}`;
    const group = groups.get(place) ?? { people: new Set(), camera: alert.camera.name, equipment: alert.equipment, since: alert.since };
    group.people.add(alert.person);
    group.since = alert.since < group.since ? alert.since : group.since;
    groups.set(place, group);
  }
  const found = [...groups.values()].sort((a, b) => b.people.size - a.people.size || (a.since < b.since ? -1 : 1));
  return found.map(({ people, camera, equipment, since }) => (
    { level: "bad", key: `now.lacking.${equipment}`, words: { n: people.size, camera }, since }
  ));
}

function blind(cameras) {
  const names = (test) => cameras.filter(test).map((camera) => camera.name);
  const lost = names((camera) => ["offline", "frozen", "blind"].includes(camera.status));
  const coming = names((camera) => camera.status === "connecting");
  return [
    ["now.blind", lost],
    ["now.connecting", coming],
  ].flatMap(([key, found]) => (found.length ? [{ level: "blind", key, words: { n: found.length, cameras: found.join(", ") } }] : []));
}

function unsure(cameras) {
  const seeing = cameras.filter(sees);
  const doubted = seeing.filter((camera) => camera.unverified);
  const n = doubted.reduce((sum, camera) => sum + camera.unverified, 0);
  const people = n ? [{ level: "unsure", key: "now.unverified", words: { n, cameras: doubted.map((one) => one.name).join(", ") } }] : [];
  const judged = seeing.flatMap((camera) => camera.cannot_judge.map(({ equipment }) => (
    { level: "unsure", key: `now.cannot_judge.${equipment}`, words: { camera: camera.name } }
  )));
  return [...people, ...judged];
}
