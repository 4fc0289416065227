// What happens is heard as it happens, while the page is shown; and asked for anew when it was not.

import { may } from "./ask.js";

const QUIET = 20_000;
const AGAIN = 5_000;

/**
 * Call `happened` now, after each event, and every `every` ms, one call at a time and only while the page is shown.
 * Browsers let six connections at most lead to one address, so a page that is not shown holds none.
 */
export function hear(happened, every = QUIET) {
  let source = null;
  let running = false;
  let due = false;
  let timer = 0;

  async function look() {
    if (running) {
      due = true;
      return;
    }
    running = true;
    clearTimeout(timer);
    try {
      do {
        due = false;
        await happened();
      } while (due);
    } finally {
      running = false;
      if (!document.hidden) timer = setTimeout(look, every);
    }
  }

  function listen() {
    source?.close();
    source = null;
    clearTimeout(timer);
    if (document.hidden) return;
    look();
    if (!may("read")) return;
    source = new EventSource("/v1/events/stream");
    for (const kind of KINDS) source.addEventListener(kind, look);
    const mine = source;
    source.addEventListener("error", () => {
      if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && listen(), AGAIN);
    });
  }

  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  listen();
  return look;
}

const KINDS = [
  "alert.fired",
  "alert.updated",
  "alert.resolved",
  "camera.offline",
  "camera.online",
  "camera.cannot_judge",
  "camera.frozen",
  "camera.blind",
  "camera.moved",
  "missed",
];
