// A film becomes pictures here, in the browser, so that it is judged by what judges pictures, within the same limits.

const MOST = 60;
const STEP = 0.5;
const SIDE = 1280;
const PATIENCE = 15_000;

/** Wait for an event of a film. */
function wait(video, kind) {
  return new Promise((yes, no) => {
    const late = setTimeout(() => no(new Error("late")), PATIENCE);
    const end = (settle) => () => {
      clearTimeout(late);
      settle();
    };
    video.addEventListener(kind, end(yes), { once: true });
    video.addEventListener("error", end(() => no(new Error("unreadable"))), { once: true });
  });
}

/**
 * Yield `{at, number, of, blob}`: pictures of a film, two a second or `MOST` in all.
 *
 * Throws an Error when this browser can't play it.
 */
export async function* pictures(file) {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = url;
    await wait(video, "loadeddata");
    const seconds = Number.isFinite(video.duration) ? video.duration : STEP;
    const step = Math.max(STEP, seconds / MOST);
    const of = Math.max(1, Math.min(MOST, Math.ceil(seconds / step)));
    const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (!canvas.width) throw new Error("unreadable");
    for (let number = 0; number < of; number += 1) {
      const at = number * step;
      if (number) {
        const there = wait(video, "seeked");
        video.currentTime = at;
        await there;
      }
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.9));
      yield { at, number, of, blob };
    }
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}
