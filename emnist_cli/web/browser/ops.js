/**
 * Small operations on gray pictures and masks; ops.py in JavaScript.
 *
 * @typedef {import("./resample.js").Gray} Gray
 * @typedef {import("./resample.js").Bytes} Bytes
 * @typedef {{width: number, height: number, data: Uint8Array}} Mask 1 where it is true, else 0.
 * @typedef {{top: number, left: number, bottom: number, right: number}} Box bottom and right exclusive.
 */

import { BOX, resample } from "./resample.js";

/** @param {number} value rounded as Python does: halves to the even number. */
export function round(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 ? down + 1 : down;
}

/** @param {number} width @param {number} height @returns {Gray} */
export const blank = (width, height) => ({ width, height, data: new Float32Array(width * height) });

/** @param {number} width @param {number} height @returns {Mask} */
export const noMask = (width, height) => ({ width, height, data: new Uint8Array(width * height) });

/** @param {Gray} gray @param {(value: number, at: number) => number} change @returns {Gray} */
export function map({ width, height, data }, change) {
  return { width, height, data: data.map(change) };
}

/** @param {Gray | Mask} picture @param {(value: number, at: number) => boolean} test @returns {Mask} */
export function where({ width, height, data }, test) {
  const mask = noMask(width, height);
  for (let i = 0; i < data.length; i++) mask.data[i] = test(data[i], i) ? 1 : 0;
  return mask;
}

/**
 * Scale a picture by a factor, never below one pixel a side.
 * @param {Gray | Bytes} picture @param {number} scale @param {import("./resample.js").Filter} [filter] the default is
 *   the mean over each new pixel's area.
 * @returns {Gray}
 */
export function resize(picture, scale, filter = BOX) {
  const size = (/** @type {number} */ side) => Math.max(1, round(side * scale));
  const scaled = scale === 1 ? picture : resample(picture, size(picture.width), size(picture.height), filter);
  const { width, height, data } = scaled;
  if (data instanceof Float32Array) return { width, height, data };
  const out = blank(width, height);
  for (let i = 0; i < data.length; i++) out.data[i] = data[i] / 255;
  return out;
}

/** @param {Float32Array} values @param {number} share @returns {number} the value below which that share of them lies. */
export function quantile(values, share) {
  return values.slice().sort()[Math.trunc(share * (values.length - 1))];
}

/** @param {ArrayLike<number>} values */
export function total(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/** @param {ArrayLike<number>} values @returns {{least: number, most: number}} */
export function extremes(values) {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return { least, most };
}

/**
 * Cut out a part.
 * @template {Gray | Bytes | Mask} Picture
 * @param {Picture} picture @param {Box} box what is outside of the picture is left out.
 * @returns {Picture}
 */
export function crop({ width, height, data }, box) {
  const [top, left] = [Math.max(0, box.top), Math.max(0, box.left)];
  const [bottom, right] = [Math.min(height, box.bottom), Math.min(width, box.right)];
  const out = new /** @type {any} */ (data.constructor)((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) {
    out.set(data.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return /** @type {Picture} */ ({ width: right - left, height: bottom - top, data: out });
}

/** @param {Gray} gray @param {number} margin @param {number} [outside] @returns {Gray} with a margin of one value. */
export function bordered(gray, margin, outside = 0) {
  const out = blank(gray.width + 2 * margin, gray.height + 2 * margin);
  if (outside) out.data.fill(outside);
  for (let y = 0; y < gray.height; y++) {
    const row = gray.data.subarray(y * gray.width, (y + 1) * gray.width);
    out.data.set(row, (y + margin) * out.width + margin);
  }
  return out;
}

/** @param {Gray} gray @param {number} radius @returns {Gray} the mean over a square window, edges repeated. */
export function boxBlur(gray, radius) {
  const once = along(gray, "x", (line, out) => blurLine(line, out, radius));
  return along(once, "y", (line, out) => blurLine(line, out, radius));
}

/** @param {Float32Array} line @param {Float32Array} out @param {number} radius */
function blurLine(line, out, radius) {
  const last = line.length - 1;
  const at = (/** @type {number} */ i) => line[Math.max(0, Math.min(last, i))];
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += at(i);
  for (let i = 0; i <= last; i++) {
    out[i] = sum / (2 * radius + 1);
    sum += at(i + radius + 1) - at(i - radius);
  }
}

/** @param {Gray} gray @param {number} radius @returns {Gray} the maximum over a square window; the outside is left out. */
export const highest = (gray, radius) => slide(gray, radius, Math.max);

/** @param {Gray} gray @param {number} radius @returns {Gray} the minimum. */
export const lowest = (gray, radius) => slide(gray, radius, Math.min);

/** @param {Gray} gray @param {number} radius @param {(...values: number[]) => number} pick */
function slide(gray, radius, pick) {
  const each = (/** @type {Float32Array} */ line, /** @type {Float32Array} */ out) => {
    for (let i = 0; i < line.length; i++) {
      let found = line[i];
      const end = Math.min(line.length - 1, i + radius);
      for (let k = Math.max(0, i - radius); k <= end; k++) found = pick(found, line[k]);
      out[i] = found;
    }
  };
  return along(along(gray, "x", each), "y", each);
}

/**
 * Do something with every row or column.
 * @param {Gray} gray @param {"x" | "y"} axis @param {(line: Float32Array, out: Float32Array) => void} act
 * @returns {Gray}
 */
function along({ width, height, data }, axis, act) {
  const result = blank(width, height);
  const [count, length] = axis === "x" ? [height, width] : [width, height];
  const [stride, step] = axis === "x" ? [width, 1] : [1, width];
  const [line, out] = [new Float32Array(length), new Float32Array(length)];
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < length; i++) line[i] = data[n * stride + i * step];
    act(line, out);
    for (let i = 0; i < length; i++) result.data[n * stride + i * step] = out[i];
  }
  return result;
}

/** @param {Mask} mask @returns {Box} of what is true; something must be. */
export function bounds({ width, height, data }) {
  const box = { top: height, left: width, bottom: 0, right: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!data[y * width + x]) continue;
      box.top = Math.min(box.top, y);
      box.bottom = y + 1;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
    }
  }
  return box;
}

/** @param {Mask} mask @param {number} radius @returns {Mask} grown by a square of `radius` either way. */
export function dilate({ width, height, data }, radius) {
  const [wide, grown] = [noMask(width, height), noMask(width, height)];
  for (let y = 0; y < height; y++) {
    const row = wide.data.subarray(y * width, (y + 1) * width);
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]) row.fill(1, Math.max(0, x - radius), x + radius + 1);
    }
  }
  for (let y = 0; y < height; y++) {
    const [first, last] = [Math.max(0, y - radius), Math.min(height - 1, y + radius)];
    for (let x = 0; x < width; x++) {
      if (!wide.data[y * width + x]) continue;
      for (let to = first; to <= last; to++) grown.data[to * width + x] = 1;
    }
  }
  return grown;
}

/** @param {Mask} mask @returns {boolean} */
export const any = ({ data }) => data.includes(1);
