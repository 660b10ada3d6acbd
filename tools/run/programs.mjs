// The programs of one house: the server and the devices, each with a log, events and a clean end.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {waitFor} from './time.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/// Where the build puts what is run here. DX_BIN_DIR, DX_PLUGIN and DX_PLUGIN_HOST name others: a build with sanitizers,
/// or the pretended house of the driver's own tests.
const binaries = process.env.DX_BIN_DIR ?? path.join(root, 'build/release/bin');
export const kServer = path.join(binaries, 'diaryx-syncd');
export const kClient = path.join(binaries, 'diaryx-sync');
export const kPlugin = process.env.DX_PLUGIN ?? path.join(root, 'build/wasm/diaryx_sync.wasm');
export const kPluginHost = process.env.DX_PLUGIN_HOST ?? path.join(root, 'shells/plugin/node/host.mjs');

export function assertBuilt() {
  for (const file of [kServer, kClient, kPlugin, kPluginHost])
    if (!fs.existsSync(file)) throw new Error(`${path.relative(process.cwd(), file)} is missing: run ./dev build first`);
}

/// A program that goes on until it is told to stop. Its output goes to a log file; lines of standard output that are
/// JSON objects with an `event` are handed on as events.
export class Program {
  constructor(name, command, args, logFile, onEvent = () => {}) {
    this.name = name;
    this.logFile = logFile;
    this.events = [];
    this.lines = [];
    this.exit = null;  // {code, signal} once it ended
    this.stopping = false;
    const log = fs.createWriteStream(logFile, {flags: 'a'});
    // Its own process group: Ctrl-C reaches only the driver, which then stops everything in order.
    this.process = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
    this.process.on('error', (error) => { this.exit ??= {code: null, signal: error.message}; });
    this.ended = new Promise((resolve) => this.process.on('close', (code, signal) => {
      this.exit = {code, signal};
      log.end();
      resolve(this.exit);
    }));
    this.process.stderr.on('data', (chunk) => log.write(chunk));
    let rest = '';
    this.process.stdout.setEncoding('utf8').on('data', (chunk) => {
      log.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#onLine(line, onEvent);
    });
  }

  #onLine(line, onEvent) {
    this.lines.push(line);
    if (!line.startsWith('{')) return;
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      return;  // not an event; it is in the log
    }
    if (typeof event.event !== 'string') return;
    this.events.push(event);
    onEvent(event);
  }

  /// The state that the newest status event names, or null before the first.
  state() { return this.events.findLast((event) => event.event === 'status')?.state ?? null; }

  /// Throws when the program ended although nobody told it to.
  assertRunning() {
    if (this.exit === null || this.stopping) return;
    const how = this.exit.signal ?? `exit code ${this.exit.code}`;
    throw new Error(`${this.name} ended by itself (${how}); the end of ${path.relative(process.cwd(), this.logFile)}:\n${this.logTail()}`);
  }

  logTail(count = 12) {
    const text = fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : '';
    return text.trimEnd().split('\n').slice(-count).map((line) => '    ' + line).join('\n');
  }

  signal(name) {
    if (this.exit === null && this.process.pid) this.process.kill(name);
  }

  /// Asks the program to end and answers its exit; one that does not end within `seconds` is killed.
  async stop(seconds = 8) {
    this.stopping = true;
    this.signal('SIGTERM');
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, seconds * 1000); });
    const ended = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    if (ended) return ended;
    this.signal('SIGKILL');
    await this.ended;
    throw new Error(`${this.name} did not end within ${seconds} s of SIGTERM and was killed`);
  }
}

/// Runs a command to its end; answers its standard output. Throws with what it said when it fails or takes too long.
export async function runToEnd(what, command, args, {seconds = 60, logFile} = {}) {
  const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  let out = '', err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
  let late = false;
  const timer = setTimeout(() => { late = true; child.kill('SIGKILL'); }, seconds * 1000);
  const exit = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code, signal}));
  }).finally(() => clearTimeout(timer));
  if (logFile) fs.appendFileSync(logFile, `$ ${what}\n${out}${err}`);
  if (late) throw new Error(`${what} took longer than ${seconds} s and was ended; it had said: ${(err || out).trim().slice(-400)}`);
  if (exit.code !== 0) throw new Error(`${what} failed (${exit.signal ?? 'exit code ' + exit.code}): ${(err || out).trim().slice(-800)}`);
  return out;
}

