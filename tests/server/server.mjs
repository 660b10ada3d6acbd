// The server program in a test: started on a fresh folder, asked over HTTP, stopped.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {checkAnswer} from './described.mjs';

const program = process.env.DX_SYNCD;
if (!program) throw new Error('set DX_SYNCD to the server program');

export const newFolder = () => mkdtempSync(join(tmpdir(), 'diaryx-server-'));

/// Runs the program to its end: {code, out, err}.
export function run(args, env = {}, options = {}) {
  const done = spawnSync(program, args, {encoding: 'utf8', env: {...process.env, ...env}, ...options});
  return {code: done.status, out: done.stdout, err: done.stderr};
}

/// A certificate of its own for 127.0.0.1, as PEM files in `folder`.
export function certificate(folder, name) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '90',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
  {stdio: 'ignore'});
  return {cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem')};
}

export class Server {
  /// Options are those of the program.
  static async start({folder = newFolder(), port = 0, options = [], env = {}, program: other = program} = {}) {
    const server = new Server(folder, options, env, other);
    await server.open(port);
    return server;
  }

  constructor(folder, options, env, program) {
    Object.assign(this, {folder, options, env, program, log: '', secrets: new Set()});
  }

  async open(port) {
    this.child = spawn(this.program, ['--data', this.folder, '--listen', `127.0.0.1:${port}`, ...this.options],
                       {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...this.env}});
    this.child.stderr.on('data', (bytes) => { this.log += bytes; });
    for await (const line of createInterface({input: this.child.stdout})) {
      const found = line.match(/^listening on (https?):.*:(\d+)$/);
      if (!found) continue;
      this.scheme = found[1];
      this.port = Number(found[2]);
      return;
    }
    throw new Error(`the server did not start: ${this.log}`);
  }

  get http() { return `${this.scheme}://127.0.0.1:${this.port}`; }
  get ws() { return this.http.replace('http', 'ws'); }

  token(user = 'me@example.org') {
    const made = run(['token', 'create', '--data', this.folder, '--user', user]);
    if (made.code !== 0) throw new Error(made.err);
    this.secrets.add(made.out.trim());
    return made.out.trim();
  }

  /// {status, text, json, headers}; nothing is thrown for a refusal, but for what the API's description does not allow.
  async ask(method, path, {token, body, raw, type, headers = {}} = {}) {
    const answer = await fetch(this.http + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token ? {Authorization: `Bearer ${token}`} : {}),
        ...(body !== undefined ? {'Content-Type': 'application/json'} : {}),
        ...(type ? {'Content-Type': type} : {}),
        ...headers,
      },
      body: body !== undefined ? JSON.stringify(body) : raw,
    });
    const text = await answer.text();
    let json = null;
    try { json = JSON.parse(text); } catch { /* not every answer is JSON */ }
    const heard = {status: answer.status, text, json, headers: answer.headers};
    for (const secret of [json?.token, json?.code, token, body?.token]) {
      if (typeof secret === 'string' && secret.length >= 16) this.secrets.add(secret);
    }
    checkAnswer(method, path, heard);
    return heard;
  }

  /// The JSON of a request that must succeed.
  async request(token, method, path, body) {
    const answer = await this.ask(method, path, {token, body});
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  async workspace(token, name = 'notes') {
    return (await this.request(token, 'POST', '/api/workspaces', {name})).id;
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      this.#believe();
      return this.child.exitCode;
    }
    const gone = new Promise((resolve) => this.child.once('close', resolve));  // and everything it said was read
    this.child.kill(signal);
    const code = await gone;
    this.#believe();
    return code;
  }

  /// A server built with a sanitizer says what it saw, and may go on. No server writes a token or a share's code into its log; what
  /// it tells its owner beside the log begins with its name.
  #believe() {
    const log = this.log.split('\n').filter((line) => !line.startsWith('diaryx-syncd: ')).join('\n');
    for (const secret of this.secrets) {
      if (log.includes(secret)) throw new Error(`a secret is in the log: ${log.split('\n').find((line) => line.includes(secret))}`);
    }
    const report = this.log.match(/^.*(?:(?:ERROR|WARNING): \w+Sanitizer|runtime error:)[^]*/m);
    if (report) throw new Error(report[0].slice(0, 8000));
  }

  async restart(signal) {
    await this.stop(signal);
    await this.open(this.port);
  }

  async end() {
    await this.stop();
    rmSync(this.folder, {recursive: true, force: true});
  }
}

/// Waits until `condition()` is true; fails with what it was waiting for.
export async function until(what, condition, ms = 20_000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
