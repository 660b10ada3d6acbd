// Two devices of one workspace, one of which has a host that fails and lies: a random course of edits, restarts and bad input, the same
// for the same seed. When the host is sane again, both devices must come to rest with equal files.
import { Plugin } from '../../shells/plugin/node/plugin.mjs';
import { PretendHost, WASM } from '../../shells/plugin/node/test/pretend_host.mjs';
import { PretendServer } from './pretend_server.mjs';

const PATHS = ['a.md', 'b.md', 'notes/c.md', 'notes/d.md', 'p.png', 'q/r.png'];
const LIES = ['', 'null', '{}', '[]', '{"data":7}', 'garbage', 'throw', 'throw', 'throw'];
// Of no use against a workspace that goes on: they link, share, go back, or let go what waits.
const NOT_TRIED = /Snapshot|Download|Link|Namespace|Object|Session|LiveShare|set_config|ListRemote|Undo|Release|Reset|Restore/;
const VALUES = ['', 'a.md', '../x', '/etc/passwd', 'notes/c.md', 'p.png', 'AAA=', '*', null, 7, -1, 1e300, true, [], {}, ['a.md'],
  ['notes/c.md', ''], 'x'.repeat(300)];
const NAMES = ['path', 'doc_name', 'content', 'update', 'message', 'state', 'old_path', 'new_path', 'file_paths', 'doc_id', 'data',
  'workspace_path', 'remote_state_vector', 'files', 'workspace_root', 'update_id', 'paths', 'limit'];
const TAKES_BYTES = ['handle_binary_message', 'handle_text_message', 'on_event', 'queue_local_update', 'sync_body_files',
  'execute_typed_command', 'get_component_html'];
const OPTIONS = { workspace_root: '.', server_url: 'http://server', auth_token: 'token', workspace_id: 'w', write_to_disk: true };
const ROUND_MS = 1000;
const MOST_ROUNDS = 300;

function generator(seed) {
  let state = (seed * 2654435761) >>> 0 || 1;
  return limit => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % limit;
  };
}

export class Device {
  host = new PretendHost();
  traps = false;    // a host that ends the call when there is no line to send on
  #server;
  #target = null;   // the connection that the guest asked for
  #line = null;
  #offline = false;
  #coming = [];     // callbacks of the socket that are due: [export, input]

  constructor(name, server, clock) {
    this.name = name;
    this.#server = server;
    this.host.clock += clock;
    this.host.context = { device_name: name };
    this.host.http = request => server.http(request);
  }

