// A server in memory, for tests that must take the same course each time: real Yjs keeps the documents, and nothing happens by itself.
// What it says to a line waits there until the test hands it on.
import { createHash } from 'node:crypto';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';

const STEP1 = 0, STEP2 = 1, UPDATE = 2;

export class PretendServer {
  #documents = new Map();  // id -> Y.Doc
  #lines = new Set();
  #blobs = new Map();      // hash -> Buffer
  #uploads = new Map();    // id -> [Buffer]

  /** A new line; `say` takes the name of the export and its input. */
  open(say) {
    const line = { say, received: new Map() };
    this.#lines.add(line);
    line.say('handle_text_message', JSON.stringify({ type: 'server_hello', name: 'pretend', version: '1', receipts: true }));
    return line;
  }

  close(line) { this.#lines.delete(line); }

  /** One binary frame of a device: `[u8 length][document id][messages]`. */
  receive(line, bytes) {
    const id = Buffer.from(bytes.subarray(1, 1 + bytes[0])).toString('utf8');
    const messages = decoding.createDecoder(bytes.subarray(1 + bytes[0]));
    const document = this.#document(id);
    if (!line.received.has(id)) line.received.set(id, 0);
    while (decoding.hasContent(messages)) {
      if (decoding.readVarUint(messages) !== 0) return;  // presence
      const kind = decoding.readVarUint(messages);
      const content = decoding.readVarUint8Array(messages);
      if (kind === STEP1) {
        this.#send(line, id, STEP2, Y.encodeStateAsUpdate(document, content));
        this.#send(line, id, STEP1, Y.encodeStateVector(document));
        continue;
      }
      Y.applyUpdate(document, content);
      for (const other of this.#lines) if (other !== line && other.received.has(id)) this.#send(other, id, UPDATE, content);
      line.received.set(id, line.received.get(id) + 1);
      line.say('handle_text_message', JSON.stringify({ type: 'saved', doc: id, received: line.received.get(id) }));
    }
  }

  /** An answer of `host_http_request`: attachments, and nothing else. */
  http({ method, url, body, body_base64 }) {
    const given = body_base64 ? Buffer.from(body_base64, 'base64') : Buffer.from(body ?? '');
    const answer = (status, bytes) =>
      ({ status, headers: {}, body: bytes.toString('utf8'), body_base64: bytes.toString('base64') });
    const json = value => answer(200, Buffer.from(JSON.stringify(value)));
    const [, rest] = new URL(url).pathname.split('/attachments/');
    if (rest === undefined) return answer(404, Buffer.from('not here'));
    const [first, upload, action] = rest.split('/');
    if (first !== 'uploads') return this.#blobs.has(first) ? answer(200, this.#blobs.get(first)) : answer(404, Buffer.from('no such attachment'));
    if (upload === undefined) {
      if (this.#blobs.has(JSON.parse(given).hash)) return json({ status: 'already_exists' });
      this.#uploads.set(String(this.#uploads.size), []);
      return json({ upload_id: String(this.#uploads.size - 1) });
    }
    if (action === 'parts') {
      this.#uploads.get(upload).push(given);
      return json({});
    }
    const bytes = Buffer.concat(this.#uploads.get(upload));
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (hash !== JSON.parse(given).hash) return answer(400, Buffer.from('these are other bytes'));
    this.#blobs.set(hash, bytes);
    return json({ hash });
  }

  #document(id) {
    if (!this.#documents.has(id)) this.#documents.set(id, new Y.Doc());
    return this.#documents.get(id);
  }

  #send(line, id, kind, content) {
    const frame = encoding.createEncoder();
    encoding.writeUint8(frame, Buffer.byteLength(id));
    encoding.writeUint8Array(frame, Buffer.from(id));
    encoding.writeVarUint(frame, 0);
    encoding.writeVarUint(frame, kind);
    encoding.writeVarUint8Array(frame, content);
    line.say('handle_binary_message', encoding.toUint8Array(frame));
  }
}
