// A device at /sync2: frames as docs/protocol.md says, one Yjs document per id.
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import {WebSocket} from 'ws';
import * as Y from 'yjs';
import {until} from './server.mjs';

export function frame(id, ...message) {
  const name = new TextEncoder().encode(id);
  return new Uint8Array(Buffer.concat([Uint8Array.of(name.length), name, ...message.map((part) => Uint8Array.from(part))]));
}

function message(tags, bytes) {
  const out = encoding.createEncoder();
  for (const tag of tags) encoding.writeVarUint(out, tag);
  encoding.writeVarUint8Array(out, bytes);
  return encoding.toUint8Array(out);
}
export const step1 = (doc) => message([0, 0], Y.encodeStateVector(doc));
export const step2 = (doc, vector) => message([0, 1], Y.encodeStateAsUpdate(doc, vector));
export const update = (bytes) => message([0, 2], bytes);

export class Device {
  /// query    without `?`, e.g. `token=…`
  static async connect(server, query) {
    const device = new Device(server, query);
    await device.settled;
    return device;
  }

  constructor(server, query, options = {}) {
    this.texts = [];
    this.frames = 0;
    this.docs = new Map();
    this.sent = new Map();  // messages with an update in them, per document: what receipts count
    this.status = null;     // of a refused upgrade
    this.closed = null;     // the code
    this.socket = new WebSocket(`${server.ws}/sync2?${query}`, options);
    this.settled = new Promise((resolve) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (_, response) => {
        this.status = response.statusCode;
        response.resume();
        resolve();
      });
      this.socket.once('error', resolve);
    });
    this.socket.on('close', (code) => { this.closed = code; });
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) this.#take(new Uint8Array(data));
      else this.texts.push(JSON.parse(data.toString()));
    });
  }

  #take(bytes) {
    ++this.frames;
    const id = new TextDecoder().decode(bytes.subarray(1, 1 + bytes[0]));
    const doc = this.docs.get(id);
    const input = decoding.createDecoder(bytes.subarray(1 + bytes[0]));
    if (!doc || decoding.readVarUint(input) !== 0) return;
    const kind = decoding.readVarUint(input);
    const rest = decoding.readVarUint8Array(input);
    if (kind === 0) this.#send(id, step2(doc, rest));
    else Y.applyUpdate(doc, rest, this);
  }

  /// Opens a document and waits until the server answered about it.
  async open(id) {
    const doc = this.follow(id);
    const before = this.frames + this.texts.length;
    this.socket.send(frame(id, step1(doc)));
    await until(`${id} is answered`, () => this.frames + this.texts.length > before);
    return doc;
  }

  follow(id) {
    const doc = new Y.Doc();
    this.docs.set(id, doc);
    doc.on('update', (bytes, origin) => {
      if (origin !== this) this.#send(id, update(bytes));
    });
    return doc;
  }

  #send(id, one) {
    this.sent.set(id, (this.sent.get(id) ?? 0) + 1);
    this.socket.send(frame(id, one));
  }

  /// Waits until everything that was sent so far is on the server's disk.
  async stored() {
    for (const [id, count] of [...this.sent]) {
      await until(`${id} is stored`, () => this.texts.some((text) => text.type === 'saved' && text.doc === id && text.received >= count));
    }
  }

  say(json) { this.socket.send(JSON.stringify(json)); }
  heard(type) { return this.texts.find((text) => text.type === type); }
  async hear(type) {
    await until(`a ${type} message`, () => this.heard(type));
    return this.heard(type);
  }
  end() { this.socket.terminate(); }
}
