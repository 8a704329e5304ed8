/**
 * Asking one network several questions: its probabilities, masked to a charset, cases summed, renormalized;
 * label_view.py in JavaScript. Used by recognizer.js.
 *
 * @typedef {{labels: string[], places: number[]}} LabelView the answers, and for each class which of them it counts towards;
 *   -1 for none.
 */

import { UsageError, swapCase } from "./labels.js";

const TINY = 1.1754943508222875e-38; // the least probability in 32 bits

/**
 * Decide which answers a network may give.
 * @param {string[]} classes the characters that each class stands for, the one usually shown first.
 * @param {?Set<string>} allowed characters that may be answered; null for all.
 * @param {boolean} foldCase count both cases of a letter as one, shown in upper case where that is allowed.
 * @returns {LabelView}
 * @throws {UsageError} none of the network's classes is allowed.
 */
export function makeView(classes, allowed, foldCase) {
  const shown = classes.map((characters) => shownAs([...characters], allowed, foldCase));
  const labels = [...new Set(shown.filter(Boolean))];
  if (!labels.length) {
    const asked = [...(allowed ?? [])].sort().join("");
    throw new UsageError(`charset: this model knows none of '${asked}'; it knows ${classes.join(" ")}`);
  }
  return { labels, places: shown.map((label) => labels.indexOf(label)) };
}

/** @param {string[]} characters of a class @param {?Set<string>} allowed @param {boolean} foldCase */
function shownAs(characters, allowed, foldCase) {
  const both = foldCase ? [...characters, ...characters.map(swapCase)].sort() : characters; // upper case sorts first
  return both.find((character) => !allowed || allowed.has(character)) ?? "";
}

/**
 * Turn class probabilities into label probabilities.
 * @param {LabelView} view @param {ArrayLike<number>} probabilities @param {number} temperature divides the logits first, for
 *   which the logarithms of the probabilities do.
 * @returns {number[]} of each label; their sum is 1.
 */
export function applyView({ labels, places }, probabilities, temperature) {
  const logits = places.map((_, i) => Math.log(Math.max(probabilities[i], TINY)) / temperature);
  const most = Math.max(...logits.filter((_, i) => places[i] >= 0));
  const sums = labels.map(() => 0);
  places.forEach((place, i) => {
    if (place >= 0) sums[place] += Math.exp(logits[i] - most);
  });
  const all = sums.reduce((a, b) => a + b, 0);
  return sums.map((sum) => sum / all);
}
