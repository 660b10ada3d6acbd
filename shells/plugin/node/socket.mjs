// The socket that the guest asks for by `host_ws_request`: opened in the background, reopened with growing pauses.
//
// 1. No callback runs inside a request; all of them go through the plugin's queue, in the order things happened.
// 2. `connected` comes before the first frame and `disconnected` after the last one of the same socket.
// 3. A socket that was replaced or closed on request says nothing any more.
import WebSocket from 'ws';

const FIRST_PAUSE_MS = 1000;
const GROWTH = 1.5;
const LONGEST_PAUSE_MS = 30_000;
const FAREWELL_MS = 1000;
const PING_MS = 30_000;
const MAX_FRAME_BYTES = 64 << 20;

export class SocketBridge {
  #callbacks;
  #target = null;    // what the guest asked for, null = nothing
  #socket = null;
  #attempt = 0;
  #timer = null;
  #ping = null;
  #offline = false;

  /** @param {{connected(target), binary(bytes), text(bytes), disconnected()}} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
  }

  /** Performs one request of the guest and answers at once. */
  request(message) {
    switch (message.type) {
      case 'connect': return this.#connect(message);
      case 'send_binary': return this.#send(Buffer.from(message.data ?? '', 'base64'));
      case 'send_text': return this.#send(String(message.text ?? ''));
      case 'disconnect':
        this.#target = null;
        this.#drop();
        return { ok: true };
      default: return { ok: false, error: 'unknown_request' };
    }
  }

  get wantsConnection() { return this.#target !== null; }

  /** Drops the socket and opens no other until told so: what a device in a tunnel sees. */
  setOffline(offline) {
    if (this.#offline === offline) return;
    this.#offline = offline;
    if (offline) {
      const wasOpen = this.#socket !== null;
      this.#drop(socket => socket.terminate());
      if (wasOpen) this.#callbacks.disconnected();
    } else if (this.#target) {
      this.#attempt = 0;
      this.#open();
    }
  }

  close() {
    this.#target = null;
    this.#drop();
  }

  #connect({ server_url, workspace_id, auth_token, session_code, write_to_disk }) {
    const key = JSON.stringify([server_url, workspace_id, auth_token, session_code, write_to_disk !== false]);
    if (this.#target?.key === key && (this.#socket || this.#timer || this.#offline)) return { ok: true };
    let url;
    try {
      url = socketUrl(server_url, { workspace_id, token: auth_token, session: session_code });
    } catch {
      return { ok: false, error: `not a server address: ${server_url}` };
    }
    this.#drop();
    this.#attempt = 0;
    this.#target = { key, url, workspace_id, write_to_disk: write_to_disk !== false };
    if (!this.#offline) this.#open();
    return { ok: true };
  }

  #send(data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return { ok: false, error: 'not_connected' };
    this.#socket.send(data);
    return { ok: true };
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const target = this.#target;
    const socket = new WebSocket(target.url, { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
    const current = () => this.#socket === socket;
    this.#socket = socket;
    socket.on('open', () => {
      if (!current()) return;
      this.#attempt = 0;
      this.#ping = setInterval(() => socket.ping(), PING_MS);
      this.#callbacks.connected(target);
    });
    socket.on('message', (data, isBinary) => {
      if (!current()) return;
      if (isBinary) this.#callbacks.binary(data); else this.#callbacks.text(data);
    });
    socket.on('error', () => {});  // `close` follows and says all that matters
    socket.on('close', () => {
      if (!current()) return;
      this.#forget();
      this.#callbacks.disconnected();
      this.#retry();
    });
  }

  #retry() {
    if (!this.#target || this.#offline) return;
    this.#attempt += 1;
    const pause = Math.min(FIRST_PAUSE_MS * GROWTH ** (this.#attempt - 1), LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => this.#open(), pause);
  }

  #forget() {
    clearInterval(this.#ping);
    this.#socket = null;
  }

  #drop(end = closeGently) {
    clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#forget();
    if (socket) end(socket);
  }
}

// What was sent still leaves; a peer that does not answer the farewell is cut off.
function closeGently(socket) {
  socket.close();
  setTimeout(() => socket.terminate(), FAREWELL_MS).unref();
}

/** `<base>/sync2` with the query that servers read; http becomes ws, https becomes wss. */
export function socketUrl(base, query) {
  const url = new URL(base.trim().replace(/^http/, 'ws').replace(/(\/|\/sync2?)+$/, '') + '/sync2');
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, value);
  }
  return url;
}
