/**
 * Taking out the straight lines of ruled paper and of forms; the second half of cleanup.py in JavaScript.
 *
 * @typedef {import("./ops.js").Mask} Mask
 */

import { findComponents, findRuns, joinRuns, paint } from "./components.js";
import { any, dilate, noMask, where } from "./ops.js";
import { transpose } from "./resample.js";

/**
 * Take out straight lines that run from border to border.
 *
 * Only if what remains is a character on its own, clear of the border; else the line may be the bar of a tightly cropped
 * T. Where a stroke crosses a line, its pixels stay. Paper with nothing but ruled lines has no character; a lone upright
 * line is kept, being a 1 that fills its picture.
 * @param {Mask} mask @returns {Mask}
 */
export function removeRules(mask) {
  const [across, upright] = [findRules(mask), transpose(findRules(transpose(mask)))];
  const rules = where(across, (ink, i) => Boolean(ink || upright.data[i]));
  if (!any(rules)) return mask;
  const grown = dilate(rules, 1);
  const rest = where(mask, (ink, i) => Boolean(ink && !grown.data[i]));
  const least = 0.08 * Math.max(mask.width, mask.height);
  const large = findComponents(rest).filter((part) => {
    return Math.max(part.bottom - part.top, part.right - part.left) > least;
  });
  const clear = large.some((part) => {
    return part.top > 0 && part.left > 0 && part.bottom < mask.height && part.right < mask.width;
  });
  if (clear) {
    const bridged = bridge(rest);
    return where(rest, (ink, i) => Boolean(ink || (mask.data[i] && bridged.data[i])));
  }
  const lone = !any(across) && findComponents(upright).length === 1;
  return large.length || lone ? mask : rest;
}

/** @param {Mask} mask @returns {Mask} thin horizontal lines that touch the left and the right border, slanted ones too. */
function findRules(mask) {
  const { width, height } = mask;
  const rules = noMask(width, height);
  if (!crossesAll(mask)) return rules; // a column without ink: most pictures end here
  const runs = findRuns(dilate(mask, 1)); // slant and noise cut a thin line into pieces
  const parts = joinRuns(runs.filter((run) => run.end - run.start >= Math.max(4, Math.trunc(width / 4))));
  for (const part of parts) {
    const thin = part.area < width * Math.min(0.08 * height, width / 8);
    if (!thin || part.left !== 0 || part.right !== width) continue;
    const thickness = new Float64Array(width);
    for (const { start, end } of part.runs) for (let x = start; x < end; x++) thickness[x]++;
    const most = 1.5 * thickness.slice().sort()[Math.trunc(width / 2)] + 1; // thicker: a stroke lies on the line
    const rule = paint([part], mask);
    for (let i = 0; i < rule.data.length; i++) if (rule.data[i] && thickness[i % width] <= most) rules.data[i] = 1;
  }
  return rules;
}

/** @param {Mask} mask whether there is ink in each column or beside it. */
function crossesAll({ width, height, data }) {
  const columns = noMask(width, 1);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) columns.data[x] |= data[y * width + x];
  return !dilate(columns, 1).data.includes(0);
}

/** @param {Mask} rest @returns {Mask} pixels between two pieces of ink that face each other across a small gap. */
function bridge(rest) {
  const reach = Math.max(2, Math.trunc(Math.max(rest.width, rest.height) / 25));
  const across = bridgeRows(rest, reach);
  const down = transpose(bridgeRows(transpose(rest), reach));
  return where(across, (between, i) => Boolean(between || down.data[i]));
}

/** @param {Mask} rest @param {number} reach @returns {Mask} with ink so near to the left and to the right, or at it. */
function bridgeRows({ width, height, data }, reach) {
  const between = noMask(width, height);
  for (let y = 0; y < height; y++) {
    let since = Infinity;
    for (let x = 0; x < width; x++) {
      since = data[y * width + x] ? 0 : since + 1;
      between.data[y * width + x] = since <= reach ? 1 : 0;
    }
    since = Infinity;
    for (let x = width - 1; x >= 0; x--) {
      since = data[y * width + x] ? 0 : since + 1;
      if (since > reach) between.data[y * width + x] = 0;
    }
  }
  return between;
}