/// Starts `diaryx-syncd` on loopback and waits until it listens. port 0 means any free one.
export async function startServer({data, port, logs, deadline}) {
  fs.mkdirSync(data, {recursive: true});
  const server = new Program('server', kServer, ['--data', data, '--listen', `127.0.0.1:${port}`], path.join(logs, 'server.log'));
  try {
    const line = await waitFor('the server to listen', {
      look: () => server.lines[0], aborted: () => server.assertRunning(), explain: () => '\n' + server.logTail(), deadline, seconds: 10,
    });
    server.url = line.match(/^listening on (http:\/\/127\.0\.0\.1:(\d+))\s*$/)?.[1];
    if (!server.url) throw new Error(`the server's first line is "${line}" and not "listening on http://127.0.0.1:PORT"`);
    server.port = Number(new URL(server.url).port);
    return server;
  } catch (error) {
    await server.stop().catch(() => {});
    throw error;
  }
}

export async function createToken({data, user}) {
  const token = (await runToEnd('diaryx-syncd token create', kServer, ['token', 'create', '--data', data, '--user', user])).trim();
  if (!/^\S+$/.test(token)) throw new Error(`diaryx-syncd token create printed "${token}" and not one token`);
  return token;
}

/// One device: a folder and the program that keeps it in step. kind 'native' is `diaryx-sync watch`, kind 'plugin' is
/// the wasm plugin under Node.
export class Device {
  constructor({name, kind, folder, server, token, workspace, logs, onEvent}) {
    Object.assign(this, {name, kind, folder, server, token, workspace, onEvent});
    this.logFile = path.join(logs, `${name}.log`);
    this.program = null;
    fs.mkdirSync(folder, {recursive: true});
  }

  async link(seconds) {
    if (this.kind !== 'native') return;  // the plugin's host links on its first start
    await runToEnd(`diaryx-sync link (${this.name})`, kClient,
        ['link', this.folder, '--server', this.server, `--token=${this.token}`, '--workspace', this.workspace],
        {seconds, logFile: this.logFile});
  }

  async syncOnce(seconds) {
    await runToEnd(`diaryx-sync sync (${this.name})`, kClient, ['sync', this.folder], {seconds, logFile: this.logFile});
  }

  start() {
    const [command, args] = this.kind === 'native'
        ? [kClient, ['watch', this.folder, '--json']]
        : [process.execPath, [kPluginHost, '--plugin', kPlugin, '--folder', this.folder, '--server', this.server,
                              `--token=${this.token}`, '--workspace', this.workspace]];
    this.program = new Program(this.name, command, args, this.logFile, (event) => this.onEvent?.(this, event));
  }

  assertRunning() { this.program?.assertRunning(); }

  /// While it is held, the program neither reads nor writes anything.
  hold() { this.program?.signal('SIGSTOP'); }
  release() { this.program?.signal('SIGCONT'); }

  /// Takes the device off the network, or brings it back, and waits until it says so.
  async setOnline(online, deadline) {
    const before = this.program.events.length;
    this.program.signal(online ? 'SIGUSR2' : 'SIGUSR1');
    const word = online ? 'online' : 'offline';
    const said = () => this.program.events.slice(before).some(
        (event) => event.event === word || (event.event === 'status' && (event.state === 'offline') !== online));
    await waitFor(`${this.name} to say that it is ${word}`,
                  {look: said, aborted: () => this.assertRunning(), deadline, seconds: 10});
  }

  async stop() {
    const program = this.program;
    this.program = null;
    const exit = await program?.stop();
    if (exit && exit.code !== 0)
      throw new Error(`${this.name} ended with ${exit.signal ?? 'exit code ' + exit.code} after SIGTERM instead of 0:\n${program.logTail()}`);
  }
}
