// A device whose files and storage are in memory, for Node and for a page of a browser alike: the same module runs in both.
//
// 1. Host functions are synchronous, so that both SDKs run them without a worker and without stack switching.
// 2. None throws: what fails or is denied gives the neutral value of a web host.
// 3. Every call of the plugin goes through one queue; nothing calls the plugin from inside a host function.

const FIRST_PAUSE_MS = 100;  // a patient host waits a second; the growth is that of real ones
const GROWTH = 1.5;
const NEUTRAL = {
  host_list_files: '[]',
  host_file_exists: 'false',
  host_http_request: JSON.stringify({ status: 0, headers: {}, body: 'denied', body_base64: '' }),
  host_ws_request: JSON.stringify({ ok: false, error: 'failed' }),
};
// The permission that each function needs, when it needs one. Writing needs one of two.
const NEEDS = {
  host_read_file: 'read_files', host_read_binary: 'read_files', host_list_files: 'read_files', host_file_exists: 'read_files',
  host_delete_file: 'delete_files', host_http_request: 'http_requests', host_storage_get: 'plugin_storage', host_storage_set: 'plugin_storage',
};

export function toBase64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
export const fromBase64 = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const utf8 = text => new TextEncoder().encode(text);

export class MemoryDevice {
  root = '.';
  files = new Map();
  storage = new Map();
  events = [];
  logs = [];
  #world;
  #plugin = null;
  #last = Promise.resolve();
  #broken = new Set();
  #denied = new Set();
  #offline = false;
  #shift = 0;
  #target = null;
  #socket = null;
  #attempt = 0;
  #timer = 0;

