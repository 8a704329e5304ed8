/**
 * What is known of the paper before any ink is: whether it is the bright side, how bright where, how noisy;
 * background.py in JavaScript.
 *
 * @typedef {import("./resample.js").Gray} Gray
 * @typedef {import("./ops.js").Mask} Mask
 */

import { blank, boxBlur, crop, extremes, highest, lowest, map, resize, round, total, where } from "./ops.js";
import { BILINEAR, resample } from "./resample.js";

/** @param {Gray} gray @returns {boolean} whether ink is darker than paper. */
export function isDarkInk(gray) {
  const small = withoutFrame(resize(gray, Math.min(1, 64 / Math.max(gray.width, gray.height))));
  const blurred = boxBlur(small, Math.trunc(Math.max(small.width, small.height) / 2));
  const local = small.data.map((value, i) => value - blurred.data[i]);
  const mean = total(local) / local.length;
  let [squares, cubes] = [0, 0];
  for (const value of local) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  const spread = Math.sqrt(squares / local.length);
  if (spread < 1e-6) return true;
  const skew = cubes / local.length / spread ** 3;
  const dark = darkOf(small);
  const border = borderShare(dark);
  const within = Math.max(-1, Math.min(3 * (border - total(dark.data) / dark.data.length), 1));
  const light = Math.max(-2, Math.min(skew, 2)) + (2 * border - 1) + within;
  return light < 0.1; // where nothing speaks for either side, paper is the bright one
}

/** @param {Gray} small @returns {Mask} */
function darkOf(small) {
  const { least, most } = extremes(small.data);
  const middle = Math.fround((least + most) / 2);
  return where(small, (value) => value < middle);
}

/** @param {Mask} dark @param {number} [inset] @returns {number} the share of dark pixels along the border. */
function borderShare({ width, height, data }, inset = 0) {
  const [bottom, right] = [height - 1 - inset, width - 1 - inset];
  let count = 0;
  for (let x = inset; x <= right; x++) count += data[inset * width + x] + data[bottom * width + x];
  for (let y = inset; y <= bottom; y++) count += data[y * width + inset] + data[y * width + right];
  return count / (2 * (right - inset + 1) + 2 * (bottom - inset + 1));
}

/** @param {Gray} small @returns {Gray} without a dark frame: it says nothing of what it surrounds. */
function withoutFrame(small) {
  const dark = darkOf(small);
  const outside = borderShare(dark);
  if (outside <= 0.85) return small;
  for (let inset = 1; inset < Math.trunc(Math.min(small.width, small.height) / 5); inset++) {
    if (outside - borderShare(dark, inset) > 0.85) {
      return crop(small, { top: inset, left: inset, bottom: small.height - inset, right: small.width - inset });
    }
  }
  return small;
}

/**
 * How bright the paper is at each pixel, by morphological closing on a coarse grid.
 * @param {Gray} bright ink darker than paper.
 * @returns {Gray}
 */
export function estimatePaper(bright) {
  const { width, height } = bright;
  const block = Math.max(1, Math.ceil(Math.max(width, height) / 48));
  const grid = brightest(bright, block);
  const light = fitLight(grid);
  const alone = close(grid);
  const relative = close(map(grid, (value, i) => value / light.data[i]));
  let closed = map(alone, (value, i) => Math.min(value / light.data[i], relative.data[i]));
  if (block > 1) closed = lowest(closed, 1); // beside a shadow's edge the darker side counts, or the edge were ink
  const paper = map(closed, (value, i) => value * light.data[i]);
  if (block === 1) return paper;
  const fine = resample(paper, grid.width * block, grid.height * block, BILINEAR);
  return crop(fine, { top: 0, left: 0, bottom: height, right: width });
}

/**
 * The brightness that a quarter of each block of pixels exceeds; blocks cut by the border repeat their edge.
 * @param {Gray} bright @param {number} block @returns {Gray}
 */
function brightest(bright, block) {
  if (block === 1) return bright;
  const { width, height, data } = bright;
  const grid = blank(Math.ceil(width / block), Math.ceil(height / block));
  const values = new Float32Array(block * block);
  for (let at = 0; at < grid.data.length; at++) {
    const [left, top] = [(at % grid.width) * block, Math.trunc(at / grid.width) * block];
    for (let i = 0; i < values.length; i++) {
      const [x, y] = [left + (i % block), top + Math.trunc(i / block)];
      values[i] = data[Math.min(y, height - 1) * width + Math.min(x, width - 1)];
    }
    grid.data[at] = values.sort()[Math.trunc((block * block * 3) / 4)];
  }
  return grid;
}

