/**
 * Pillow's own arithmetic: its resampling filters (Resample.c), reduction (Reduce.c) and Gaussian blur (BoxBlur.c). What
 * browsers have of the kind differs from one to the next, and a network sees the difference.
 *
 * @typedef {{width: number, height: number, data: Float32Array}} Gray in [0, 1], 0 black, row by row.
 * @typedef {{width: number, height: number, data: Uint8Array}} Bytes in [0, 255].
 * @typedef {{support: number, weight: (x: number) => number}} Filter how far it reaches, and its weight at a distance.
 */

/** @type {Filter} */
export const BOX = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** @type {Filter} */
export const BILINEAR = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** @type {Filter} */
export const BICUBIC = {
  support: 2,
  weight(x) {
    const [a, d] = [-0.5, Math.abs(x)];
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  },
};

const FIXED = 1 << 22; // weights of bytes are whole numbers of this part
const BLUR_PASSES = 3;
const BLUR_FIXED = 1 << 24;

/**
 * Scale a picture as `Image.resize` does: the filter grows with the reduction; rows first, then columns. (From version 13
 * on Pillow takes columns first where that is less work; a byte is then rounded otherwise here and there.)
 * @template {Gray | Bytes} Picture
 * @param {Picture} picture @param {number} width @param {number} height @param {Filter} filter
 * @returns {Picture} of the same kind: bytes are rounded after each direction.
 */
export function resample(picture, width, height, filter) {
  const wide = width === picture.width ? picture : transpose(scaleColumns(transpose(picture), width, filter));
  return height === wide.height ? wide : scaleColumns(wide, height, filter);
}

/**
 * @template {Gray | Bytes} Picture
 * @param {Picture} picture @param {number} height @param {Filter} filter
 * @returns {Picture}
 */
function scaleColumns(picture, height, filter) {
  const { width, data } = picture;
  const whole = data instanceof Uint8Array;
  const out = whole ? new Uint8Array(width * height) : new Float32Array(width * height);
  const sums = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const { first, weights } = weigh(y, picture.height, height, filter, whole);
    sums.fill(whole ? FIXED / 2 : 0);
    weights.forEach((weight, i) => {
      for (let x = 0, from = (first + i) * width; x < width; x++) sums[x] += weight * data[from + x];
    });
    for (let x = 0; x < width; x++) {
      out[y * width + x] = whole ? Math.min(255, Math.max(0, Math.floor(sums[x] / FIXED))) : sums[x];
    }
  }
  return /** @type {Picture} */ ({ width, height, data: out });
}

/**
 * How much each old pixel counts for a new one.
 * @param {number} at the new pixel @param {number} before old pixels in all @param {number} after new ones
 * @param {Filter} filter @param {boolean} whole whether weights are whole numbers
 */
function weigh(at, before, after, filter, whole) {
  const scale = before / after;
  const stretch = Math.max(1, scale);
  const support = filter.support * stretch;
  const center = (at + 0.5) * scale;
  const first = Math.max(0, Math.trunc(center - support + 0.5));
  const end = Math.min(before, Math.trunc(center + support + 0.5));
  const weights = [];
  for (let x = first; x < end; x++) weights.push(filter.weight((x - center + 0.5) / stretch));
  const sum = weights.reduce((a, b) => a + b, 0) || 1;
  const exact = weights.map((weight) => weight / sum);
  return { first, weights: whole ? exact.map((w) => Math.trunc(w * FIXED + Math.sign(w) * 0.5)) : exact };
}

/**
 * @template {Gray | Bytes} Picture
 * @param {Picture} picture
 * @returns {Picture}
 */
export function transpose({ width, height, data }) {
  const out = new /** @type {any} */ (data.constructor)(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out[x * height + y] = data[y * width + x];
  }
  return /** @type {Picture} */ ({ width: height, height: width, data: out });
}

/**
 * Blur as `ImageFilter.GaussianBlur` does: three box blurs whose outermost pixels count in part (Gwosdek et al.,
 * "Theoretical foundations of Gaussian convolution by extended box filtering", SSVM 2011).
 * @param {Bytes} picture @param {number} sigma standard deviation in pixels
 * @returns {Bytes}
 */
export function gaussianBlur(picture, sigma) {
  if (!sigma) return picture;
  const variance = (sigma * sigma) / BLUR_PASSES;
  const reach = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const part = ((2 * reach + 1) * (reach * (reach + 1) - 3 * variance)) / (6 * (variance - (reach + 1) ** 2));
  const across = blurRows(picture, reach + part);
  return transpose(blurRows(transpose(across), reach + part));
}

/** @param {Bytes} picture @param {number} radius @returns {Bytes} */
function blurRows({ width, height, data }, radius) {
  const reach = Math.trunc(radius);
  const inner = Math.trunc(Math.fround(BLUR_FIXED / Math.fround(radius * 2 + 1)));
  const outer = Math.trunc((BLUR_FIXED - (reach * 2 + 1) * inner) / 2);
  const out = new Uint8Array(data);
  const line = new Uint8Array(width + 2 * reach + 2); // with the ends repeated
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * width, (y + 1) * width);
    for (let pass = 0; pass < BLUR_PASSES; pass++) {
      line.fill(row[0], 0, reach + 1);
      line.set(row, reach + 1);
      line.fill(row[width - 1], reach + 1 + width);
      let sum = 0;
      for (let i = 1; i <= 2 * reach + 1; i++) sum += line[i];
      for (let x = 0; x < width; x++) {
        const ends = line[x] + line[x + 2 * reach + 2];
        row[x] = Math.floor((sum * inner + ends * outer + BLUR_FIXED / 2) / BLUR_FIXED);
        sum += line[x + 2 * reach + 2] - line[x + 1];
      }
    }
  }
  return { width, height, data: out };
}
