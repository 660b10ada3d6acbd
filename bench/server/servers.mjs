// The servers under test: each is started on a fresh folder and a free port, and says how the load generator speaks to it.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, '../..')
export const program = path.join(root, 'build/release/bin/diaryx-syncd')
export const load = path.join(root, 'build/bench/bin/bench_server_load')
const peers = path.join(here, 'peers')
// On the disk, not in a memory file system: what is durable has to be.
export const folders = path.join(root, 'build/bench/servers')

/// The peers come from their lock file, the first time. (Not from ./dev setup: nothing but this benchmark needs them.)
export function installPeers() {
  const lock = path.join(peers, 'npm-shrinkwrap.json')
  const stamp = path.join(peers, 'node_modules/.made-from-lock')
  if (fs.existsSync(stamp) && fs.readFileSync(lock, 'utf8') === fs.readFileSync(stamp, 'utf8')) return
  console.error('installing y-websocket and Hocuspocus (npm ci)')
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: peers, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) throw new Error('npm ci failed in bench/server/peers: check that the npm registry can be reached')
  fs.copyFileSync(lock, stamp)
}

export const versions = () => Object.fromEntries(['@y/websocket-server', '@hocuspocus/server', '@hocuspocus/extension-sqlite', 'yjs']
  .map((name) => [name, JSON.parse(fs.readFileSync(path.join(peers, 'node_modules', name, 'package.json'))).version]))

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)) })
})

const listens = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) }).on('error', () => resolve(false))
})

class Server {
  constructor(kind) {
    fs.mkdirSync(folders, { recursive: true })
    this.folder = fs.mkdtempSync(path.join(folders, `${kind}-`))
    this.collect = true
  }

  async start() {
    this.port = await freePort()
    await this.launch()
    while (!(await listens(this.port))) {
      if (this.child.exitCode !== null) throw new Error(`a server did not start: ${this.log}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  spawn(command, args, env = {}) {
    this.log = ''
    this.started = Date.now()
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: peers, env: { ...process.env, ...env } })
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (bytes) => { this.log = (this.log + bytes).slice(-4000) })
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000)
    await gone
    clearTimeout(timer)
  }

  async end() {
    await this.stop()
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  args() { return ['--port', String(this.port), '--server', String(this.child.pid), '--collect', this.collect ? '1' : '0', ...this.wire()] }
}

const run = (command, args) => {
  const done = spawnSync(command, args, { encoding: 'utf8', cwd: peers })
  if (done.status !== 0) throw new Error(`${command} ${args[0]}: ${done.stderr}`)
  return done.stdout.trim()
}

export class Diaryx extends Server {
  constructor(way) {
    super('diaryx')
    this.way = way
    this.collect = false
  }

  async launch() {
    const data = ['--data', this.folder]
    this.token ??= run(program, ['token', 'create', ...data, '--user', 'bench@example.org'])
    // One address has all connections here; its limits are for the open internet.
    this.spawn(program, [...data, '--listen', `127.0.0.1:${this.port}`, '--log-level', 'warn', '--max-connections-per-address', '0',
      '--address-requests', '0', '--user-requests', '0', '--token-requests', '0'])
  }

  async start() {
    await super.start()
    if (this.workspace) return
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/workspaces`, {
      method: 'POST', headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' }, body: '{"name":"bench"}',
    })
    this.workspace = (await answer.json()).id
  }

  wire(way = this.way) {
    const query = `?token=${this.token}`
    if (way === 'sync2') return ['--wire', 'sync2', '--path', '/sync2', '--query', `${query}&handshake=0`, '--prefix', `body:${this.workspace}/`]
    return ['--wire', 'yjs', '--path', `/yjs/${this.workspace}/`, '--query', query]
  }

  async fill(count) {
    await this.start()
    run(load, ['fill', '--port', String(this.port), ...this.wire('sync2'), '--documents', String(count), '--document', 'cold'])
    await this.stop()
  }
}

export class YWebsocket extends Server {
  constructor() { super('y-websocket') }
  async launch() {
    this.spawn(process.execPath, ['--expose-gc', 'y-websocket.mjs'],
      { HOST: '127.0.0.1', PORT: String(this.port), ...(this.stored ? { YPERSISTENCE: path.join(this.folder, 'level') } : {}) })
  }
  wire() { return ['--wire', 'yjs', '--path', '/'] }
  async fill(count) {
    this.stored = true
    run(process.execPath, ['fill.mjs', 'y-websocket', path.join(this.folder, 'level'), String(count)])
  }
}

export class Hocuspocus extends Server {
  constructor() { super('hocuspocus') }
  async launch() { this.spawn(process.execPath, ['--expose-gc', 'hocuspocus.mjs', String(this.port), path.join(this.folder, 'hocuspocus.db')]) }
  wire() { return ['--wire', 'hocuspocus', '--path', '/', '--token', 'none'] }
  async fill(count) { run(process.execPath, ['fill.mjs', 'hocuspocus', path.join(this.folder, 'hocuspocus.db'), String(count)]) }
}
