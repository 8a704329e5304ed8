/**
 * Finding the ink in a gray picture of one character, whatever light and paper it was photographed in; ink.py in
 * JavaScript.
 *
 * @typedef {import("./resample.js").Gray} Gray
 */

import { keepCharacter } from "./cleanup.js";
import { estimatePaper, measurePaper } from "./background.js";
import { blank, bounds, crop, dilate, map, quantile, where } from "./ops.js";

/** Ink absorbs at least this share of the light that its paper returns; fainter marks are paper. */
const MIN_DEPTH = 0.07;

/** Ink is in the mean at least so deep, or so many times as deep as noise; less is the texture of the paper. */
const CLEARLY = [0.2, 5.5];

/**
 * Separate the character from paper, shadows, rules and specks.
 * @param {Gray} gray a few hundred pixels a side at most @param {boolean} dark whether ink is darker than paper.
 * @returns {?Gray} its density: 1 full ink, 0 paper and whatever is not the character; null where there is no ink.
 */
export function findInk(gray, dark) {
  const bright = dark ? gray : map(gray, (value) => 1 - value);
  const light = estimatePaper(bright);
  const absorbed = map(bright, (value, i) => (light.data[i] - value) / Math.max(light.data[i], 0.05));
  const { offset, noise } = measurePaper(absorbed);
  const depth = map(absorbed, (value) => value - offset);
  const faint = Math.fround(Math.max(MIN_DEPTH, 4 * noise));
  const candidates = depth.data.filter((value) => value > faint);
  if (candidates.length < 3) return null;
  const level = quantile(candidates, 0.8);
  const threshold = Math.fround(Math.max(0.45 * level, faint));
  const mask = keepCharacter(where(depth, (value) => value > threshold));
  if (!mask) return null;
  const box = bounds(mask);
  const around = {
    top: Math.max(0, box.top - 2),
    left: Math.max(0, box.left - 2),
    bottom: Math.min(gray.height, box.bottom + 2),
    right: Math.min(gray.width, box.right + 2),
  };
  const [near, inner] = [crop(mask, around), crop(depth, around)];
  const inked = inner.data.filter((_, i) => near.data[i]);
  if (inked.reduce((sum, value) => sum + value, 0) / inked.length < Math.min(CLEARLY[0], CLEARLY[1] * noise)) return null;
  const low = Math.min(3 * noise, 0.4 * level);
  const reach = dilate(near, 2);
  const density = blank(gray.width, gray.height);
  for (let i = 0; i < near.data.length; i++) {
    const share = Math.min(1, Math.max(0, (inner.data[i] - low) / (level - low)));
    const [x, y] = [around.left + (i % near.width), around.top + Math.trunc(i / near.width)];
    density.data[y * gray.width + x] = reach.data[i] ? share : 0;
  }
  return density;
}
