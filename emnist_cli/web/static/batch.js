/**
 * Several pictures: read a part at a time, shown as a table, saved as CSV.
 *
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {import("./answer.js").Kinds} Kinds
 */

import { describe, element, make, percent, see } from "./answer.js";

/** The table shows so many rows; the CSV has all. */
const MOST_ROWS = 1000;

const COLUMNS = ["path", "status", "label", "confidence", "alternatives", "error"];

export class Batch {
  /** @type {File[]} */
  #files = [];
  /** @type {Answer[]} */
  #answers = [];
  /** @type {?AbortController} */
  #run = null;

  /**
   * @param {(files: File[], signal: AbortSignal) => Promise<Answer[]>} ask
   * @param {() => Kinds} kinds
   * @param {{files: number, bytes: number}} limits of what is asked at once.
   * @param {(words: string) => void} say called at the end.
   */
  constructor(ask, kinds, limits, say) {
    this.ask = ask;
    this.kinds = kinds;
    this.limits = limits;
    this.say = say;
    element("stop").addEventListener("click", () => this.#stop());
    element("download").addEventListener("click", () => this.#download());
  }

  /** @param {File[]} [files] new ones, or those of the last time again. */
  async read(files = this.#files) {
    this.#run?.abort();
    if (!files.length) return;
    const run = (this.#run = new AbortController());
    this.#files = files;
    this.#answers = [];
    element("rows").replaceChildren();
    element("batch").hidden = false;
    this.#progress("");
    try {
      for (const part of this.#parts()) {
        const answers = await this.ask(part, run.signal);
        if (run.signal.aborted) return;
        this.#add(answers);
        this.#progress("");
      }
      this.#finish(this.#summary());
    } catch (error) {
      if (!run.signal.aborted) this.#finish(error instanceof Error ? error.message : String(error));
    }
  }

  #stop() {
    this.#run?.abort();
    this.#finish(`Stopped after ${this.#answers.length} of ${this.#files.length}.`);
  }

  /** @param {string} words */
  #finish(words) {
    this.#run = null;
    this.#progress(words);
    this.say(words);
  }

  *#parts() {
    /** @type {File[]} */
    let part = [];
    let bytes = 0;
    for (const file of this.#files) {
      if (part.length && (part.length === this.limits.files || bytes + file.size > this.limits.bytes)) {
        yield part;
        [part, bytes] = [[], 0];
      }
      part.push(file);
      bytes += file.size;
    }
    yield part;
  }

  /** @param {string} words at the end; "" while it goes on. */
  #progress(words) {
    const [done, all] = [this.#answers.length, this.#files.length];
    element("batch-words").textContent = words || `${done} of ${all} read`;
    element("progress").max = all;
    element("progress").value = done;
    element("batch").setAttribute("aria-busy", String(!words));
    element("progress").hidden = element("stop").hidden = Boolean(words);
    element("download").hidden = !words || !done;
  }

  #summary() {
    const count = (/** @type {string} */ status) => this.#answers.filter((each) => each.status === status).length;
    const rest = Object.entries({ "not sure": "uncertain", empty: "empty", "cannot be read": "error" })
      .map(([words, status]) => [count(status), words])
      .filter(([number]) => number)
      .map(([number, words]) => `, ${number} ${words}`);
    const cut = this.#answers.length > MOST_ROWS ? ` The table shows the first ${MOST_ROWS}; the CSV has all.` : "";
    return `${this.#answers.length} pictures: ${count("ok")} read${rest.join("")}.${cut}`;
  }

  /** @param {Answer[]} answers */
  #add(answers) {
    const room = Math.max(0, MOST_ROWS - this.#answers.length);
    this.#answers.push(...answers);
    element("rows").append(...answers.slice(0, room).map((answer) => makeRow(answer, this.kinds())));
  }

  #download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([toCsv(this.#answers)], { type: "text/csv;charset=utf-8" }));
    link.download = "predictions.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

/** @param {Answer} answer @param {Kinds} kindOf */
function makeRow(answer, kindOf) {
  const { glyph, kind, words } = describe(answer, kindOf);
  const row = make("tr");
  row.dataset.status = answer.status;
  row.setAttribute("role", "row");
  const [seen, file, label] = [make("td"), make("th", answer.path), make("td")];
  if (answer.picture) {
    const image = document.createElement("img");
    image.width = image.height = 56;
    see(image, answer);
    seen.append(image);
  }
  file.setAttribute("scope", "row");
  label.append(make("b", glyph), " ", make("span", kind, "caption"));
  const confidence = make("td", answer.confidence === null ? "" : percent(answer.confidence), "number");
  row.append(seen, file, label, confidence, make("td", answer.status === "ok" ? others(answer) : words));
  for (const cell of row.children) cell.setAttribute("role", cell === file ? "rowheader" : "cell");
  return row;
}

/** @param {Answer} answer what else it may be, as far as that is worth a word */
function others({ alternatives: [, ...rest] }) {
  const possible = rest.filter((each) => each.confidence >= 0.001);
  return possible.map((each) => `${each.label} ${percent(each.confidence)}`).join(", ");
}

/**
 * Write answers as `emnist predict --format csv` does, except that no cell is a formula: people open this file in a
 * spreadsheet, while programs read the command's.
 * @param {Answer[]} answers
 */
export function toCsv(answers) {
  const rows = answers.map((answer) => [
    harmless(answer.path, "./"), // still names the file
    answer.status,
    harmless(answer.label),
    answer.confidence === null ? "" : answer.confidence.toFixed(4),
    harmless(answer.alternatives.map((each) => `${each.label}:${each.confidence.toFixed(4)}`).join(" ")),
    harmless(answer.error),
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** What a spreadsheet takes for a formula, and would run. A file may be called anything, and a label may be "=". */
const FORMULA = /^[=+\-@\t\r\n]/;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @param {string} cell @param {string} [prefix] that makes it text; an apostrophe is a spreadsheet's own mark for that. */
const harmless = (cell, prefix = "'") => (FORMULA.test(cell) && !NUMBER.test(cell) ? prefix + cell : cell);

/** @param {string} cell quoted where needed; with a semicolon or a tab, too, where some spreadsheets split lines. */
const quoted = (cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
