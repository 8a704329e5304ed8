/** The page: what is drawn or given goes to the recognizer (api.js), and what that says is shown (answer.js, batch.js). */

import * as api from "./api.js";
import { Panel, TOP, element, kinds, showCards } from "./answer.js";
import { Batch } from "./batch.js";
import { Sheet } from "./canvas.js";

const PAUSE = 150; // milliseconds without a change before the drawing is read
const SETTLED = 700; // milliseconds without a change before the answer is spoken
const POLL = [500, 1000, 2000, 4000]; // milliseconds between looks for a server that has gone; the last one repeats
const TRIES = 5;

const HELP = element("canvas-help").textContent;

let modelLabels = "";
let readTimer = 0;
let sayTimer = 0;
/** @type {?AbortController} */
let reading = null;
/** @type {?Promise<void>} */
let absence = null;
/** @type {?File} */
let shown = null;

const panel = new Panel();
const batch = new Batch(
  (files, signal) => ask(files, "auto", signal),
  () => panel.kinds,
  api.limits,
  sayWhenSettled,
);
const sheet = new Sheet(element("canvas"), () => {
  showSheet();
  hush();
  if (sheet.empty || sheet.file) read();
  else readSoon();
});

/** Read what is on the sheet now; whatever was asked before is out of date. */
async function read() {
  clearTimeout(readTimer);
  reading?.abort();
  const run = (reading = new AbortController());
  if (sheet.empty) return sayWhenSettled(panel.idle());
  panel.wait();
  try {
    const blob = await sheet.blob();
    const ink = sheet.file ? "auto" : "dark"; // the pen is dark, however much it covers
    const [answer] = await ask([blob], ink, run.signal);
    if (!run.signal.aborted) sayWhenSettled(panel.show(answer));
  } catch (error) {
    if (!run.signal.aborted) sayWhenSettled(panel.fail(error instanceof Error ? error.message : String(error)));
  }
}

function readSoon() {
  clearTimeout(readTimer);
  reading?.abort();
  panel.wait();
  readTimer = setTimeout(read, PAUSE);
}

/** @param {Blob[]} blobs @param {string} ink @param {AbortSignal} signal */
function ask(blobs, ink, signal) {
  if (!element("custom").checkValidity()) throw new Error(`Allowed characters: ${element("custom-help").textContent}`);
  return persist(() => api.recognize(blobs, { ...options(), ink }, signal), signal);
}

/**
 * Do what needs the server; where it has gone, say so and wait until it is back.
 * @template T
 * @param {() => Promise<T>} act
 * @param {AbortSignal} [signal]
 */
async function persist(act, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      const value = await act();
      notify("");
      return value;
    } catch (error) {
      if (!(error instanceof api.Gone) || signal?.aborted) throw error;
      if (attempt === TRIES) throw new Error("The server breaks off each time. Its own messages may say why.");
      await (absence ??= waitForServer());
    }
  }
}

async function waitForServer() {
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, POLL[Math.min(i, POLL.length - 1)]));
    if (await api.alive()) break;
    notify("The server does not answer. Once it runs again, this page goes on by itself.");
  }
  notify("");
  absence = null;
}

/** @param {string} words "" for nothing */
function notify(words) {
  if (element("notice").textContent !== words) element("notice").textContent = words;
  element("notice").hidden = !words;
}

/** Let a screen reader say something, once nothing has changed for a while. @param {string} words */
function sayWhenSettled(words) {
  hush();
  sayTimer = setTimeout(() => {
    element("said").textContent = words;
  }, SETTLED);
}

function hush() {
  clearTimeout(sayTimer);
  element("said").textContent = "";
}

/** @returns {api.Options} */
function options() {
  const { value } = element("charset");
  return {
    top_k: TOP,
    charset: value === "custom" ? element("custom").value.trim() : value,
    fold_case: element("fold").checked,
    min_confidence: element("least").value / 100,
  };
}

/** Read everything again under the options now chosen, if they make sense. */
function changeOptions() {
  const custom = element("custom");
  custom.hidden = element("charset").value !== "custom";
  custom.disabled = custom.hidden;
  custom.setAttribute("aria-invalid", String(!custom.checkValidity()));
  element("custom-help").hidden = custom.hidden;
  element("least-value").textContent = `${element("least").value}%`;
  panel.kinds = kinds(modelLabels, element("fold").checked);
  hush();
  if (!sheet.empty) readSoon();
  if (custom.checkValidity()) batch.read();
}

/** Show what lies on the sheet, and which buttons have something to do. */
function showSheet() {
  const { file } = sheet;
  const image = element("given");
  if (file !== shown) {
    URL.revokeObjectURL(image.src);
    if (file) image.src = URL.createObjectURL(file);
    else image.removeAttribute("src");
    image.alt = file ? `The picture ${file.name}` : "";
    image.hidden = !file;
    element("no-preview").hidden = true;
    element("canvas-help").textContent = file ? file.name : HELP;
    shown = file;
  }
  element("hint").hidden = !sheet.empty;
  element("undo").setAttribute("aria-disabled", String(!sheet.undoable));
  element("clear").setAttribute("aria-disabled", String(sheet.empty));
}

/** @param {Iterable<File>} files one goes onto the sheet, several into the table. */
function take(files) {
  const [first, ...more] = files;
  if (!first) return;
  if (!more.length) return sheet.put(first);
  batch.read([first, ...more]);
  element("batch-title").focus();
}

/** @param {KeyboardEvent} event */
function handleKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input[type=text], select")) return; // there these keys mean something else
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  if (plain && (event.key === "Escape" || event.key === "Delete")) sheet.clear();
  else if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "z") sheet.undo();
  else return;
  event.preventDefault();
}

/** @param {DragEvent} event */
function handleDrag(event) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault(); // else the browser would open the file in the page's place
  event.dataTransfer.dropEffect = "copy";
  document.body.classList.toggle("dropping", event.type === "dragover");
  if (event.type === "drop") take(event.dataTransfer.files);
}

function listen() {
  element("read").addEventListener("click", read);
  element("undo").addEventListener("click", () => sheet.undo());
  element("clear").addEventListener("click", () => sheet.clear());
  element("pen").addEventListener("input", () => {
    sheet.width = Number(element("pen").value);
    element("pen-value").textContent = element("pen").value;
  });
  element("choose").addEventListener("click", () => element("files").click());
  element("files").addEventListener("change", () => {
    take(element("files").files);
    element("files").value = ""; // so that the same file may be chosen again
  });
  element("given").addEventListener("error", () => {
    element("given").hidden = true;
    element("no-preview").hidden = !sheet.file;
  });
  element("options").addEventListener("input", changeOptions);
  element("options").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
  document.addEventListener("keydown", handleKey);
  document.addEventListener("dragover", handleDrag);
  document.addEventListener("drop", handleDrag);
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
}

async function introduce() {
  element("privacy").textContent = api.privacy;
  element("documentation").hidden = !api.documentation;
  element("documentation").href = api.documentation;
  const models = /** @type {any[]} */ (await persist(api.models));
  const used = models.find((model) => model.default) ?? models[0];
  if (!used) return;
  modelLabels = used.labels ?? "";
  panel.kinds = kinds(modelLabels, element("fold").checked);
  showCards(models);
}

listen();
showSheet();
introduce().catch(() => {}); // without a card, the page works all the same
