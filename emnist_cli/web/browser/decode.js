/**
 * A picture file -> its pixels, decoded by the browser; decode.py in JavaScript. Formats are told from the first bytes,
 * as there, and only those that every browser reads and the command reads too are handed on.
 *
 * @typedef {import("./grayscale.js").Rgba} Rgba
 */

import { LIMITS } from "./constants.js";
import { reduce } from "./grayscale.js";

const BAND = 256; // rows that are held at once of a picture that is reduced

/** @type {[string, string][]} */
const FORMATS = [
  ["\x89PNG\r\n\x1a\n", "PNG"],
  ["\xff\xd8\xff", "JPEG"],
  ["GIF8", "GIF"],
  ["BM", "BMP"],
  ["RIFF", "WEBP"],
];

/** @type {[RegExp, string][]} */
const STRANGERS = [
  [/^(II[*+]\0|MM\0[*+])/, "a TIFF picture, which a browser does not read; save it as a PNG first"],
  [/^P[1-6f]\s/, "a PPM, PGM, PBM or PFM picture, which a browser does not read; save it as a PNG first"],
  [/^....ftyp/s, "an HEIC, AVIF or video file; save it as a JPEG or PNG first"],
  [/^\s*%PDF/, "a PDF; save its page as a PNG first"],
  [/^\s*<(svg|\?xm)/, "an SVG drawing or other XML; save it as a PNG first"],
  [/^\s*<(!DO|htm)/, "a web page"],
  [/^PK\x03\x04/, "a zip archive; unpack it first"],
  [/^version https:\/\/git-lfs/, "a Git LFS pointer, not the file itself; fetch it: git lfs pull"],
  [/^\x1f\x8b/, "a gzip file; unpack it first"],
];

/** A picture that cannot be read; the message says why. */
export class ImageError extends Error {}

/** @param {Blob} blob @returns {Promise<Rgba>} upright, reduced. @throws {ImageError} */
export async function decode(blob) {
  const name = await sniff(blob);
  const bitmap = await open(blob, name);
  try {
    const { width, height } = bitmap;
    const megapixels = (width * height) / 1e6;
    if (megapixels > LIMITS.megapixels) {
      const size = `${width}x${height} pixels are ${Math.round(megapixels)} megapixels`;
      throw new ImageError(`${size}, the limit is ${LIMITS.megapixels}; reduce the picture`);
    }
    return read(bitmap, factorFor(Math.max(width, height), name));
  } finally {
    bitmap.close();
  }
}

/** @param {Blob} blob @returns {Promise<string>} the name of its format. */
async function sniff(blob) {
  if (blob.size > LIMITS.bytes) throw new ImageError(`more than ${LIMITS.bytes / 2 ** 20} MiB, which no picture that is read here has`);
  let head;
  try {
    head = String.fromCharCode(...new Uint8Array(await blob.slice(0, 32).arrayBuffer()));
  } catch {
    throw new ImageError("cannot be opened: a folder, or a file that has changed or gone");
  }
  if (!head) throw new ImageError("empty file (0 bytes)");
  const found = FORMATS.find(([magic]) => head.startsWith(magic))?.[1];
  if (found && (found !== "WEBP" || head.slice(8, 12) === "WEBP")) return found;
  const known = FORMATS.map(([, name]) => name).join(", ");
  const what = STRANGERS.find(([pattern]) => pattern.test(head))?.[1] ?? JSON.stringify(head.slice(0, 12));
  throw new ImageError(`not a picture in a known format (${known}). Received: ${what}`);
}

/** @param {Blob} blob @param {string} name */
async function open(blob, name) {
  try {
    return await createImageBitmap(blob, { colorSpaceConversion: "none" }); // upright, where EXIF says how
  } catch {
    throw new ImageError(`damaged ${name} file`);
  }
}

/** @param {number} side the longer one @param {string} name @returns {number} as the command reduces such a picture. */
function factorFor(side, name) {
  let draft = 1; // JPEGs are decoded at a half, a quarter or an eighth first
  while (name === "JPEG" && draft < 8 && side >= 2 * draft * LIMITS.side) draft *= 2;
  return draft * Math.max(1, Math.trunc(Math.ceil(side / draft) / LIMITS.side));
}

/**
 * Read the pixels of a picture, some rows at a time, so that no canvas is larger than a browser allows.
 * @param {ImageBitmap} bitmap @param {number} factor by which it is reduced @returns {Rgba}
 */
function read(bitmap, factor) {
  const rows = factor * Math.max(1, Math.trunc(BAND / factor));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, Math.min(rows, bitmap.height)];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new ImageError("not enough memory to read it");
  const [width, height] = [Math.ceil(bitmap.width / factor), Math.ceil(bitmap.height / factor)];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let top = 0; top < bitmap.height; top += rows) {
    const count = Math.min(rows, bitmap.height - top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    const band = reduce(context.getImageData(0, 0, bitmap.width, count), factor);
    data.set(band.data, (4 * width * top) / factor);
  }
  return { width, height, data };
}
