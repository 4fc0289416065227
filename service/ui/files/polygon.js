// Corners of a zone, relative to the picture (0..1). Pure: no page is touched here.

const PLACES = 4;

/** Round to what a site file holds, and keep it on the picture. */
export const held = (value) => Math.min(1, Math.max(0, Number(value.toFixed(PLACES))));

/** Move all corners together, as far as the picture goes. */
export function moved(polygon, dx, dy) {
  const room = (values, by) => Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  const x = room(polygon.map((corner) => corner[0]), dx);
  const y = room(polygon.map((corner) => corner[1]), dy);
  return polygon.map((corner) => [held(corner[0] + x), held(corner[1] + y)]);
}

/** Return the places between corners where another one can be put. */
export function middles(polygon) {
  return polygon.map(([x, y], at) => {
    const [nextX, nextY] = polygon[(at + 1) % polygon.length];
    return [(x + nextX) / 2, (y + nextY) / 2];
  });
}

/** Tell what is wrong with a polygon: "few", "flat" or "crossing"; null when nothing is. */
export function fault(polygon) {
  if (polygon.length < 3) return "few";
  if (crosses(polygon)) return "crossing";
  const around = polygon.map(([x, y], at) => {
    const [nextX, nextY] = polygon[(at + 1) % polygon.length];
    return x * nextY - nextX * y;
  });
  return Math.abs(around.reduce((sum, one) => sum + one, 0)) < 2e-5 ? "flat" : null;
}

function crosses(polygon) {
  const sides = polygon.map((corner, at) => [corner, polygon[(at + 1) % polygon.length]]);
  return sides.some((one, at) => sides.some((other, later) => {
    const neighbours = later === at + 1 || (at === 0 && later === sides.length - 1);
    return later > at && !neighbours && meet(...one, ...other);
  }));
}

const side = ([ax, ay], [bx, by], [x, y]) => Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));
const between = (a, b, c) => Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1]);

function meet(a, b, c, d) {
  const [first, second, third, fourth] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (first !== second && third !== fourth) return true;
  return (!first && between(a, b, c)) || (!second && between(a, b, d)) || (!third && between(c, d, a)) || (!fourth && between(c, d, b));
}
