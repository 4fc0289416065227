// A picture or a short film of one's own: who on it wears what.

import { ask, asked, Problem } from "./ask.js";
import { pictures } from "./film.js";
import { opened } from "./frame.js";
import { badge, complain, current, fill, h } from "./parts.js";
import { listed, marks, summed, told } from "./marked.js";
import { name, say } from "./words.js";

const LEAST = 0.05;
const session = await opened();

const choose = h("input", { type: "file", id: "file", accept: "image/*,video/*", class: "hidden", onchange: () => take(choose.files[0]) });
const drop = h("label", { class: "drop", for: "file", tabindex: 0 }, h("strong", {}, say("try.drop")), h("span", {}, say("try.choose")));
const said = h("p", { role: "status", class: "said" });
const result = h("section", { class: "result", hidden: true });
const floor = h("input", { type: "range", id: "floor", min: LEAST, max: 0.95, step: 0.05, value: 0.25 });
const floorSaid = h("output", { for: "floor" });
const strip = h("div", { class: "strip", hidden: true });
const stop = h("button", { type: "button", hidden: true, onclick: () => halt?.abort() }, say("try.stop"));
const summary = h("p", { class: "summary" });
const people = h("ul", { class: "people" });
const boxes = h("p", { class: "quiet" });
const stage = h("div", { class: "stage" });
const save = h("button", { type: "button", onclick: () => keep().catch(complain) }, say("try.save"));

let halt = null;
let shots = [];
let shown = null;

fill(
  document.getElementById("main"),
  h("h1", {}, say("try.title")),
  session.watching ? null : h("p", { class: "note" }, say("try.no_cameras"), " ", h("code", {}, "ppe serve --site site.yaml")),
  drop, choose, said, stop, result,
);
fill(
  result,
  h("div", { class: "pane" }, stage, strip),
  h("div", { class: "pane" }, summary, people,
    h("div", { class: "card" }, h("label", { for: "floor" }, say("try.floor")), floor, floorSaid, boxes, h("p", { class: "quiet" }, say("try.floor_says"))), save),
);

floor.addEventListener("input", () => shown && display(shown));
drop.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && choose.click());
for (const kind of ["dragover", "dragenter"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files[0]); });
document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));

async function take(file) {
  if (!file) return;
  halt?.abort();
  halt = new AbortController();
  const { signal } = halt;
  for (const shot of shots) URL.revokeObjectURL(shot.url);
  shots = [];
  shown = null;
  result.hidden = strip.hidden = true;
  fill(strip);
  choose.value = "";
  try {
    if (file.type.startsWith("video/")) await film(file, signal);
    else await photo(file, signal);
  } catch (error) {
    if (!signal.aborted) fault(error);
  } finally {
    if (halt.signal === signal) stop.hidden = true;
  }
}

async function judged(blob, signal, filename) {
  const body = new FormData();
  body.append("image", blob, filename);
  for (;;) {
    try {
      const answer = await asked(`/v1/detect?confidence=${LEAST}`, { method: "POST", body, signal });
      return answer.images[0];
    } catch (error) {
      if (error.code !== "BUSY" || signal.aborted) throw error;
      await new Promise((again) => setTimeout(again, 2000));
    }
  }
}

async function photo(file, signal) {
  fill(said, say("try.judging"));
  const picture = await judged(file, signal, file.name);
  fill(said);
  add({ picture, blob: file, at: 0 });
}

async function film(file, signal) {
  stop.hidden = false;
  strip.hidden = false;
  for await (const one of pictures(file)) {
    if (signal.aborted) break;
    fill(said, say("try.progress", { n: one.number + 1, of: one.of }), " ", h("progress", { max: one.of, value: one.number }));
    add({ picture: await judged(one.blob, signal, "frame.jpg"), blob: one.blob, at: one.at });
  }
  if (halt.signal !== signal) return;
  const bad = shots.filter((shot) => shot.picture.summary.not_compliant).length;
  fill(said, badge(bad ? "bad" : "good", say("try.film", { n: shots.length, bad })), " ", h("span", { class: "quiet" }, say("try.film_says")));
}

function add(shot) {
  shot.url = URL.createObjectURL(shot.blob);
  shots.push(shot);
  result.hidden = false;
  const { not_compliant: bad, undecided, people: n } = shot.picture.summary;
  const level = bad ? "bad" : undecided ? "unsure" : n ? "good" : "idle";
  const sign = { bad: "✕", unsure: "?", good: "✓", idle: "–" }[level];
  const button = h("button", { type: "button", class: level, "aria-label": say("try.at", { at: shot.at.toFixed(1) }), onclick: () => display(shot) }, sign);
  shot.button = button;
  strip.append(button);
  if (!shown || shots.length === 1 || shown === shots.at(-2)) display(shot);
}

function display(shot) {
  const changed = shown !== shot;
  shown = shot;
  const least = Number(floor.value);
  floorSaid.value = least.toFixed(2);
  for (const one of shots) current(one.button, one === shot);
  if (changed) {
    const img = h("img", { src: shot.url, alt: say("try.picture"), onerror: () => drawnThere(shot, img) });
    fill(stage, img);
    summed(summary, shot.picture.summary);
    fill(people, ...told(shot.picture));
  }
  stage.querySelector("svg")?.remove();
  stage.append(marks(shot.picture, least));
  fill(boxes, listed(shot.picture, least));
}

const drawing = async (shot) => {
  const body = new FormData();
  body.append("image", shot.blob, "picture");
  return (await ask("/v1/detect", { method: "POST", body, headers: { Accept: "image/jpeg" } })).blob();
};

/** Of a kind that browsers don't show (TIFF), the service's own drawing is. */
async function drawnThere(shot, img) {
  img.onerror = null;
  img.src = URL.createObjectURL(await drawing(shot));
  stage.querySelector("svg")?.remove();
}

async function keep() {
  const url = URL.createObjectURL(await drawing(shown));
  h("a", { href: url, download: "judged.jpg" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function fault(error) {
  const text = error instanceof Problem ? `${name("problem", error.code)}: ${error.message}`
    : ["late", "unreadable"].includes(error.message) ? say("try.no_film") : say("lost");
  fill(said, badge("bad", text));
}
