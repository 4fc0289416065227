// The page's texts, as they stand in it: `say` fills them in, as service/delivery/catalogue.py does.

const known = JSON.parse(document.getElementById("words").textContent);
export const language = known.language;

/** Return a text with its words filled in; one that counts takes its form from `n`. */
export function say(key, words = {}) {
  const found = known.texts[key];
  if (found === undefined) throw new Error(`there is no text ${key}`);
  const text = typeof found === "string" ? found : found[form(words.n ?? 0)];
  return text.replace(/{(\w+)}/g, (_, name) => String(words[name]));
}

/** Return a text if there is one for a word of the API, else the word itself. */
export function name(kind, word) {
  return `${kind}.${word}` in known.texts ? say(`${kind}.${word}`) : word.replaceAll("_", " ");
}

function form(n) {
  const values = { is: n, mod10: n % 10, mod100: n % 100 };
  for (const [one, conditions] of Object.entries(known.plural)) {
    const { not_mod100: not = [], ...wanted } = conditions;
    const holds = Object.entries(wanted).every(([value, numbers]) => numbers.includes(values[value]));
    if (holds && !not.includes(n % 100)) return one;
  }
  return "other";
}

/** Return an id that is free: of a name's Latin letters, else of a word and a number. */
export function idOf(named, otherwise, taken) {
  const plain = named.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  if (plain && plain !== "whole-picture" && !taken.includes(plain)) return plain;
  let number = taken.length + 1;
  while (taken.includes(`${otherwise}-${number}`)) number += 1;
  return `${otherwise}-${number}`;
}

const LONG = [["d", 86400], ["h", 3600], ["min", 60]];

/** Return how long something lasts, to the unit that matters. */
export function span(seconds) {
  const [unit, size] = LONG.find(([, size]) => seconds >= size) ?? ["s", 1];
  return say(`span.${unit}`, { n: Math.max(0, Math.floor(seconds / size)) });
}

const CLOCK = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });

/** Return the time of day of an instant, with its day unless that is today. */
export function clock(instant) {
  const at = new Date(instant);
  const today = at.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(at) : `${DAY.format(at)} ${CLOCK.format(at)}`;
}
