/**
 * Pictures in, records out, as the server's API gives them; recognizer.py in JavaScript.
 *
 * @typedef {import("../api.js").Answer} Answer
 * @typedef {import("../api.js").Options} Options
 * @typedef {import("./resample.js").Gray} Gray
 */

import { loadConstants } from "./constants.js";
import { ImageError, decode } from "./decode.js";
import { fetchFile } from "./fetch_file.js";
import { toGray } from "./grayscale.js";
import { applyView, makeView } from "./label_view.js";
import { parseCharset } from "./labels.js";
import { Runtime } from "./litert.js";
import { preprocess } from "./normalize.js";

const MODEL = new URL("../model/model.json", import.meta.url);

/** @typedef {{about: object, classes: string[], temperature: number}} Model what is known of it besides its network. */

export class Recognizer {
  /** @param {Model} model @param {Runtime} runtime */
  constructor(model, runtime) {
    this.model = model;
    this.runtime = runtime;
  }

  /** @returns {Promise<Recognizer>} */
  static async load() {
    const [model, runtime] = await Promise.all([loadModel(), Runtime.load(), loadConstants()]);
    return new Recognizer(model, runtime);
  }

  /**
   * Make the function that reads a picture under given options.
   * @param {Options} options
   * @returns {(blob: Blob) => Promise<Answer>}
   * @throws {import("./labels.js").UsageError} they make no sense.
   */
  reader({ charset = "", fold_case = false, min_confidence = 0, ink = "auto", top_k = 3 }) {
    const view = makeView(this.model.classes, charset ? parseCharset(charset) : null, fold_case);
    return async (blob) => {
      const seen = await look(blob, ink);
      if (typeof seen === "string") return record("error", { error: seen });
      if (!seen) return record("empty");
      const probabilities = applyView(view, await this.runtime.run(seen.data), this.model.temperature);
      const alternatives = probabilities
        .map((probability, i) => ({ label: view.labels[i], probability }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, top_k)
        .map(({ label, probability }) => ({ label, confidence: Math.round(probability * 1e4) / 1e4 }));
      const [{ label, confidence }] = alternatives;
      const sure = confidence >= min_confidence;
      const picture = toDataUrl(seen);
      return record(sure ? "ok" : "uncertain", { label: sure ? label : "", confidence, alternatives, picture });
    };
  }
}

/** @returns {Promise<Model>} */
export const loadModel = async () => (await fetchFile(MODEL)).json();

/** @param {Blob} blob @param {string} ink @returns {Promise<?Gray | string>} 28x28; null without ink; or why not. */
async function look(blob, ink) {
  try {
    return preprocess(toGray(await decode(blob)), ink);
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    return `cannot be preprocessed (${error}); please report it`;
  }
}

/** @param {Answer["status"]} status @param {Partial<Answer>} [rest] @returns {Answer} */
function record(status, rest = {}) {
  return { path: "", status, label: "", confidence: null, alternatives: [], error: "", picture: null, ...rest };
}

/** @param {Gray} seen @returns {string} it as a PNG. */
function toDataUrl({ width, height, data }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = context.createImageData(width, height);
  data.forEach((value, i) => pixels.data.fill(Math.trunc(value * 255 + 0.5), 4 * i, 4 * i + 3));
  for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL("image/png");
}