  /** A new instance, as after a crash or a clean end. */
  async start() {
    this.#drop();
    this.#target = null;
    const functions = this.host.functions();
    const broken = functions.host_ws_request;
    functions.host_ws_request = (call, offset) => {
      if (this.host.broken?.host_ws_request !== undefined) return broken(call, offset);
      return call.store(JSON.stringify(this.#request(JSON.parse(call.read(offset).text()))));
    };
    const before = this.plugin;
    this.plugin = await Plugin.load(WASM, functions);
    await before?.close();
    await this.init();
  }

  init() { return this.call('init', JSON.stringify(OPTIONS)); }

  /** The output, or null when the export refused or its host ended it. */
  async call(name, input) {
    try {
      return await this.plugin.call(name, input);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      return null;
    }
  }

  event(event_type, payload) { return this.call('on_event', JSON.stringify({ event_type, payload })); }
  command(command, params) { return this.call('handle_command', JSON.stringify({ command, params })); }

  async status() {
    const output = await this.command('GetSyncStatus', null);
    return output === null ? {} : JSON.parse(Buffer.from(output)).data ?? {};
  }

  /** Hands on what the socket has to tell, at most so much. */
  async hear(most = Infinity) {
    for (; most > 0 && this.#coming.length > 0; --most) await this.call(...this.#coming.shift());
  }
  get isQuiet() { return this.#coming.length === 0; }

  setOffline(offline) {
    if (offline === this.#offline) return;
    this.#offline = offline;
    if (!offline) return this.#open();
    if (this.#line === null) return;
    this.#drop();
    this.#coming.push(['on_disconnected', '']);
  }

  files() { return Object.fromEntries([...this.host.files].sort().map(([path, bytes]) => [path, bytes.toString('latin1')])); }

  async write(path, text) {
    const event = this.host.files.has(path) ? 'file_saved' : 'file_created';
    this.host.files.set(path, Buffer.from(text, 'latin1'));
    await this.event(event, { path });
  }
  async remove(path) {
    this.host.files.delete(path);
    await this.event('file_deleted', { path });
  }
  async rename(from, to) {
    this.host.files.set(to, this.host.files.get(from));
    this.host.files.delete(from);
    await this.event('file_moved', { old_path: from, new_path: to });
  }

  #request(request) {
    if (request.type === 'connect') {
      const { server_url, workspace_id, auth_token, write_to_disk } = request;
      const key = JSON.stringify([server_url, workspace_id, auth_token, write_to_disk]);
      if (this.#target?.key === key) return { ok: true };
      this.#drop();
      this.#target = { key, workspace_id, write_to_disk };
      if (!this.#offline) this.#open();
    } else if (request.type === 'disconnect') {
      this.#target = null;
      this.#drop();
    } else if (this.#line === null) {
      if (this.traps) throw new Error('there is no line');
      return { ok: false, error: 'not_connected' };
    } else if (request.type === 'send_binary') {
      this.#server.receive(this.#line, Buffer.from(request.data, 'base64'));
    }
    return { ok: true };
  }

  #open() {
    if (this.#target === null) return;
    const { workspace_id, write_to_disk } = this.#target;
    this.#coming.push(['on_connected', JSON.stringify({ workspace_id, write_to_disk })]);
    this.#line = this.#server.open((name, input) => this.#coming.push([name, input]));
  }

  // What was on its way on this line does not arrive any more.
  #drop() {
    if (this.#line !== null) this.#server.close(this.#line);
    this.#line = null;
    this.#coming = [];
  }
}

/** One seed: `await new Course(seed).run(steps)` says what is wrong at its end, or null. */
export class Course {
  #words = 0;
  #pick;

  constructor(seed) { this.#pick = generator(seed); }

  async run(steps) {
    const server = new PretendServer();
    this.a = new Device('a', server, this.#pick(1e6));
    this.b = new Device('b', server, this.#pick(1e6));
    this.a.traps = this.#pick(2) === 0;
    this.lies = this.#pick(2) === 0 ? LIES : ['throw'];
    await this.a.start();
    await this.b.start();
    this.commands = (await this.a.plugin.callJson('manifest')).commands.filter(name => !NOT_TRIED.test(name));
    this.functions = Object.keys(this.a.host.functions());
    for (let step = 0; step < steps; ++step) await this.#step();
    return this.#rest();
  }

  async close() {
    await this.a.plugin.close();
    await this.b.plugin.close();
  }

  #one(list) { return list[this.#pick(list.length)]; }

  async #step() {
    const { a, b } = this;
    a.host.broken = null;
    if (this.#pick(2) === 0) {
      a.host.broken = {};
      for (let more = 1 + this.#pick(3); more > 0; --more) a.host.broken[this.#one(this.functions)] = this.#one(this.lies);
    }
    a.host.clock += this.#pick(500);
    b.host.clock += this.#pick(500);
    switch (this.#pick(12)) {
      case 0: case 1: case 2: case 3: await this.#edit(a); break;
      case 4: case 5: await this.#edit(b); break;
      case 6: await a.call(this.#one(TAKES_BYTES), Buffer.from(Array.from({ length: this.#pick(100) }, () => this.#pick(256)))); break;
      case 7: await a.command(this.#one(this.commands), this.#params()); break;
      case 8: await a.call(this.#one(['on_disconnected', 'on_snapshot_imported', 'get_config']), ''); break;
      case 9: await this.#restart(); break;
      case 10: a.setOffline(this.#pick(2) === 0); break;
      case 11: await a.status(); await b.status(); break;
    }
    await a.hear(this.#pick(8));
    await b.hear(this.#pick(8));
  }

  async #restart() {
    if (this.#pick(3) > 0) return this.a.init();
    if (this.#pick(2) === 0) await this.a.call('shutdown', '');
    await this.a.start();
  }

  #params() {
    const params = {};
    for (let more = this.#pick(4); more > 0; --more) params[this.#one(NAMES)] = this.#one(VALUES);
    return params;
  }

  async #edit(device) {
    const files = [...device.host.files.keys()];
    const path = this.#one(PATHS);
    switch (this.#pick(8)) {
      case 0:
        if (files.length > 0) await device.remove(this.#one(files));
        return;
      case 1: {
        const from = files.length > 0 ? this.#one(files) : path;
        const fits = device.host.files.has(from) && !device.host.files.has(path) && from.split('.').pop() === path.split('.').pop();
        if (fits) await device.rename(from, path);
        return;
      }
    }
    const word = `${device.name}${++this.#words}x`;
    if (path.endsWith('.png')) return device.write(path, `\xff${word}`);
    await device.write(path, `${device.files()[path] ?? ''}${word}\n`);
  }

  /** What is wrong once the host is sane again; nothing when all is well. */
  async #rest() {
    const { a, b } = this;
    a.host.broken = null;
    a.setOffline(false);
    if (this.#pick(2) === 0) await a.start(); else await a.init();
    let calm = 0;
    let states;
    for (let round = 0; round < MOST_ROUNDS && calm < 3; ++round) {
      states = [];
      for (const device of [a, b]) {
        device.host.clock += ROUND_MS;
        await device.hear();
        if (round % 10 === 5) await device.event('workspace_opened', { workspace_root: '.' });
        states.push(await device.status());
        if (states.at(-1).label === 'Changes held') await device.command('ReleaseHeldChanges', {});
      }
      const equal = JSON.stringify(a.files()) === JSON.stringify(b.files());
      calm = equal && a.isQuiet && b.isQuiet && states.every(({ state }) => state === 'synced') ? calm + 1 : 0;
    }
    return calm < 3 ? { what: 'no rest', states, a: a.files(), b: b.files() } : null;
  }
}

