// Live pictures: each is asked for at the rate at which its camera is judged, while it can be seen; all of a wall at once.

import { ask } from "./ask.js";

/** Cameras that are asked for at once. */
const MOST = 64;
const FASTEST = 10;
const SLOWEST = 0.5;
const WIDTHS = [480, 640, 960, 1280, 1920];
const AFTER_FAULT = 3000;
/** A picture is asked for by so much of its interval too early, to go along with others. */
const EARLY = 0.4;

const live = new Map();
const asking = new Set(); // widths that are under way
let timer = 0;

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const one = live.get(target);
    if (one) one.visible = isIntersecting;
  }
  next();
});
document.addEventListener("visibilitychange", () => next());

/** Keep an <img> showing a camera's last judged picture; `shown` is called when one comes. */
export function show(img, camera, shown) {
  live.set(img, { img, camera, shown, visible: false, due: 0, rate: 0, tag: null, width: 0, url: null });
  seen.observe(img);
}

/** Say how often a camera's pictures are judged; 0: it has none, or none but the last. */
export function pace(img, framesPerSecond) {
  const one = live.get(img);
  if (!one) return;
  const before = one.rate;
  one.rate = framesPerSecond && Math.min(FASTEST, Math.max(SLOWEST, framesPerSecond));
  if (!before && one.rate) next();
}

/** Let a picture go. */
export function forget(img) {
  const one = live.get(img);
  if (!one) return;
  seen.unobserve(img);
  live.delete(img);
  if (one.url) URL.revokeObjectURL(one.url);
}

function next() {
  clearTimeout(timer);
  if (document.hidden) return;
  const now = performance.now();
  const groups = new Map();
  for (const one of live.values()) {
    if (one.visible && one.rate) groups.set(width(one), [...(groups.get(width(one)) ?? []), one]);
  }
  for (const [wide, group] of groups) {
    if (asking.has(wide) || group.every((one) => one.due > now)) continue;
    const due = group.filter((one) => one.due - (EARLY * 1000) / one.rate <= now).slice(0, MOST);
    for (const one of due) one.due = now + 1000 / one.rate;
    fetched(due, wide);
  }
  const waiting = [...groups].filter(([wide]) => !asking.has(wide)).flatMap(([, group]) => group.map((one) => one.due));
  if (waiting.length) timer = setTimeout(next, Math.max(1, Math.min(...waiting) - now));
}

/** Return the width of which a picture is asked for; 0: as it is. */
const width = ({ img }) => WIDTHS.find((known) => known >= img.clientWidth * devicePixelRatio) ?? 0;

async function fetched(due, wide) {
  asking.add(wide);
  try {
    const cameras = [...new Set(due.map((one) => one.camera))].join(",");
    const known = due.filter((one) => one.tag && one.width === wide && due.every((other) => other.camera !== one.camera || other.tag === one.tag)).map((one) => one.tag);
    const answer = await ask(`/v1/pictures?width=${wide}&camera=${cameras}`, { headers: known.length ? { "If-None-Match": known.join(", ") } : {} });
    const parts = answer.status === 200 ? await answer.formData() : new Map();
    for (const one of due) if (parts.has(one.camera)) put(one, parts.get(one.camera), wide);
  } catch {
    for (const one of due) one.due = performance.now() + AFTER_FAULT;
  } finally {
    asking.delete(wide);
    next();
  }
}

function put(one, file, wide) {
  if (!live.has(one.img)) return;
  const before = one.url;
  one.url = URL.createObjectURL(file);
  one.tag = `"${file.name}"`;
  one.width = wide;
  one.img.addEventListener("load", () => before && URL.revokeObjectURL(before), { once: true });
  one.img.src = one.url;
  one.shown();
}
