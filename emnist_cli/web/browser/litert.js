/**
 * The network, run by LiteRT in WebAssembly: the same library that the command uses. Its package's files lie in the
 * folder `runtime`, and only those that run on the processor, in one thread and on any browser; this talks to the
 * classes that they export (package @litertjs/core, dist/index.d.ts) rather than by way of the package's own module,
 * which asks for a graphics card first and writes to the console.
 */

import { IMAGE_SIZE } from "./constants.js";
import { Unreachable, fetchFile } from "./fetch_file.js";

const LIBRARY = new URL("../runtime/litert_wasm_compat_internal.js", import.meta.url);
const GRAPH = new URL("../model/model.tflite", import.meta.url);

const FLOAT32 = 1; // ElementType.FLOAT32

/** A network, ready to run. */
export class Runtime {
  /** @type {any} */
  #wasm;
  /** @type {any} */
  #network;
  /** @type {any} */
  #environment = null;

  /** @returns {Promise<Runtime>} @throws {Unreachable} */
  static async load() {
    const [graph, wasm] = await Promise.all([fetchFile(GRAPH).then((answer) => answer.arrayBuffer()), loadLibrary()]);
    const runtime = new Runtime();
    runtime.#wasm = wasm;
    const bytes = new Uint8Array(graph);
    const at = wasm._malloc(bytes.length); // kept: the network reads its weights there
    wasm.HEAPU8.set(bytes, at);
    runtime.#environment = wasm.LiteRtEnvironment.create(null);
    const model = wasm.loadModel(runtime.#environment, at, bytes.length);
    const options = { accelerator: "wasm", cpuOptions: { numThreads: 1 }, gpuOptions: {}, webNNOptions: {} };
    runtime.#network = await wasm.compileModel(runtime.#environment, model, options);
    return runtime;
  }

  /** @param {Float32Array} picture 28x28 in [0, 1] @returns {Promise<Float32Array>} a probability for each class. */
  async run(picture) {
    const wasm = this.#wasm;
    const input = this.#makeBuffer(picture.byteLength);
    const bytes = new Uint8Array(picture.buffer, picture.byteOffset, picture.byteLength);
    const at = input.lock(wasm.LiteRtTensorBufferLockMode.WRITE);
    wasm.HEAPU8.set(bytes, at);
    input.unlock();
    const [output] = await this.#network.run(0, [input]);
    const from = output.lock(wasm.LiteRtTensorBufferLockMode.READ);
    const answer = new Float32Array(wasm.HEAPU8.slice(from, from + output.packedSize()).buffer);
    output.unlock();
    input.delete();
    output.delete();
    return answer;
  }

  /** @param {number} size in bytes */
  #makeBuffer(size) {
    const wasm = this.#wasm;
    const sides = new wasm.VectorInt32();
    // one image at a time: a batch of any size is not among what the library can do
    for (const side of [1, IMAGE_SIZE, IMAGE_SIZE, 1]) sides.push_back(side);
    const layout = wasm.LiteRtLayout.create(sides);
    const type = wasm.LiteRtRankedTensorType.create({ value: FLOAT32 }, layout);
    const memory = wasm.LiteRtTensorBufferType.HOST_MEMORY;
    const buffer = wasm.LiteRtTensorBuffer.createManaged(this.#environment, memory, type, size);
    for (const each of [sides, layout, type]) each.delete();
    return buffer;
  }
}

/** Load the library; it is a script and no module. @returns {Promise<any>} what it exports. */
async function loadLibrary() {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY.href;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Unreachable(`${LIBRARY.pathname} cannot be reached`)));
    document.head.append(script);
  });
  const said = /** @type {string[]} */ ([]);
  const listen = (/** @type {string} */ line) => said.push(line); // it reports every step as an error
  try {
    return await /** @type {any} */ (globalThis).ModuleFactory({ print: listen, printErr: listen });
  } catch (error) {
    throw new Error(`This browser cannot run the model (${error instanceof Error ? error.message : error}).`);
  }
}
