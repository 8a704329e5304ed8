/**
 * All talk with the server. The rest of the page knows only what is exported here, so that another module with the
 * same functions (one that runs the model in the browser, say) can take this one's place.
 *
 * @typedef {{label: string, confidence: number}} Alternative
 * @typedef {{path: string, status: "ok"|"uncertain"|"empty"|"error", label: string, confidence: ?number,
 *   alternatives: Alternative[], error: string, picture?: ?string}} Answer
 * @typedef {{charset?: string, fold_case?: boolean, min_confidence?: number, ink?: string, top_k?: number}} Options
 */

/** What one call of `recognize` should take: so many pictures, so many bytes. */
export const limits = { files: 32, bytes: 9_900_000 };

/** Where programs find out how to ask the same; empty where there is no such place. */
export const documentation = "docs";

/** What becomes of pictures. */
export const privacy = "Pictures go to the server that this page came from, and nowhere else. None is kept.";

const RETRIES = 3;
const LONGEST_WAIT = 10;

/** The server cannot be reached. */
export class Gone extends Error {}

/** The server answered, and the answer is no; the message says why. */
export class Refused extends Error {}

/**
 * Tell which character each picture shows.
 * @param {Blob[]} blobs pictures.
 * @param {Options} options as of `emnist predict`.
 * @param {AbortSignal} signal
 * @returns {Promise<Answer[]>} an answer each, in order, with `picture`, a data URL of what the model saw.
 * @throws {Gone | Refused}
 */
export async function recognize(blobs, options, signal) {
  const problems = await Promise.all(blobs.map(problemOf));
  const sent = await send(blobs.filter((_, i) => !problems[i]), options, signal);
  return blobs.map((blob, i) => {
    const answer = problems[i] ? failed(problems[i]) : /** @type {Answer} */ (sent.shift());
    return { ...answer, path: nameOf(blob) };
  });
}

/**
 * Describe the models in use.
 * @returns {Promise<object[]>}
 * @throws {Gone | Refused}
 */
export async function models() {
  const { status, body } = await ask("api/models", {});
  if (status !== 200 || !Array.isArray(body?.models)) throw new Refused(reason(status, body));
  Object.assign(limits, body.limits);
  return body.models;
}

/** Tell whether the server can be reached. */
export async function alive() {
  try {
    return (await fetch("healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/**
 * @param {Blob[]} blobs @param {Options} options @param {AbortSignal} signal
 * @returns {Promise<Answer[]>}
 */
async function send(blobs, options, signal) {
  if (!blobs.length) return [];
  const form = new FormData();
  for (const blob of blobs) form.append("files", blob, nameOf(blob));
  for (const [name, value] of Object.entries({ ...options, picture: true })) {
    if (value !== "") form.append(name, String(value));
  }
  const { status, body } = await ask("api/predict", { method: "POST", body: form, signal });
  const records = Array.isArray(body) ? body : body?.records; // an object where no picture could be read
  if (Array.isArray(records) && records.length === blobs.length) return records;
  if (status !== 413 && status !== 503) throw new Refused(reason(status, body));
  if (blobs.length === 1) return [failed(reason(status, body))];
  const half = Math.ceil(blobs.length / 2); // too much, or too slow, at once
  return [...(await send(blobs.slice(0, half), options, signal)), ...(await send(blobs.slice(half), options, signal))];
}

/** @param {Blob} blob why it cannot be sent; the browser would only say that the sending failed. */
async function problemOf(blob) {
  if (blob.size > limits.bytes) return `larger than ${limits.bytes / 1e6} MB`;
  try {
    await blob.slice(0, 1).arrayBuffer();
    return "";
  } catch {
    return "cannot be opened: a folder, or a file that has changed or gone";
  }
}

/** @param {Blob} blob */
const nameOf = (blob) => (blob instanceof File ? blob.name : "drawing.png");

/** @param {string} error @returns {Answer} */
const failed = (error) => ({ path: "", status: "error", label: "", confidence: null, alternatives: [], error });

/**
 * Ask, and ask again while the server is busy.
 * @param {string} path relative to the page, so that it may live below any prefix.
 * @param {RequestInit} request
 */
async function ask(path, request) {
  for (let attempt = 0; ; attempt++) {
    const answer = await reach(() => fetch(path, { ...request, cache: "no-store" }), request.signal);
    if ((answer.status === 429 || answer.status === 503) && attempt < RETRIES) {
      await pause(Number(answer.headers.get("Retry-After")) || 1, request.signal);
    } else if (answer.status === 502 || answer.status === 504) {
      throw new Gone(); // a proxy that found nobody behind it
    } else {
      const text = await reach(() => answer.text(), request.signal);
      return { status: answer.status, body: parse(text) };
    }
  }
}

/**
 * @template T
 * @param {() => Promise<T>} act
 * @param {?AbortSignal} [signal]
 */
async function reach(act, signal) {
  try {
    return await act();
  } catch (error) {
    throw signal?.aborted ? error : new Gone();
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {number} status @param {any} body */
function reason(status, body) {
  if (typeof body?.error === "string" && body.error) return body.error;
  if (status === 413) return "more than the server accepts";
  if (status === 429 || status === 503) return "The server is busy. Try again in a moment.";
  return `The server gave an answer that this page does not understand (HTTP ${status}).`;
}

/** @param {number} seconds @param {?AbortSignal} [signal] */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve(undefined);
    }, 1000 * Math.min(seconds, LONGEST_WAIT));
    signal?.addEventListener("abort", stop, { once: true });
  });
}
