// Bars of worn, missing and unknown time, told apart by pattern as well as by colour.

import { draw, h } from "./parts.js";
import { shares } from "./tally.js";
import { say } from "./words.js";

const [WIDE, TALL, LOW] = [1000, 190, 52];
const STATES = ["worn", "missing", "unknown"];
let drawn = 0;

/** Return a share as a percentage that never makes more of it than there is. */
export const percent = (share) => (share === null ? "–" : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`);

/** Say compliance, and how much of the time it is known for. */
export function told(sums) {
  const { compliance, coverage } = shares(sums);
  return coverage === null ? "–" : say("reports.share", { worn: percent(compliance), known: percent(coverage) });
}

/**
 * Draw a bar a part.
 *
 * @param bars `{label, title, sums}` each; a label may be empty
 * @param name what the chart is called
 */
export function chart(bars, name) {
  drawn += 1;
  const mark = `pattern-${drawn}`;
  const over = draw("svg", { viewBox: `0 0 ${WIDE} ${TALL + LOW}`, class: "chart", role: "img", "aria-label": name });
  over.append(draw("defs", {}, hatched(`${mark}-missing`, "missing"), dotted(`${mark}-unknown`)));
  for (const share of [0, 0.5, 1]) over.append(draw("line", { x1: 0, x2: WIDE, y1: TALL * (1 - share), y2: TALL * (1 - share), class: "grid" }));
  const step = WIDE / bars.length;
  bars.forEach(({ label, title, sums }, at) => {
    const total = STATES.reduce((sum, state) => sum + sums[state], 0);
    const bar = draw("g", {}, draw("title", {}, `${title}: ${total ? told(sums) : say("reports.nobody")}`),
      draw("rect", { x: at * step, y: 0, width: step, height: TALL, class: "reach" }));
    let bottom = TALL;
    for (const state of total ? STATES : []) {
      const high = (TALL * sums[state]) / total;
      bottom -= high;
      const fill = state === "worn" ? null : `url(#${mark}-${state})`;
      bar.append(draw("rect", { x: at * step + step * 0.1, y: bottom, width: step * 0.8, height: high, class: state, fill }));
    }
    over.append(bar);
    const [x, anchor] = at ? [(at + 0.5) * step, "middle"] : [0, "start"];
    if (label) over.append(draw("text", { x, y: TALL + 42, "text-anchor": anchor }, label));
  });
  return over;
}

export const legend = () => h("p", { class: "legend quiet" }, STATES.map((state) => h("span", { class: `key ${state}` }, say(`reports.${state}`))));

function hatched(id, style) {
  return draw("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    draw("rect", { width: 8, height: 8, class: `${style} ground` }), draw("rect", { width: 3, height: 8, class: "line" }));
}

function dotted(id) {
  return draw("pattern", { id, width: 9, height: 9, patternUnits: "userSpaceOnUse" },
    draw("rect", { width: 9, height: 9, class: "unknown ground" }), draw("circle", { cx: 4.5, cy: 4.5, r: 1.6, class: "dot" }));
}
