/**
 * The pixels of a picture -> grayscale, the one kind of image that preprocessing takes; grayscale.py in JavaScript.
 *
 * @typedef {{width: number, height: number, data: Uint8ClampedArray}} Rgba four bytes a pixel, alpha last.
 * @typedef {import("./resample.js").Bytes} Bytes
 */

const LUMINANCE = [0.299, 0.587, 0.114];

/** @param {Rgba} picture @returns {Bytes} upright, 0 black; laid on contrasting paper if clear. */
export function toGray(picture) {
  const alpha = channelOf(picture, 3);
  const gray = { width: picture.width, height: picture.height, data: showInk(picture) };
  return alpha.some((value) => value < 255) ? layOnPaper(gray, alpha) : gray;
}

/** @param {Rgba} picture @param {number} channel @returns {Uint8Array} */
function channelOf({ data }, channel) {
  const out = new Uint8Array(data.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = data[4 * i + channel];
  return out;
}

/** @param {Rgba} picture @returns {Uint8Array} as Pillow weighs the colors. */
function luminanceOf({ data }) {
  const out = new Uint8Array(data.length / 4);
  for (let i = 0; i < out.length; i++) {
    out[i] = (data[4 * i] * 19595 + data[4 * i + 1] * 38470 + data[4 * i + 2] * 7471 + 0x8000) >> 16;
  }
  return out;
}

/**
 * Luminance, or the color channel that shows the ink where luminance hardly does (yellow on white).
 * @param {Rgba} picture @returns {Uint8Array}
 */
function showInk(picture) {
  const small = reduce(picture, Math.max(1, Math.trunc(Math.max(picture.width, picture.height) / 100)));
  if (!hasColor(small)) return luminanceOf(picture);
  const spreads = [0, 1, 2].map((channel) => spread(small, (r, g, b) => [r, g, b][channel]));
  const luminance = spread(small, (r, g, b) => LUMINANCE[0] * r + LUMINANCE[1] * g + LUMINANCE[2] * b);
  const most = Math.max(...spreads);
  return most > 2.5 * luminance ? channelOf(picture, spreads.indexOf(most)) : luminanceOf(picture);
}

/** @param {Rgba} picture */
function hasColor({ data }) {
  for (let i = 0; i < data.length; i += 4) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return true;
  return false;
}

/** @param {Rgba} picture @param {(r: number, g: number, b: number) => number} value @returns {number} its deviation. */
function spread({ data }, value) {
  const count = data.length / 4;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const each = value(data[i], data[i + 1], data[i + 2]);
    sum += each;
    squares += each * each;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/**
 * Lay a picture with transparency on paper: on its own where it shows some, else on what contrasts with the ink.
 * @param {Bytes} gray @param {Uint8Array} alpha @returns {Bytes}
 */
function layOnPaper(gray, alpha) {
  const opaque = gray.data.filter((_, i) => alpha[i] > 127);
  const mean = opaque.reduce((a, b) => a + b, 0) / opaque.length;
  const deviation = Math.sqrt(opaque.reduce((sum, value) => sum + (value - mean) ** 2, 0) / opaque.length);
  let paper = mean > 127 ? 0 : 255; // the ink alone: little of the picture, or all of one brightness
  if (opaque.length > gray.data.length / 2 && deviation > 5) paper = opaque.slice().sort()[opaque.length >> 1];
  const data = gray.data.map((value, i) => {
    const sum = paper * (255 - alpha[i]) + value * alpha[i] + 128;
    return ((sum >> 8) + sum) >> 8; // divided by 255, as Pillow does
  });
  return { ...gray, data };
}

/**
 * Reduce a picture by a whole factor: the mean of each square, in which what is clear does not count.
 * @param {Rgba} picture @param {number} factor @returns {Rgba}
 */
export function reduce(picture, factor) {
  if (factor === 1) return picture;
  const [width, height] = [Math.ceil(picture.width / factor), Math.ceil(picture.height / factor)];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(meanOf(picture, x * factor, y * factor, factor), 4 * (y * width + x));
  }
  return { width, height, data };
}

/** @param {Rgba} picture @param {number} left @param {number} top @param {number} side @returns {number[]} */
function meanOf({ width, height, data }, left, top, side) {
  const [right, bottom] = [Math.min(width, left + side), Math.min(height, top + side)];
  let [red, green, blue, alpha] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = 4 * (y * width + left), end = 4 * (y * width + right); at < end; at += 4) {
      red += data[at] * data[at + 3];
      green += data[at + 1] * data[at + 3];
      blue += data[at + 2] * data[at + 3];
      alpha += data[at + 3];
    }
  }
  const opaque = alpha || 1;
  const clear = alpha / ((right - left) * (bottom - top));
  return [red / opaque, green / opaque, blue / opaque, clear].map((value) => Math.floor(value + 0.5));
}
