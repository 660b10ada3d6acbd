// The socket of editors in tests.
import {WebSocket} from 'ws';

/// A socket that is closed while it connects says so as an error, to which its provider has stopped listening by then.
export class EditorSocket extends WebSocket {
  constructor(...words) {
    super(...words);
    this.on('error', () => {});
  }
}
