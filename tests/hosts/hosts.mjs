// The hosts that run the scenarios: Node, Chromium and wasmtime. Each opens devices of one interface.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { BlockingHttp } from '../../shells/plugin/node/http.mjs';
import { NO_CHROMIUM, chromiumPath, launch } from './chromium.mjs';
import { MemoryDevice } from './memory_device.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;
export const WASM = process.env.DIARYX_PLUGIN ?? join(ROOT, 'build/wasm/diaryx_sync.wasm');
/** The build for hosts that have nothing beyond the twelve functions of the README. */
const WASM12 = WASM.replace(/\.wasm$/, '_readme12.wasm');
const TWELVE = ['host_log', 'host_read_file', 'host_list_files', 'host_file_exists', 'host_write_file', 'host_delete_file',
  'host_write_binary', 'host_emit_event', 'host_storage_get', 'host_storage_set', 'host_get_timestamp', 'host_ws_request'];
const NATIVE = process.env.DX_PLUGIN_HOST ?? join(ROOT, 'build/release/bin/diaryx-plugin-host');
const SDKS = { '2.0.0-rc13': '@extism/extism', '1.0.3': 'extism-1.0.3' };
export const sdkVersions = Object.keys(SDKS);

for (const file of [WASM, WASM12]) if (!fs.existsSync(file)) throw new Error(`There is no plugin at ${file}: make it with ./dev wasm.`);

// The SDK loads node:wasi whether it is used or not; Node's warning about it would puzzle whoever reads the log.
const warnings = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', warning => { if (!warning.message.startsWith('WASI is')) warnings.forEach(listener => listener(warning)); });

/** What scenarios see of a device, whatever it runs in. `raw` is a MemoryDevice or looks like one; all of it may be asynchronous. */
export class Device {
  constructor(raw, name, root) { Object.assign(this, { raw, name, root }); }

  async call(name, input) {
    const output = await this.raw.call(name, input);
    return output === null ? null : Buffer.from(output, 'base64');
  }
  async response(command, params = {}) {
    return JSON.parse((await this.call('handle_command', JSON.stringify({ command, params }))).toString());
  }
  /** The data of a command that must succeed. */
  async command(command, params = {}) {
    const { success, data, error } = await this.response(command, params);
    if (!success) throw new Error(`${this.name}: ${command}: ${error}`);
    return data;
  }
  status() { return this.command('GetSyncStatus', null); }
  event(event_type, payload) { return this.call('on_event', JSON.stringify({ event_type, payload })); }

