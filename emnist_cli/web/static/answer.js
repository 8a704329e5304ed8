/**
 * What the page says of one picture, and of the model. Whatever comes from outside (messages, file names, the card) is
 * put in as text, never as markup.
 *
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {(label: string) => string} Kinds
 */

/** So many answers are asked for and shown. */
export const TOP = 5;

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

/**
 * Make a new element.
 * @param {string} name @param {string} text @param {string} [style] its class
 */
export function make(name, text = "", style = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = style;
  return made;
}

/**
 * Make the function that says in words what kind of character an answer is: 0, O and o look too much alike.
 * @param {string} labels every answer the model has; a letter whose other case is not among them stands for both.
 * @param {boolean} foldCase whether both cases count as one.
 * @returns {Kinds}
 */
export function kinds(labels, foldCase) {
  return (label) => {
    if (/\d/.test(label)) return "digit";
    const isUpper = label === label.toUpperCase();
    const other = isUpper ? label.toLowerCase() : label.toUpperCase();
    if (foldCase || (labels && !labels.includes(other))) return "either case";
    return isUpper ? "upper case" : "lower case";
  };
}

/** @param {number} share in [0, 1]; nothing is quite certain or out of the question. */
export function percent(share) {
  if (share < 0.0005) return "<0.1%";
  return share < 0.9995 ? `${(share * 100).toFixed(1)}%` : ">99.9%";
}

/**
 * Say an answer in words.
 * @param {Answer} answer @param {Kinds} kindOf
 * @returns {{glyph: string, kind: string, words: string}}
 */
export function describe(answer, kindOf) {
  const [best] = answer.alternatives;
  switch (answer.status) {
    case "ok":
      return { glyph: answer.label, kind: capital(kindOf(answer.label)), words: `${percent(best.confidence)} sure` };
    case "uncertain": {
      const guess = `${best.label}, ${kindOf(best.label)}, ${percent(best.confidence)}`;
      return { glyph: "?", kind: "Not sure", words: `The best guess is ${guess}.` };
    }
    case "empty":
      return { glyph: "–", kind: "Empty", words: "There is no ink in it." };
    default:
      return { glyph: "–", kind: "Cannot be read", words: `${capital(answer.error)}.`.replace("..", ".") };
  }
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Show what the model saw.
 * @param {HTMLImageElement} image @param {Answer} [answer]
 */
export function see(image, answer) {
  image.hidden = !answer?.picture;
  if (answer?.picture) image.src = answer.picture;
  else image.removeAttribute("src");
  image.alt = image.hidden ? "" : `28 by 28 pixels, white on black: what was read as ${answer?.alternatives[0]?.label}`;
}

/** The panel of one picture. */
export class Panel {
  /** @type {Kinds} */
  kinds = kinds("", false);

  constructor() {
    this.rows = Array.from({ length: TOP }, () => {
      const row = { label: make("b"), kind: make("span", "", "caption"), bar: make("i", "", "bar"), value: make("span") };
      row.bar.setAttribute("aria-hidden", "true");
      const item = make("li");
      item.append(row.label, " ", row.kind, " ", row.bar, " ", row.value);
      element("bars").append(item);
      return row;
    });
    this.idle();
  }

  idle() {
    return this.#say("idle", "–", "Nothing to read yet", "Draw a character, or give a picture of one.");
  }

  /** Keep the last answer while the next is awaited, so that nothing jumps. */
  wait() {
    element("answer").dataset.status = "waiting";
  }

  /** @param {string} message */
  fail(message) {
    return this.#say("failed", "–", "No answer", message);
  }

  /** @param {Answer} answer */
  show(answer) {
    const { glyph, kind, words } = describe(answer, this.kinds);
    return this.#say(answer.status, glyph, kind, words, answer);
  }

  /**
   * @param {string} status @param {string} glyph @param {string} kind @param {string} words @param {Answer} [answer]
   * @returns {string} what is to be read out.
   */
  #say(status, glyph, kind, words, answer) {
    element("glyph").textContent = glyph;
    element("kind").textContent = kind;
    element("words").textContent = words;
    this.rows.forEach((row, i) => {
      const found = answer?.alternatives[i];
      row.label.textContent = found?.label ?? "";
      row.kind.textContent = found ? this.kinds(found.label) : "";
      row.value.textContent = found ? percent(found.confidence) : "";
      row.bar.style.setProperty("--share", String(found?.confidence ?? 0));
    });
    see(element("seen"), answer);
    element("answer").dataset.status = status;
    return status === "ok" ? `${glyph}, ${kind}, ${words}` : `${kind}. ${words}`;
  }
}

/**
 * Show each model with its card. Any part of it may be missing.
 * @param {any[]} models
 */
export function showCards(models) {
  element("cards").replaceChildren(...models.map(makeCard));
}

/** @param {any} model */
function makeCard({ card = {}, ...model }) {
  const details = make("details");
  const facts = make("dl");
  const known = {
    Name: model.name,
    About: card.about,
    Answers: model.classes && `${model.classes} (EMNIST ${model.split ?? "classes"})`,
    Accuracy: model.accuracy && `${percent(model.accuracy)} on ${model.measured_on ?? "its test"}`,
    Size: model.bytes && `${(model.bytes / 1e6).toFixed(2)} MB`,
  };
  for (const [name, value] of Object.entries(known)) if (value) facts.append(make("dt", name), make("dd", value));
  details.append(make("summary", `About the model${model.name ? `: ${model.name}` : ""}`), facts);
  if (card.trained_on?.length) {
    const list = make("ul");
    list.append(...card.trained_on.map((/** @type {string} */ source) => make("li", source)));
    details.append(make("h3", "Trained on"), list);
  }
  if (card.metrics?.length) details.append(make("h3", "Measured"), makeMetrics(card.metrics));
  return details;
}

/** @param {{name: string, value: number, on: string}[]} metrics as a table: a row for each set, a column for each figure. */
function makeMetrics(metrics) {
  const names = [...new Set(metrics.map((metric) => metric.name))];
  const table = make("table");
  const head = make("tr");
  head.append(...["On", ...names].map((name) => column(make("th", name), "col")));
  const rows = [...new Set(metrics.map((metric) => metric.on))].map((on) => {
    const row = make("tr");
    const cells = names.map((name) => {
      const value = metrics.find((metric) => metric.on === on && metric.name === name)?.value;
      return make("td", value === undefined ? "" : name.startsWith("accuracy") ? percent(value) : value.toFixed(3));
    });
    row.append(column(make("th", on), "row"), ...cells);
    return row;
  });
  const [top, body] = [make("thead"), make("tbody")];
  top.append(head);
  body.append(...rows);
  table.append(top, body);
  const frame = make("div", "", "scroll");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", "Measured");
  frame.append(table);
  return frame;
}

/** @param {HTMLElement} cell @param {string} scope */
function column(cell, scope) {
  cell.setAttribute("scope", scope);
  return cell;
}
