/** Which characters may be answered; the part of labels.py that a page needs, in JavaScript. */

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();

/** The character sets that have a name. @type {Record<string, string>} */
const CHARSETS = { digits: DIGITS, upper: UPPER, lower: LOWER, letters: LOWER + UPPER, alnum: DIGITS + LOWER + UPPER };

/** What is asked makes no sense; the message says why. */
export class UsageError extends Error {}

/**
 * Turn what `--charset` takes into a set of characters.
 * @param {string} text a name, several joined by commas, or literal characters and ranges ("0-9A-F").
 * @returns {Set<string>}
 * @throws {UsageError}
 */
export function parseCharset(text) {
  const names = text.split(",");
  if (names.every((name) => Object.hasOwn(CHARSETS, name))) return new Set(names.map((name) => CHARSETS[name]).join(""));
  const found = new Set(expandRanges([...text]));
  const strangers = [...found].filter((character) => !CHARSETS.alnum.includes(character)).sort();
  if (found.size && !strangers.length) return found;
  const what = strangers.length ? `'${strangers.join("")}' in '${text}'` : `'${text}'`;
  const known = Object.keys(CHARSETS).join(", ");
  throw new UsageError(`charset: expected ${known} or characters and ranges such as 0-9A-F. Received: ${what}`);
}

/** @param {string[]} characters @returns {string[]} */
function expandRanges(characters) {
  const out = [];
  for (let i = 0; i < characters.length; i++) {
    const [first, last] = [characters[i], characters[i + 2]];
    if (last === undefined || characters[i + 1] !== "-") {
      out.push(first);
      continue;
    }
    if (first > last) throw new UsageError(`charset: the range ${first}-${last} runs backwards; write ${last}-${first}.`);
    const [from, to] = [Number(first.codePointAt(0)), Number(last.codePointAt(0))];
    for (let code = from; code <= to; code++) out.push(String.fromCodePoint(code));
    i += 2;
  }
  return out;
}

/** @param {string} character @returns {string} the other case of a letter; anything else unchanged. */
export function swapCase(character) {
  return UPPER.includes(character) ? character.toLowerCase() : character.toUpperCase();
}
