/** Which characters may be answered; the part of labels.py that a page needs, in JavaScript. */

import { CHARSETS, LIKE_A_NAME } from "./constants.js";

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
  const near = /^\p{L}\p{Ll}+$/u.test(text) && nearestName(text.toLowerCase());
  if (near) {
    const otherwise = "in another order its characters themselves are taken";
    throw new UsageError(`charset: did you mean ${near}? Received: '${text}'; ${otherwise}`);
  }
  const found = new Set(expandRanges([...text]));
  const strangers = [...found].filter((character) => !CHARSETS.alnum.includes(character)).sort();
  if (found.size && !strangers.length) return found;
  const what = strangers.length ? `'${strangers.join("")}' in '${text}'` : `'${text}'`;
  const known = Object.keys(CHARSETS).join(", ");
  throw new UsageError(`charset: expected ${known} or characters and ranges such as 0-9A-F. Received: ${what}`);
}

/**
 * The name that was probably meant, as Python's difflib finds it.
 * @param {string} text
 * @returns {string | undefined}
 */
function nearestName(text) {
  const likeness = (/** @type {string} */ name) => (2 * countShared(name, text)) / (name.length + text.length);
  const near = Object.keys(CHARSETS).filter((name) => likeness(name) >= LIKE_A_NAME);
  return near.sort((a, b) => likeness(b) - likeness(a))[0];
}

/**
 * Characters that two texts share in the same order: the longest run in both, and what is left and right of it.
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
function countShared(a, b) {
  for (let length = Math.min(a.length, b.length); length; length--) {
    for (let i = 0; i + length <= a.length; i++) {
      const j = b.indexOf(a.slice(i, i + length));
      if (j < 0) continue;
      return length + countShared(a.slice(0, i), b.slice(0, j)) + countShared(a.slice(i + length), b.slice(j + length));
    }
  }
  return 0;
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
  return CHARSETS.upper.includes(character) ? character.toLowerCase() : character.toUpperCase();
}
