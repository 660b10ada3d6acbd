// A host in memory: files, storage, clock and socket are plain data that a test fills and looks into.
import { existsSync } from 'node:fs';
import { Plugin } from '../plugin.mjs';

export const WASM = process.env.DIARYX_PLUGIN ?? new URL('../../../../build/wasm/diaryx_sync.wasm', import.meta.url).pathname;
/** The build for hosts with nothing beyond the twelve functions of the README. */
export const WASM12 = WASM.replace(/\.wasm$/, '_readme12.wasm');
if (!existsSync(WASM)) throw new Error(`There is no plugin at ${WASM}: make it with ./dev wasm.`);

export class PretendHost {
  files = new Map();      // path -> Buffer
  storage = new Map();    // key -> Buffer
  sets = [];              // keys in the order in which they were set
  requests = [];          // host_ws_request
  events = [];            // host_emit_event
  logs = [];              // [level, message]
  context = {};
  http = () => ({ status: 0, headers: {}, body: 'no network here', body_base64: '' });
  socketAnswer = { ok: true };
  broken = null;          // name -> text | 'throw': what a host function answers instead
  clock = Date.UTC(2026, 2, 1);

  functions() {
    const answers = {
      host_log: ({ level, message }) => { this.logs.push([level, message]); return ''; },
      host_read_file: ({ path }) => this.files.get(path)?.toString('utf8') ?? '',
      host_read_binary: ({ path }) => this.files.has(path) ? JSON.stringify({ data: this.files.get(path).toString('base64') }) : '',
      host_list_files: ({ prefix }) => {
        const inside = prefix === '.' || prefix === '' ? '' : `${prefix}/`;
        return JSON.stringify([...this.files.keys()].filter(path => path.startsWith(inside)));
      },
      host_file_exists: ({ path }) => String(this.files.has(path)),
      host_write_file: ({ path, content }) => { this.files.set(path, Buffer.from(content)); return ''; },
      host_write_binary: ({ path, content }) => { this.files.set(path, Buffer.from(content, 'base64')); return ''; },
      host_delete_file: ({ path }) => { this.files.delete(path); return ''; },
      host_emit_event: event => { this.events.push(event); return ''; },
      host_storage_get: ({ key }) => this.storage.has(key) ? JSON.stringify({ data: this.storage.get(key).toString('base64') }) : '',
      host_storage_set: ({ key, data }) => { this.sets.push(key); this.storage.set(key, Buffer.from(data, 'base64')); return ''; },
      host_get_timestamp: () => String(this.clock++),
      host_http_request: request => JSON.stringify(this.http(request)),
      host_get_runtime_context: () => JSON.stringify(this.context),
      host_ws_request: request => { this.requests.push(request); return JSON.stringify(this.socketAnswer); },
    };
    return Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, (call, offset) => {
      const text = offset === 0n ? '' : call.read(offset)?.text() ?? '';
      const instead = this.broken?.[name];
      if (instead === 'throw') throw new Error(`${name} was refused`);
      const output = instead ?? answer(text === '' ? {} : JSON.parse(text));
      return output === '' ? 0n : call.store(output);
    }]));
  }

  load(options) { return Plugin.load(WASM, this.functions(), options); }

  /** Requests of one type to the socket. */
  sent(type) { return this.requests.filter(request => request.type === type); }
}

/** The host's side of the action envelope, as strict as hosts are. */
export function decodeEnvelope(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const actions = [];
  let at = 2;
  for (let left = view.getUint16(0, true); left > 0; --left) {
    const type = view.getUint8(at);
    const length = view.getUint32(at + 1, true);
    if (type > 3) throw new Error(`unknown action ${type}`);
    if (at + 5 + length > bytes.length) throw new Error('payload past the end');
    actions.push({ type, payload: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return actions;
}
