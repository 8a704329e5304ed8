/**
 * Which of the dark pixels are the character: rules, frames, what hugs the border and specks are dropped; cleanup.py
 * in JavaScript. The lines of ruled paper are the business of cleanup_rules.js.
 *
 * @typedef {import("./ops.js").Mask} Mask
 * @typedef {import("./components.js").Part} Part
 */

import { findComponents, paint } from "./components.js";
import { crop } from "./ops.js";
import { removeRules } from "./cleanup_rules.js";

/** A character is at least this share of its picture's longer side; what is smaller is dust. */
const MIN_SIZE = 0.0125;

const MOST_PARTS = 100; // a character has fewer; a picture full of dots must not take long

/** @param {Part} part */
const tall = (part) => part.bottom - part.top;

/** @param {Part} part */
const wide = (part) => part.right - part.left;

/** @param {Part[]} parts largest first, equal ones in order. */
const bySize = (parts) => parts.slice().sort((a, b) => b.area - a.area);

/**
 * Drop rules, frames, what hugs the border, and specks.
 * @param {Mask} inked everything dark enough to be ink.
 * @returns {?Mask} the character's own pixels, or null when only specks are left.
 */
export function keepCharacter(inked) {
  const mask = removeRules(inked);
  const parts = findComponents(mask);
  const kept = choose(parts, mask);
  if (!kept.length) return null;
  const area = kept.reduce((sum, part) => sum + part.area, 0);
  const size = Math.max(...kept.map((part) => Math.max(tall(part), wide(part))));
  if (area < 6 || size < Math.max(3, MIN_SIZE * Math.max(mask.width, mask.height))) return null;
  return kept.length === parts.length ? mask : paint(kept, mask);
}

/** @param {Part[]} parts @param {Mask} mask @returns {Part[]} those that make up the character. */
function choose(parts, mask) {
  const frames = findFrames(parts);
  const atBorder = (/** @type {Part} */ part) => {
    return part.top === 0 || part.left === 0 || part.bottom === mask.height || part.right === mask.width;
  };
  // What lies along an edge of the picture is a shadow, a fold or the neighbor, if there is anything else.
  const weigh = (/** @type {Part} */ part) => {
    return frames.has(part) || isSliver(part, mask) ? 0 : part.area * (atBorder(part) ? 0.25 : 1);
  };
  /** @type {?Part} */
  let main = null;
  for (const part of parts) if (weigh(part) > (main ? weigh(main) : 0)) main = part;
  if (!main) return [];
  const kept = [main];
  const box = { ...main };
  const reach = Math.max(tall(main), wide(main));
  for (const part of bySize(parts).slice(0, MOST_PARTS)) {
    if (part === main || part.area < 0.03 * main.area || frames.has(part)) continue;
    if (atBorder(part) && !atBorder(main)) continue;
    const gapY = Math.max(part.top - box.bottom, box.top - part.bottom, 0);
    const gapX = Math.max(part.left - box.right, box.left - part.right, 0);
    if (gapY > reach || gapX > 0.5 * reach) continue; // the dot of an i can be high up
    kept.push(part);
    box.top = Math.min(box.top, part.top);
    box.left = Math.min(box.left, part.left);
    box.bottom = Math.max(box.bottom, part.bottom);
    box.right = Math.max(box.right, part.right);
  }
  return kept;
}

/**
 * Tell whether a component lies along a border and hardly reaches in: the edge of the page, the tip of a neighbor.
 * @param {Part} part @param {Mask} mask
 */
function isSliver(part, { width, height }) {
  const thin = 0.04 * Math.max(width, height);
  const alongSide = (part.left === 0 || part.right === width) && wide(part) < Math.min(thin, width / 2);
  const alongEnd = (part.top === 0 || part.bottom === height) && tall(part) < Math.min(thin, height / 2);
  return alongSide || alongEnd;
}

/**
 * Find boxes drawn around another large component: hollow, with four straight sides.
 * @param {Part[]} parts @returns {Set<Part>}
 */
function findFrames(parts) {
  const around = (/** @type {Part} */ outer, /** @type {Part} */ inner) => {
    const inside = inner.top > outer.top && inner.left > outer.left;
    const large = tall(inner) > 0.3 * tall(outer) && inner.area > 0.03 * outer.area;
    return inside && inner.bottom < outer.bottom && inner.right < outer.right && large;
  };
  const candidates = bySize(parts).slice(0, 10).filter((outer) => parts.some((inner) => around(outer, inner)));
  return new Set(candidates.filter(hasFourSides));
}

/** @param {Part} part */
function hasFourSides(part) {
  const own = crop(paint([part], { width: part.right, height: part.bottom }), part);
  const [depthY, depthX] = [Math.max(1, Math.trunc(own.height / 8)), Math.max(1, Math.trunc(own.width / 8))];
  const [rows, columns] = [own.height, own.width];
  const lined = [
    share(columns, (x) => touches(own, x, x + 1, 0, depthY)),
    share(columns, (x) => touches(own, x, x + 1, rows - depthY, rows)),
    share(rows, (y) => touches(own, 0, depthX, y, y + 1)),
    share(rows, (y) => touches(own, columns - depthX, columns, y, y + 1)),
  ];
  return lined.every((side) => side > 0.9);
}

/** @param {number} count @param {(at: number) => boolean} test */
function share(count, test) {
  let found = 0;
  for (let at = 0; at < count; at++) if (test(at)) found++;
  return found / count;
}

/** @param {Mask} mask @param {number} left @param {number} right @param {number} top @param {number} bottom */
function touches({ width, data }, left, right, top, bottom) {
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) if (data[y * width + x]) return true;
  }
  return false;
}
