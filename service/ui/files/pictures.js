// Live pictures: each is asked for at the rate at which its camera is judged, while it can be seen, few at a time.

import { ask } from "./ask.js";

/** Pictures that are asked for at once. Browsers let six connections lead to one address; events hold one. */
const MOST = 3;
const FASTEST = 10;
const SLOWEST = 0.5;
const WIDTHS = [480, 640, 960, 1280, 1920];
const AFTER_FAULT = 3000;

const live = new Map();
let asking = 0;
let timer = 0;

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const one = live.get(target);
    if (one) one.visible = isIntersecting;
  }
  next();
});
document.addEventListener("visibilitychange", () => next());

/** Keep an <img> showing a camera's last judged picture; `shown` is told whether there is one. */
export function show(img, camera, shown = () => {}) {
  live.set(img, { img, camera, shown, visible: false, busy: false, due: 0, rate: 0, tag: null, width: 0, url: null });
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
  const waiting = [...live.values()].filter((one) => one.visible && !one.busy && one.rate).sort((a, b) => a.due - b.due);
  for (const one of waiting) {
    if (asking >= MOST) return;
    if (one.due > now) {
      timer = setTimeout(next, one.due - now);
      return;
    }
    one.due = now + 1000 / one.rate;
    fetched(one);
  }
  if (waiting.length && asking < MOST) timer = setTimeout(next, Math.max(1, Math.min(...waiting.map((one) => one.due)) - now));
}

async function fetched(one) {
  asking += 1;
  one.busy = true;
  try {
    const wide = one.img.clientWidth * devicePixelRatio;
    const width = WIDTHS.find((known) => known >= wide) ?? 0;
    const known = one.tag && width === one.width ? { "If-None-Match": one.tag } : {};
    const answer = await ask(`/v1/cameras/${one.camera}/picture?width=${width}`, { headers: known });
    if (answer.status === 200) put(one, await answer.blob(), answer.headers.get("ETag"), width);
  } catch (error) {
    one.due = performance.now() + AFTER_FAULT;
    if (error.code === "NO_PICTURE" || error.code === "CAMERA_NOT_FOUND") one.shown(false);
  } finally {
    asking -= 1;
    one.busy = false;
    next();
  }
}

function put(one, blob, tag, width) {
  if (!live.has(one.img)) return;
  const before = one.url;
  one.url = URL.createObjectURL(blob);
  one.tag = tag;
  one.width = width;
  one.img.addEventListener("load", () => before && URL.revokeObjectURL(before), { once: true });
  one.img.src = one.url;
  one.shown(true);
}