/** @param {Gray} grid @returns {Gray} closed with a square of two fifths of the picture. */
function close(grid) {
  const radius = Math.max(1, Math.trunc(Math.max(grid.width, grid.height) / 5));
  return lowest(highest(grid, radius), radius);
}

/**
 * Fit a plane to the paper's brightness, by least squares that soon ignore what is darker: the ink.
 * @param {Gray} grid @returns {Gray}
 */
function fitLight(grid) {
  const { width, height, data } = grid;
  const flat = Math.min(width, height) === 1; // a line of pixels has no slope
  const terms = Array.from(data, (_, i) => {
    if (flat) return [1, 0, 0];
    return [1, (2 * (i % width)) / (width - 1) - 1, (2 * Math.trunc(i / width)) / (height - 1) - 1];
  });
  let weights = new Float64Array(data.length).fill(1);
  let plane = new Float64Array(data.length);
  for (let round = 0; round < 6; round++) {
    const [a, b, c] = leastSquares(terms, data, weights);
    plane = plane.map((_, i) => a * terms[i][0] + b * terms[i][1] + c * terms[i][2]);
    const before = weights;
    weights = weights.map((_, i) => (data[i] < plane[i] - 0.02 ? 0.02 : 1));
    if (weights.every((weight, i) => weight === before[i])) break;
  }
  const least = 0.1 * extremes(data).most + 0.02;
  return map(grid, (_, i) => Math.max(plane[i], least));
}

/**
 * @param {number[][]} terms three for each value @param {Float32Array} values @param {Float64Array} weights
 * @returns {number[]} the factors of the terms.
 */
function leastSquares(terms, values, weights) {
  const rows = [0, 1, 2].map((i) => {
    const row = [0, 0, 0, 0];
    terms.forEach((term, k) => {
      for (let j = 0; j < 3; j++) row[j] += weights[k] * term[i] * term[j];
      row[3] += weights[k] * term[i] * values[k];
    });
    row[i] += 1e-6;
    return row;
  });
  for (let i = 0; i < 3; i++) { // Gauss and Jordan; the matrix is symmetric and positive, so no pivot is needed
    for (let k = 0; k < 3; k++) {
      if (k === i) continue;
      const factor = rows[k][i] / rows[i][i];
      rows[k] = rows[k].map((value, j) => value - factor * rows[i][j]);
    }
  }
  return rows.map((row, i) => row[3] / row[i]);
}

/**
 * Middle and spread of what is paper among depths: what is not far above the rest, narrowed step by step.
 * @param {Gray} depth
 * @returns {{offset: number, noise: number}} the paper's own depth, and the standard deviation of its noise.
 */
export function measurePaper({ width, height, data }) {
  const step = Math.max(1, round(Math.sqrt(data.length / 8000)));
  const some = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) some.push(data[y * width + x]);
  }
  const ordered = Float32Array.from(some).sort();
  const last = ordered.length - 1;
  let limit = (ordered[Math.trunc(0.1 * last)] + ordered[Math.trunc(0.98 * last)]) / 2;
  let [offset, noise] = [0, 0];
  for (let round = 0; round < 4; round++) {
    const paper = ordered.subarray(0, countUpTo(ordered, Math.fround(limit)));
    const half = Math.trunc((paper.length - 1) / 2);
    offset = paper[half];
    // The median deviation: the half of the values that is nearest to the middle is a slice of them in order.
    let deviation = Infinity;
    for (let i = 0; i + half < paper.length; i++) {
      deviation = Math.min(deviation, Math.max(offset - paper[i], paper[half + i] - offset));
    }
    noise = 1.4826 * deviation;
    const before = limit;
    limit = Math.max(limit, offset + 2.5 * noise);
    if (limit === before) break;
  }
  return { offset, noise };
}

/** @param {Float32Array} ordered @param {number} limit @returns {number} how many are not above it. */
function countUpTo(ordered, limit) {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ordered[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
