// The other half of http.mjs: fetches what it is told, answers, wakes the sleeper.
import { workerData } from 'node:worker_threads';

const { port, done } = workerData;
const SHORTEST_MS = 1000;
const LONGEST_MS = 300_000;

async function perform({ url, method = 'GET', headers = {}, body, body_base64, timeout_ms }) {
  const wait = Math.min(Math.max(Number(timeout_ms) || LONGEST_MS, SHORTEST_MS), LONGEST_MS);
  const bytes = typeof body_base64 === 'string' ? Buffer.from(body_base64, 'base64') : body;
  const response = await fetch(url, { method, headers, body: bytes, signal: AbortSignal.timeout(wait) });
  const answer = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: answer.toString('utf8'),
    body_base64: answer.toString('base64'),
  };
}

port.on('message', async request => {
  let answer;
  try {
    answer = await perform(request);
  } catch (error) {
    answer = { status: 0, headers: {}, body: String(error.cause?.message ?? error.message), body_base64: '' };
  }
  port.postMessage(answer);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
