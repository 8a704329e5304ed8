/**
 * EMNIST's format: ink 24 pixels long, centered in 28x28, with strokes of a certain width. The measuring half of
 * normalize.py in JavaScript; used by normalize.js.
 *
 * @typedef {import("./resample.js").Gray} Gray
 * @typedef {import("./resample.js").Bytes} Bytes
 * @typedef {import("./ops.js").Mask} Mask
 */

import { BOX, IMAGE_SIZE, STROKE, TRACE } from "./constants.js";
import { bordered, bounds, extremes, total, where } from "./ops.js";
import { transpose } from "./resample.js";

/** @param {Gray} density @returns {Mask} */
const traced = (density) => where(density, (value) => value > TRACE);

/** @param {Gray} density @returns {import("./ops.js").Box} of what has any density. */
export const inkBox = (density) => bounds(traced(density));

/** @param {Gray | Bytes} picture @returns {Gray} divided by its maximum; a black one stays black. */
export function normalize({ width, height, data }) {
  const most = extremes(data).most || 1;
  return { width, height, data: Float32Array.from(data, (value) => value / most) };
}

/**
 * Tell whether a picture is in EMNIST's format beyond doubt: looking for ink in it could only spoil it.
 * @param {Bytes} picture
 */
export function isFinished(picture) {
  const { width, height, data } = picture;
  if (width !== IMAGE_SIZE || height !== IMAGE_SIZE) return false;
  const black = where({ width, height, data: Float32Array.from(data) }, (value) => value === 0);
  const last = IMAGE_SIZE - 1;
  const isBorder = (/** @type {number} */ i) => {
    const [x, y] = [i % IMAGE_SIZE, Math.trunc(i / IMAGE_SIZE)];
    return x === 0 || y === 0 || x === last || y === last;
  };
  if (!black.data.every((is, i) => is || !isBorder(i))) return false;
  if (extremes(data).most < 128 || total(black.data) <= IMAGE_SIZE ** 2 / 2) return false;
  const density = normalize(picture);
  return haveForm(density) && !hasFourSides(traced(density));
}

/** @param {Gray} density 28x28; whether its ink has EMNIST's size, place and stroke width already. */
export function haveForm(density) {
  const ink = traced(density);
  if (!ink.data.includes(1)) return false;
  const { top, left, bottom, right } = bounds(ink);
  const margins = [[top, IMAGE_SIZE - bottom], [left, IMAGE_SIZE - right]];
  const side = IMAGE_SIZE - Math.min(...margins.map(([before, after]) => before + after));
  if (margins.some(([before, after]) => Math.abs(before - after) > 2) || Math.abs(side - BOX) > 2) return false;
  const width = strokeWidth(density);
  return STROKE[0] <= width && width <= STROKE[1];
}

/** @param {Mask} ink 28x28; whether it lines all four sides of its place, as a frame does. */
const hasFourSides = (ink) => linesTopAndBottom(ink) && linesTopAndBottom(transpose(ink));

/** @param {Mask} ink */
function linesTopAndBottom({ data }) {
  const depth = (IMAGE_SIZE - BOX) / 2 + BOX / 8;
  return [0, IMAGE_SIZE - depth].every((first) => {
    let lined = 0;
    for (let x = 0; x < IMAGE_SIZE; x++) {
      let inked = 0;
      for (let y = first; y < first + depth; y++) inked |= data[y * IMAGE_SIZE + x];
      lined += inked;
    }
    return lined > 0.8 * BOX;
  });
}

/**
 * Mean stroke width in pixels: twice the ink's area over the length of its outline, which is its total variation.
 * @param {Gray} density
 */
export function strokeWidth(density) {
  const { width, height, data } = bordered(density, 1);
  let outline = 0;
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      outline += Math.hypot(data[at + width] - data[at], data[at + 1] - data[at]);
    }
  }
  return (2 * total(density.data)) / Math.max(outline, 1e-6);
}
