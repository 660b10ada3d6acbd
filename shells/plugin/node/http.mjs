// HTTP that answers before it returns: host functions of this host are synchronous, because the SDK can await them only
// in engines with stack switching. The request runs in a worker while this thread sleeps on a shared word.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';

const LONGEST_WAIT_MS = 300_000;

export class BlockingHttp {
  #worker;
  #port;
  #done = new Int32Array(new SharedArrayBuffer(4));

  /**
   * @param {{url: string, method: string, headers: object, body?: string, body_base64?: string, timeout_ms?: number}} request
   * @returns {{status: number, headers: object, body: string, body_base64: string}} status 0 and the reason in `body` when
   *          there was no answer at all
   */
  request(request) {
    this.#start();
    this.#done[0] = 0;
    this.#port.postMessage(request);
    Atomics.wait(this.#done, 0, 0, LONGEST_WAIT_MS + 5000);
    const answer = receiveMessageOnPort(this.#port);
    if (answer) return answer.message;
    this.close();  // a worker that is still busy would answer the wrong request later
    return { status: 0, headers: {}, body: 'The request did not end in time.', body_base64: '' };
  }

  close() {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start() {
    if (this.#worker) return;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(new URL('./http_worker.mjs', import.meta.url),
      { workerData: { port: port2, done: this.#done }, transferList: [port2] });
    this.#worker.unref();
    port1.unref();
  }
}

export { LONGEST_WAIT_MS };
