/**
 * A grayscale image of any size -> the 28x28 image that a network trained on EMNIST expects; normalize.py in
 * JavaScript, which says what is done and why. What an image in EMNIST's format looks like is the business of
 * emnist_format.js. Used by recognizer.js.
 *
 * @typedef {import("./resample.js").Gray} Gray
 * @typedef {import("./resample.js").Bytes} Bytes
 */

import { isDarkInk } from "./background.js";
import { BLUR, BOX, CANVAS, IMAGE_SIZE, STROKE } from "./constants.js";
import { haveForm, inkBox, isFinished, normalize, strokeWidth } from "./emnist_format.js";
import { findInk } from "./ink.js";
import { blank, bordered, crop, extremes, map, resize, round } from "./ops.js";
import { BICUBIC, gaussianBlur, resample } from "./resample.js";

/** Ink is looked for in pictures reduced to at most this many pixels a side. */
const WORK_SIDE = 320;

/**
 * Bring a picture of one character into EMNIST's format.
 * @param {Bytes} gray upright, 0 black @param {string} [ink] "dark" or "light" where it is known, else "auto".
 * @returns {?Gray} 28x28, white ink on black, or null when there is no ink.
 */
export function preprocess(gray, ink = "auto") {
  if (ink !== "dark" && isFinished(gray)) return normalize(gray);
  const density = locate(gray, ink === "auto" ? null : ink === "dark");
  if (!density) return null;
  if (density.width === IMAGE_SIZE && density.height === IMAGE_SIZE && haveForm(density)) return density;
  return finish(density);
}

/**
 * Find the ink in a reduced picture; where it is small there, look again at that place alone.
 * @param {Bytes} gray @param {?boolean} dark null where it is not known.
 * @returns {?Gray}
 */
function locate(gray, dark) {
  const scale = Math.min(1, WORK_SIDE / Math.max(gray.width, gray.height));
  const small = resize(gray, scale);
  const isDark = dark ?? isDarkInk(small);
  const found = findInk(small, isDark);
  if (!found || scale === 1) return found;
  const { top, left, bottom, right } = inkBox(found);
  const side = Math.max(bottom - top, right - left);
  if (side >= WORK_SIDE / 5) return found;
  const margin = Math.trunc(side / 2);
  const place = {
    top: Math.trunc((top - margin) / scale),
    left: Math.trunc((left - margin) / scale),
    bottom: Math.trunc((bottom + margin) / scale),
    right: Math.trunc((right + margin) / scale),
  };
  return locate(crop(gray, place), isDark) ?? found;
}

/** @param {Gray} found @returns {Gray} cropped, with its stroke width and softness set, scaled and centered. */
function finish(found) {
  let density = crop(found, inkBox(found));
  const side = Math.max(density.width, density.height);
  const detailed = side > 1.5 * BOX; // more than the finished picture holds: sharpen to ink and paper, as EMNIST starts
  if (detailed) {
    const gain = Math.min(4, side / BOX);
    density = map(density, (value) => Math.min(1, Math.max(0, 0.5 + gain * (value - 0.5))));
  }
  const width = (strokeWidth(density) * BOX) / side;
  const wanted = Math.max(STROKE[0], Math.min(width, STROKE[1]));
  if (detailed || wanted !== width) density = redraw(density, ((wanted - width) * CANVAS) / BOX, detailed ? BLUR : 0);
  return center(crop(density, inkBox(density)));
}

/**
 * Scale to the working canvas, thicken strokes by `change` pixels there (thin if negative), blur.
 * @param {Gray} density @param {number} change @param {number} blur @returns {Gray}
 */
function redraw(density, change, blur) {
  const scale = CANVAS / Math.max(density.width, density.height);
  let padded = bordered(resize(density, scale, BICUBIC), 8 + Math.max(0, round(change)));
  if (Math.abs(change) >= 0.5) padded = thicken(padded, change / 2);
  const { width, height } = padded;
  const data = Uint8Array.from(padded.data, (value) => Math.min(1, Math.max(0, value)) * 255 + 0.5);
  return resize(gaussianBlur({ width, height, data }, blur), 1);
}

/** @param {Gray} density @param {number} radius of a disc to grow ink by; fractions blend two @returns {Gray} */
function thicken(density, radius) {
  const invert = (/** @type {Gray} */ gray) => map(gray, (value) => 1 - value);
  if (radius < 0) return invert(thicken(invert(density), -radius));
  const whole = Math.trunc(radius);
  const [inner, outer] = [grow(density, whole), grow(density, whole + 1)];
  return map(inner, (value, i) => value + (outer.data[i] - value) * (radius - whole));
}

/** @param {Gray} density @param {number} radius @returns {Gray} the maximum over a disc; what lies outside is left out. */
function grow(density, radius) {
  const { width, height } = density;
  const source = bordered(density, radius, -Infinity);
  const wide = source.data.slice(); // maximum over `reach` pixels to the left and right
  const out = density.data.slice();
  let reach = 0;
  for (let dy = radius; dy >= 0; dy--) { // from the disc's ends to its middle, where it is widest
    const wanted = Math.min(radius, Math.trunc(Math.sqrt(radius ** 2 - dy ** 2 + radius * 0.8)));
    for (let dx = reach + 1; dx <= wanted; dx++) {
      for (let i = dx; i < wide.length - dx; i++) wide[i] = Math.max(wide[i], source.data[i - dx], source.data[i + dx]);
    }
    reach = wanted;
    for (let y = 0; y < height; y++) {
      const [above, below] = [y + radius - dy, y + radius + dy].map((row) => row * source.width + radius);
      for (let x = 0; x < width; x++) {
        out[y * width + x] = Math.max(out[y * width + x], wide[above + x], wide[below + x]);
      }
    }
  }
  return { width, height, data: out };
}

/** @param {Gray} density cropped ink @returns {Gray} with a longer side of 24 pixels, its box centered in 28x28. */
function center(density) {
  const side = Math.max(density.width, density.height);
  const size = (/** @type {number} */ length) => Math.max(1, round((length * BOX) / side));
  const scaled = side === BOX ? density : resample(density, size(density.width), size(density.height), BICUBIC);
  const out = blank(IMAGE_SIZE, IMAGE_SIZE);
  const [top, left] = [scaled.height, scaled.width].map((length) => Math.trunc((IMAGE_SIZE - length) / 2));
  for (let i = 0; i < scaled.data.length; i++) {
    const [x, y] = [left + (i % scaled.width), top + Math.trunc(i / scaled.width)];
    out.data[y * IMAGE_SIZE + x] = Math.max(0, scaled.data[i]);
  }
  const { most } = extremes(out.data);
  return map(out, (value) => Math.min(1, value / most));
}