  /**
   * @param {{createPlugin, sdk: string, wasm: Uint8Array, openSocket(url), http(request), context: object, only?: string[]}} world
   *        `openSocket` gives a WebSocket as browsers have it, `http` answers as `host_http_request` does, `only` names the host
   *        functions that there are when not all are
   */
  constructor(world) { this.#world = world; }

  async start() {
    this.#plugin = await this.#world.createPlugin({ wasm: [{ data: this.#world.wasm }] },
      { useWasi: true, functions: { 'extism:host/user': this.#functions() } });
  }

  /** Ends the plugin and loads it anew; files and storage stay. */
  async restart() {
    await this.stop();
    await this.start();
  }

  async stop() {
    await this.call('shutdown', '{}');
    this.#target = null;
    this.#drop();
    await this.#last;
    await this.#plugin.close();
  }

  // --- the plugin ---------------------------------------------------------------------------------------------------

  /** Text or bytes in, base64 out; null when there is no output. Rejects with the guest's text. */
  call(name, input = '') {
    const run = this.#last.then(async () => {
      if (this.#world.sdk === '1.0.3') await this.#plugin.reset();  // it never gives back a block otherwise
      const output = await this.#plugin.call(name, typeof input === 'string' ? input : new Uint8Array(input));
      return output && output.byteLength ? toBase64(new Uint8Array(output.bytes())) : null;
    });
    this.#last = run.catch(() => {});
    return run;
  }

  #tell(name, input = '') {
    this.call(name, input).catch(error => this.logs.push(['error', `${name}: ${error.message}`]));
  }

  // --- the world as a test moves it ---------------------------------------------------------------------------------

  put(path, base64) { this.files.set(path, fromBase64(base64)); }
  /** Puts `next` in place of `old` if that is what is there. */
  swap(path, old, next) {
    if (this.get(path) !== old) return false;
    this.put(path, next);
    return true;
  }
  get(path) { return this.files.has(path) ? toBase64(this.files.get(path)) : null; }
  drop(path) { this.files.delete(path); }
  move(from, to) { this.files.set(to, this.files.get(from)); this.files.delete(from); }
  list() { return [...this.files.keys()].sort(); }

  /** broken, denied: names of host functions and of permissions. clock_shift: ms by which this device's clock is ahead. */
  set({ broken, denied, offline, clock_shift }) {
    if (clock_shift !== undefined) this.#shift = clock_shift;
    if (broken) this.#broken = new Set(broken);
    if (denied) this.#denied = new Set(denied);
    if (offline === undefined || offline === this.#offline) return;
    this.#offline = offline;
    if (!offline) {
      this.#attempt = 0;
      if (this.#target) this.#open();
      return;
    }
    const wasOpen = this.#socket?.readyState === 1;
    this.#drop();
    if (wasOpen) this.#tell('on_disconnected');
  }

  // --- host functions -----------------------------------------------------------------------------------------------

  #write(path, bytes) {
    if (this.#denied.has(this.files.has(path) ? 'edit_files' : 'create_files')) return '';
    this.files.set(path, bytes);
    return '';
  }

  #functions() {
    const json = JSON.stringify;
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const answers = {
      host_log: ({ level, message }) => { this.logs.push([level, message]); return ''; },
      host_read_file: ({ path }) => strict.decode(this.files.get(path)),
      host_read_binary: ({ path }) => (this.files.has(path) ? json({ data: toBase64(this.files.get(path)) }) : ''),
      host_list_files: () => json([...this.files.keys()]),
      host_file_exists: ({ path }) => String(this.files.has(path)),
      host_write_file: ({ path, content }) => this.#write(path, utf8(content)),
      host_write_binary: ({ path, content }) => this.#write(path, fromBase64(content)),
      host_delete_file: ({ path }) => { this.files.delete(path); return ''; },
      host_emit_event: event => { this.events.push(event); return ''; },
      host_storage_get: ({ key }) => (this.storage.has(key) ? json({ data: toBase64(this.storage.get(key)) }) : ''),
      host_storage_set: ({ key, data }) => { this.storage.set(key, fromBase64(data)); return ''; },
      host_get_timestamp: () => String(Date.now() + this.#shift),
      host_http_request: request => json(this.#world.http(request)),
      host_get_runtime_context: () => json(this.#world.context),
      host_ws_request: request => json(this.#request(request)),
    };
    const offered = Object.entries(answers).filter(([name]) => !this.#world.only || this.#world.only.includes(name));
    return Object.fromEntries(offered.map(([name, answer]) => [name, (call, offset) => {
      let text = NEUTRAL[name] ?? '';
      try {
        const input = offset === 0n ? '' : call.read(offset)?.text() ?? '';
        if (!this.#broken.has(name) && !this.#denied.has(NEEDS[name])) text = answer(input === '' ? {} : JSON.parse(input));
      } catch (error) {
        this.logs.push(['debug', `${name}: ${error.message}`]);
      }
      return text === '' ? 0n : call.store(text);
    }]));
  }

  // --- the socket ---------------------------------------------------------------------------------------------------

  #request({ type, data, text, server_url, workspace_id, auth_token, session_code, write_to_disk }) {
    if (type === 'connect') {
      const key = JSON.stringify([server_url, workspace_id, auth_token, session_code, write_to_disk !== false]);
      if (this.#target?.key === key) return { ok: true };
      this.#drop();
      const url = new URL(`${server_url.replace(/^http/, 'ws').replace(/(\/|\/sync2?)+$/, '')}/sync2`);
      for (const [name, value] of Object.entries({ workspace_id, token: auth_token, session: session_code })) if (value) url.searchParams.set(name, value);
      this.#target = { key, url: String(url), workspace_id, write_to_disk: write_to_disk !== false };
      this.#attempt = 0;
      if (!this.#offline) this.#open();
    } else if (type === 'disconnect') {
      this.#target = null;
      this.#drop();
    } else if (this.#socket?.readyState === 1) {  // else it is lost in silence, as on web hosts
      this.#socket.send(type === 'send_text' ? text : fromBase64(data));
    }
    return { ok: true };
  }

  #open() {
    const socket = this.#world.openSocket(this.#target.url);
    const { workspace_id, write_to_disk } = this.#target;
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    const mine = act => event => { if (this.#socket === socket) act(event); };
    socket.onopen = mine(() => { this.#attempt = 0; this.#tell('on_connected', JSON.stringify({ workspace_id, write_to_disk })); });
    socket.onmessage = mine(({ data }) => (typeof data === 'string' ? this.#tell('handle_text_message', data) : this.#tell('handle_binary_message', new Uint8Array(data))));
    socket.onerror = () => {};  // `onclose` follows
    socket.onclose = mine(() => {
      this.#socket = null;
      this.#tell('on_disconnected');
      this.#timer = setTimeout(() => { if (this.#target && !this.#offline) this.#open(); }, FIRST_PAUSE_MS * GROWTH ** this.#attempt++);
    });
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
