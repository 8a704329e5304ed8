/**
 * The numbers and label tables that this page shares with Python. They come from constants.json beside this file, which
 * `emnist export --to web` writes from Python's own (web/site.py), so neither side can change without the other.
 * They are there once `loadConstants` is done, before which recognizer.js reads nothing. (A module that waits for the
 * file itself would be shorter, but Safari gives such a module to only one of those that import it: WebKit bug 242740.)
 */

import { fetchFile } from "./fetch_file.js";

/** Pixels a side of the finished image. @type {number} */
export let IMAGE_SIZE;

/** Longer side of the ink in it. @type {number} */
export let BOX;

/** Range of stroke widths, in finished pixels, that is left alone. @type {[number, number]} */
export let STROKE;

/** Longer side of the ink while strokes are thickened or thinned. @type {number} */
export let CANVAS;

/** Standard deviation of the blur, in canvas pixels. @type {number} */
export let BLUR;

/** Density above which a pixel counts as part of the ink's box. @type {number} */
export let TRACE;

/** The character sets that have a name. @type {Record<string, string>} */
export let CHARSETS;

/** How much a text shares with one of those names where it is more likely a slip than a list of characters. @type {number} */
export let LIKE_A_NAME;

/**
 * Images of twice `side` pixels and more are reduced to no fewer; larger files are refused.
 * @type {{side: number, bytes: number, megapixels: number}}
 */
export let LIMITS;

/** @throws {import("./fetch_file.js").Unreachable} */
export async function loadConstants() {
  const shared = await (await fetchFile(new URL("constants.json", import.meta.url))).json();
  ({ image_size: IMAGE_SIZE, box: BOX, stroke: STROKE, canvas: CANVAS, blur: BLUR } = shared.normalize);
  TRACE = Math.fround(shared.normalize.trace);
  ({ charsets: CHARSETS, like_a_name: LIKE_A_NAME, limits: LIMITS } = shared);
}