  // Files, and the events that a host sends when a user changes them.
  #path(path) { return this.root === '.' ? path : `${this.root}/${path}`; }
  async write(path, content) {
    const known = await this.read(path) !== null;
    await this.raw.put(path, Buffer.from(content).toString('base64'));
    await this.event(known ? 'file_saved' : 'file_created', { path: this.#path(path) });
  }
  /** Like an editor that never saves over what came in since it read. */
  async edit(path, change) {
    for (;;) {
      const old = await this.raw.get(path);
      const next = Buffer.from(change(Buffer.from(old, 'base64').toString())).toString('base64');
      if (await this.raw.swap(path, old, next)) break;
    }
    await this.event('file_saved', { path: this.#path(path) });
  }
  async remove(path) {
    await this.raw.drop(path);
    await this.event('file_deleted', { path: this.#path(path) });
  }
  async rename(from, to) {
    await this.raw.move(from, to);
    await this.event('file_moved', { old_path: this.#path(from), new_path: this.#path(to) });
  }
  /** Without an event: somebody else's program, or a device whose plugin does not run. */
  put(path, content) { return this.raw.put(path, Buffer.from(content).toString('base64')); }
  async bytes(path) {
    const content = await this.raw.get(path);
    return content === null ? null : Buffer.from(content, 'base64');
  }
  async read(path) { return (await this.bytes(path))?.toString() ?? null; }
  list() { return this.raw.list(); }
  async all() {
    const found = {};
    for (const path of await this.list()) found[path] = (await this.bytes(path)).toString('base64');
    return found;
  }

  set(change) { return this.raw.set(change); }
  async init(options = {}) { await this.call('init', JSON.stringify({ workspace_root: this.root, write_to_disk: true, ...options })); }
  async restart() { await this.raw.restart(); await this.init(); }
  logs() { return this.raw.takeLogs(); }
  close() { return this.raw.stop(); }
}

MemoryDevice.prototype.takeLogs = function () { return this.logs; };

// --- Node ----------------------------------------------------------------------------------------------------------

class NodeHost {
  skip = false;
  #http = new BlockingHttp();
  constructor(sdk) { Object.assign(this, { sdk, name: `Node, Extism ${sdk}` }); }
  async open(name, context, { twelve = false } = {}) {
    const { default: createPlugin } = await import(SDKS[this.sdk]);
    const raw = new MemoryDevice({
      createPlugin, sdk: this.sdk, wasm: fs.readFileSync(twelve ? WASM12 : WASM), only: twelve ? TWELVE : undefined, context,
      openSocket: url => new WebSocket(url), http: request => this.#http.request(request),
    });
    await raw.start();
    return new Device(raw, name, '.');
  }
  close() { this.#http.close(); }
}

// --- Chromium ------------------------------------------------------------------------------------------------------

// Serves the page, the SDK and the module from one origin, so that the page is an ordinary web app.
function serveFiles(sdk) {
  const type = { html: 'text/html', mjs: 'text/javascript', wasm: 'application/wasm' };
  const files = {
    '/': ['html', '<!doctype html><title>device</title>'],
    '/memory_device.mjs': ['mjs', fs.readFileSync(new URL('./memory_device.mjs', import.meta.url))],
    '/sdk.mjs': ['mjs', fs.readFileSync(join(ROOT, 'tests/hosts/node_modules', SDKS[sdk], 'dist/browser/mod.js'))],
    '/plugin.wasm': ['wasm', fs.readFileSync(WASM)],
    '/plugin12.wasm': ['wasm', fs.readFileSync(WASM12)],
  };
  const server = http.createServer((request, response) => {
    const found = files[request.url];
    response.writeHead(found ? 200 : 404, { 'content-type': found ? type[found[0]] : 'text/plain' });
    response.end(found ? found[1] : '');
  });
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}

// Runs in the page. HTTP is synchronous there, as every host function is.
async function openInPage({ sdk, context, file, only }) {
  const [{ default: createPlugin }, { MemoryDevice: Kind, toBase64, fromBase64 }] = await Promise.all([import('/sdk.mjs'), import('/memory_device.mjs')]);
  const http = ({ url, method, headers = {}, body, body_base64 }) => {
    const request = new XMLHttpRequest();
    request.open(method, url, false);
    request.overrideMimeType('text/plain; charset=x-user-defined');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    try {
      request.send(typeof body_base64 === 'string' ? fromBase64(body_base64) : body);
    } catch (error) {
      return { status: 0, headers: {}, body: error.message, body_base64: '' };
    }
    const bytes = Uint8Array.from(request.responseText, c => c.charCodeAt(0) & 0xff);
    return { status: request.status, headers: {}, body: new TextDecoder().decode(bytes), body_base64: toBase64(bytes) };
  };
  const wasm = new Uint8Array(await (await fetch(file)).arrayBuffer());
  window.device = new Kind({ createPlugin, sdk, wasm, only, context, http, openSocket: url => new WebSocket(url) });
  await window.device.start();
}

class InPage {
  constructor(page) { this.page = page; }
  #run(method, ...parameters) { return this.page.evaluate(([name, given]) => window.device[name](...given), [method, parameters]); }
  async call(name, input = '') {
    if (typeof input === 'string') return this.#run('call', name, input);
    return this.page.evaluate(([each, bytes]) => window.device.call(each, Uint8Array.from(atob(bytes), c => c.charCodeAt(0))), [name, Buffer.from(input).toString('base64')]);
  }
  put(path, content) { return this.#run('put', path, content); }
  swap(path, old, next) { return this.#run('swap', path, old, next); }
  get(path) { return this.#run('get', path); }
  drop(path) { return this.#run('drop', path); }
  move(from, to) { return this.#run('move', from, to); }
  list() { return this.#run('list'); }
  set(change) { return this.#run('set', change); }
  restart() { return this.#run('restart'); }
  takeLogs() { return this.page.evaluate(() => window.device.logs); }
  async stop() {
    await this.#run('stop');
    await this.page.close();
  }
}

class ChromiumHost {
  skip = chromiumPath ? false : NO_CHROMIUM;
  constructor(sdk) { Object.assign(this, { sdk, name: `Chromium, Extism ${sdk}` }); }
  /** What the server must let in. */
  async origin() {
    this.server ??= await serveFiles(this.sdk);
    return `http://127.0.0.1:${this.server.address().port}`;
  }
  async open(name, context, { twelve = false } = {}) {
    this.browser ??= await launch();
    const page = await this.browser.newPage();
    await page.goto(await this.origin());
    await page.evaluate(openInPage, { sdk: this.sdk, context, file: twelve ? '/plugin12.wasm' : '/plugin.wasm', only: twelve ? TWELVE : undefined });
    return new Device(new InPage(page), name, '.');
  }
  async close() {
    await this.browser?.close();
    this.server?.close();
  }
}

// --- wasmtime ------------------------------------------------------------------------------------------------------

class InProcess {
  #child;
  #waiting = new Map();
  #last = 0;
  #logs = [];
  constructor(folder, context, file) { Object.assign(this, { folder, context, file }); }

  start() {
    this.#child = spawn(NATIVE, ['serve', this.file, '--folder', this.folder, '--server', this.context.server_url ?? '', '--token', this.context.auth_token ?? '',
      '--device-name', this.context.device_name]);
    let errors = '';
    this.#child.stderr.on('data', chunk => { errors += chunk; });
    return new Promise((resolve, reject) => {
      this.#child.on('exit', code => {
        const error = new Error(`the native host ended (${code}): ${errors}`);
        reject(error);
        for (const { fail } of this.#waiting.values()) fail(error);
      });
      createInterface({ input: this.#child.stdout }).on('line', line => {
        const message = JSON.parse(line);
        if (message.event === 'ready') return resolve(message);
        if (message.event === 'log') return this.#logs.push([message.level, message.message]);
        if (message.event) return undefined;
        const { done, fail } = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        return message.ok ? done(message) : fail(new Error(message.error));
      });
    });
  }
  #ask(request) {
    const id = ++this.#last;
    this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    return new Promise((done, fail) => this.#waiting.set(id, { done, fail }));
  }
  async call(name, input = '') {
    const { text, base64 } = await this.#ask(typeof input === 'string' ? { call: name, text: input } : { call: name, base64: Buffer.from(input).toString('base64') });
    const output = base64 ?? Buffer.from(text ?? '').toString('base64');
    return output === '' ? null : output;
  }
  #at(path) { return join(this.folder, path); }
  put(path, content) {
    fs.mkdirSync(dirname(this.#at(path)), { recursive: true });
    fs.writeFileSync(this.#at(path), Buffer.from(content, 'base64'));
  }
  async swap(path, opened, saved) { return (await this.#ask({ edit: path, opened, saved })).done; }
  get(path) { return fs.existsSync(this.#at(path)) ? fs.readFileSync(this.#at(path)).toString('base64') : null; }
  drop(path) { fs.rmSync(this.#at(path)); }
  move(from, to) {
    fs.mkdirSync(dirname(this.#at(to)), { recursive: true });
    fs.renameSync(this.#at(from), this.#at(to));
  }
  list() {
    return fs.readdirSync(this.folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
      .map(entry => relative(this.folder, join(entry.parentPath ?? entry.path, entry.name))).filter(path => !path.startsWith('.diaryx/')).sort();
  }
  set({ broken, denied, offline }) { return this.#ask({ broken, deny: denied, offline }); }
  takeLogs() { return this.#logs; }
  async end() {
    const ended = new Promise(resolve => this.#child.on('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
  async restart() {
    await this.end();
    await this.start();
  }
  async stop() {
    await this.end();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

class WasmtimeHost {
  name = 'wasmtime, libextism';
  skip = fs.existsSync(NATIVE) ? false : 'libextism is not here, so there is no native plugin host: install cargo, then ./dev setup and ./dev build';
  async open(name, context, { twelve = false } = {}) {
    const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'diaryx-host-')));
    const raw = new InProcess(folder, context, twelve ? WASM12 : WASM);
    const { root } = await raw.start();
    return new Device(raw, name, root);
  }
  close() {}
}

export const nodeHosts = () => sdkVersions.map(sdk => new NodeHost(sdk));
export const chromiumHosts = () => sdkVersions.map(sdk => new ChromiumHost(sdk));
export const wasmtimeHosts = () => [new WasmtimeHost()];
