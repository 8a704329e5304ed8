/**
 * Connected components of a mask, in order of their first pixel; components.py in JavaScript, by runs as well.
 *
 * @typedef {import("./ops.js").Mask} Mask
 * @typedef {{row: number, start: number, end: number, part: number}} Run of ink in a row, `end` exclusive.
 * @typedef {import("./ops.js").Box & {area: number, runs: Run[]}} Part
 */

import { noMask } from "./ops.js";

/** @param {Mask} mask @returns {Part[]} its 8-connected components. */
export const findComponents = (mask) => joinRuns(findRuns(mask));

/** @param {Mask} mask @returns {Run[]} in order of their first pixels. */
export function findRuns({ width, height, data }) {
  const runs = [];
  for (let row = 0; row < height; row++) {
    for (let x = 0, base = row * width; x < width; x++) {
      if (!data[base + x]) continue;
      const start = x;
      while (x < width && data[base + x]) x++;
      runs.push({ row, start, end: x, part: 0 });
    }
  }
  return runs;
}

/** @param {Run[]} runs in order @returns {Part[]} */
export function joinRuns(runs) {
  const parent = runs.map((_, i) => i);
  const root = (/** @type {number} */ i) => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  let above = 0; // the first run of the row above that may still touch
  runs.forEach((run, i) => {
    while (runs[above].row < run.row - 1 || (runs[above].row === run.row - 1 && runs[above].end < run.start)) above++;
    for (let k = above; k < i && runs[k].row === run.row - 1 && runs[k].start <= run.end; k++) {
      const [one, other] = [root(k), root(i)];
      parent[Math.max(one, other)] = Math.min(one, other); // the first run of a component is its root
    }
  });
  /** @type {Part[]} */
  const parts = [];
  runs.forEach((run, i) => {
    const first = root(i);
    if (first === i) run.part = parts.push({ ...emptyBox(run), area: 0, runs: [] }) - 1;
    else run.part = runs[first].part;
    add(parts[run.part], run);
  });
  return parts;
}

/** @param {Run} run */
const emptyBox = ({ row, start, end }) => ({ top: row, left: start, bottom: row + 1, right: end });

/** @param {Part} part @param {Run} run */
function add(part, run) {
  part.left = Math.min(part.left, run.start);
  part.right = Math.max(part.right, run.end);
  part.bottom = Math.max(part.bottom, run.row + 1);
  part.area += run.end - run.start;
  part.runs.push(run);
}

/** @param {Part[]} parts @param {{width: number, height: number}} shape @returns {Mask} their pixels. */
export function paint(parts, { width, height }) {
  const mask = noMask(width, height);
  for (const { runs } of parts) {
    for (const { row, start, end } of runs) mask.data.fill(1, row * width + start, row * width + end);
  }
  return mask;
}
