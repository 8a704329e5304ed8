/**
 * What the page asks, answered in the browser itself: takes the place of the module that asks a server (static/api.js),
 * whose functions it has.
 *
 * @typedef {{label: string, confidence: number}} Alternative
 * @typedef {{path: string, status: "ok"|"uncertain"|"empty"|"error", label: string, confidence: ?number,
 *   alternatives: Alternative[], error: string, picture?: ?string}} Answer
 * @typedef {{charset?: string, fold_case?: boolean, min_confidence?: number, ink?: string, top_k?: number}} Options
 */

import { Unreachable } from "./browser/fetch_file.js";
import { UsageError } from "./browser/labels.js";
import { Recognizer, loadModel } from "./browser/recognizer.js";

/** What one call of `recognize` should take: so many pictures, after which the page shows how far it is. */
export const limits = { files: 8, bytes: Infinity };

/** There is no server that a program could ask. */
export const documentation = "";

/** What becomes of pictures. */
export const privacy = "Pictures are read in this browser. None leaves it.";

/** The files of this page cannot be reached. */
export class Gone extends Error {}

/** There is no answer; the message says why. */
export class Refused extends Error {}

/** @type {?Promise<Recognizer>} */
let recognizer = null;

/**
 * Tell which character each picture shows.
 * @param {Blob[]} blobs pictures.
 * @param {Options} options as of `emnist predict`.
 * @param {AbortSignal} signal
 * @returns {Promise<Answer[]>} an answer each, in order, with `picture`, a data URL of what the model saw.
 * @throws {Gone | Refused}
 */
export async function recognize(blobs, options, signal) {
  return explain(async () => {
    const read = (await load()).reader(options);
    const answers = [];
    for (const blob of blobs) {
      signal.throwIfAborted();
      answers.push({ ...(await read(blob)), path: blob instanceof File ? blob.name : "drawing.png" });
    }
    return answers;
  });
}

/**
 * Describe the models in use.
 * @returns {Promise<object[]>}
 * @throws {Gone | Refused}
 */
export async function models() {
  load().catch(() => {}); // until the first stroke is drawn, it is there; what fails is said when it is needed
  return explain(async () => [(await loadModel()).about]);
}

/** Tell whether the files of this page can be reached. */
export async function alive() {
  return loadModel().then(() => true, () => false);
}

/** @returns {Promise<Recognizer>} */
function load() {
  recognizer ??= Recognizer.load().catch((error) => {
    recognizer = null; // to be tried again
    throw error;
  });
  return recognizer;
}

/**
 * @template T
 * @param {() => Promise<T>} act
 */
async function explain(act) {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Unreachable) throw new Gone();
    throw error instanceof UsageError ? new Refused(error.message) : error;
  }
}
