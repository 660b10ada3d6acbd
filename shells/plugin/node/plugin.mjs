// One loaded plugin: every call goes through one queue, in order, one at a time.
//
// 1. The SDK must never see a second call while one is running: exports, socket callbacks and events share the queue.
// 2. A host function must not queue a call and wait for it; the running call would wait for itself.
import { readFile } from 'node:fs/promises';

const SDKS = {
  '2.0.0-rc13': '@extism/extism',
  '1.0.3': 'extism-1.0.3',
};

// The SDK loads node:wasi whether it is used or not; Node's warning about it would puzzle whoever reads the log.
const warnings = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', warning => {
  if (!warning.message.startsWith('WASI is')) warnings.forEach(listener => listener(warning));
});

export const sdkVersions = Object.keys(SDKS);

export class Plugin {
  #instance;
  #sdk;
  #onCall;
  #last = Promise.resolve();
  #closed = false;

  /**
   * @param {string|Uint8Array} wasm   the module, or where it is
   * @param {object} functions  host functions by name, each (callContext, offset) -> offset
   * @param {{sdk?: string, useWasi?: boolean, onCall?: () => void}} options  `onCall` runs when an export is about to be called
   */
  static async load(wasm, functions, { sdk = '2.0.0-rc13', useWasi = false, onCall = () => {} } = {}) {
    if (!(sdk in SDKS)) throw new Error(`There is no Extism SDK ${sdk} here; choose one of ${sdkVersions.join(', ')}.`);
    const { default: createPlugin } = await import(SDKS[sdk]);
    const plugin = new Plugin();
    plugin.#sdk = sdk;
    plugin.#onCall = onCall;
    plugin.#instance = await createPlugin(
      { wasm: [{ data: typeof wasm === 'string' ? await readFile(wasm) : wasm }] },
      { useWasi, functions: { 'extism:host/user': functions } });
    return plugin;
  }

  /** Runs an export. Resolves to its output, null when it has none; rejects with the text that the guest gave. */
  call(name, input = '') {
    const run = this.#last.then(() => this.#callNow(name, input));
    this.#last = run.catch(() => {});
    return run;
  }

  /** Like `call`, with JSON in and JSON (or null) out. */
  async callJson(name, input) {
    const output = await this.call(name, input === undefined ? '' : JSON.stringify(input));
    return output === null ? null : JSON.parse(Buffer.from(output).toString('utf8'));
  }

  /** Runs a command as the native host does and returns its CommandResponse. */
  command(command, params = {}) {
    return this.callJson('handle_command', { command, params });
  }

  /** What the module exports, its memory for one. */
  async exports() { return (await this.#instance.getInstance()).exports; }

  /** Bytes of the module's memory, which never shrinks: its peak. */
  async memoryBytes() { return (await this.exports()).memory.buffer.byteLength; }

  async close() {
    await this.#last;
    this.#closed = true;
    await this.#instance.close();
  }

  async #callNow(name, input) {
    if (this.#closed) throw new Error(`The plugin is closed; ${name} was not run.`);
    // SDK 1.0.3 keeps the blocks of earlier calls and dies after 16,383 of them unless told to forget.
    if (this.#sdk === '1.0.3') await this.#instance.reset();
    this.#onCall();
    // It also reads a view from the start of its buffer, and Node's buffers share one; a copy has its own.
    const bytes = typeof input === 'string' ? input : new Uint8Array(input);
    const output = await this.#instance.call(name, bytes);
    if (output === null || output === undefined || output.byteLength === 0) return null;
    return new Uint8Array(output.bytes());  // a copy: the SDK reuses what is behind the view
  }
}
