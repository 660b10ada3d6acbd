// ./dev bench server [options]: diaryx-syncd beside y-websocket's server and Hocuspocus, in turns, in one run.
//
//   --json FILE       what was measured, every turn
//   --markdown FILE   puts the tables under the heading "Server" of FILE and leaves the rest of it alone
//   --quick           one turn, shorter, fewer documents and connections (about four minutes)
//   --reps N          turns (default 3, quick 1)
//   --only a,b        only rows whose name holds one of these words
//   --servers a,b     only these: yjs, sync2 (ours, by protocol), y-websocket, hocuspocus
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readOptions, refuse } from '../lib/options.mjs'
import { Diaryx, Hocuspocus, YWebsocket, folders, installPeers, load, versions } from './servers.mjs'
import { goals, markdown } from './report.mjs'

const say = (line) => process.stderr.write(`${line}\n`)

const makers = {
  yjs: () => new Diaryx('yjs'), sync2: () => new Diaryx('sync2'), 'y-websocket': () => new YWebsocket(), hocuspocus: () => new Hocuspocus(),
}

const kinds = { quick: 'switch', reps: 'number', json: 'file', markdown: 'file', only: 'list', servers: 'list' }

function chosenOptions(words) {
  const options = readOptions(words, { quick: false, only: null, servers: Object.keys(makers), json: null, markdown: null }, kinds, 'bench/server/run.mjs')
  for (const name of options.servers) if (!makers[name]) refuse(`there is no server ${name}; there are ${Object.keys(makers).join(', ')}`)
  options.reps ??= options.quick ? 1 : 3
  return options
}

function plan({ quick }) {
  const seconds = quick ? '2' : '5'
  return [
    { name: 'throughput-1', scenario: 'throughput', args: { documents: 1, writers: 8, window: 128, seconds } },
    { name: 'throughput-1000', scenario: 'throughput', args: { documents: quick ? 200 : 1000, writers: 1, window: 16, seconds } },
    { name: 'propagation-1-1500', scenario: 'propagation', args: { writers: 1, readers: quick ? 300 : 1500, rate: 5, seconds: quick ? 4 : 10 } },
    { name: 'propagation-200', scenario: 'propagation', args: { writers: quick ? 50 : 200, readers: 0, rate: 0.5, seconds: quick ? 6 : 10 } },
    { name: 'join-4MB', scenario: 'join', args: { size: 4_000_000, clients: quick ? 50 : 150 } },
    { name: 'join-20MB', scenario: 'join', args: { size: 20_000_000, clients: quick ? 50 : 150 } },
    { name: 'idle', scenario: 'idle', args: { clients: quick ? 500 : 2000, documents: quick ? 500 : 2000, seconds: quick ? 4 : 12 } },
    { name: 'cold-100000', scenario: 'cold', stored: quick ? 10_000 : 100_000, args: {} },
  ]
}

/// The generator's line. It ends by itself when something is missing; its sentence is the error.
function ask(scenario, args) {
  return new Promise((resolve, reject) => {
    const words = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])
    const child = spawn(load, [scenario, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = '', err = ''
    child.stdout.on('data', (bytes) => { out += bytes })
    child.stderr.on('data', (bytes) => { err += bytes })
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(err.trim() || `the generator ended with ${code}`))))
  })
}

/// How long this disk takes to make a few bytes durable: no server that stores first answers sooner.
function diskSync() {
  fs.mkdirSync(folders, { recursive: true })
  const file = path.join(folders, 'sync')
  const place = fs.openSync(file, 'w')
  const took = []
  for (let i = 0; i < 60; i++) {
    fs.writeSync(place, 'x'.repeat(4096))
    const began = performance.now()
    fs.fdatasyncSync(place)
    took.push(performance.now() - began)
  }
  fs.closeSync(place)
  fs.rmSync(file)
  took.sort((a, b) => a - b)
  return `fdatasync ${took[30].toFixed(1)} ms (p50), ${took[57].toFixed(1)} ms (p95)`
}

const pairs = (words) => Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word.slice(2), words[i + 1]]] : [])))

async function measure(row, make) {
  const server = make()
  try {
    if (row.scenario !== 'cold') {
      await server.start()
      return await ask(row.scenario, { ...row.args, ...pairs(server.args()) })
    }
    await server.fill(row.stored)
    server.port ??= 20_000 + Math.floor(Math.random() * 20_000)
    await server.launch()
    const { there_at_ms } = await ask('cold', { document: `cold-${Math.floor(row.stored / 2)}.md`, ...pairs(server.args()) })
    return { ms: there_at_ms - server.started }
  } finally {
    await server.end()
  }
}

const options = chosenOptions(process.argv.slice(2))
installPeers()
const began = Date.now()
const load_before = os.loadavg()[0]
const disk = diskSync()
const results = []  // {row, server, turn, ...figures}
for (const row of plan(options).filter((one) => !options.only || options.only.some((word) => one.name.includes(word)))) {
  for (let turn = 0; turn < options.reps; turn++) {
    // Who begins changes with each turn.
    const order = options.servers.map((_, i) => options.servers[(i + turn) % options.servers.length])
    for (const name of order) {
      try {
        const figures = await measure(row, makers[name])
        results.push({ row: row.name, server: name, turn, ...figures })
        say(`${row.name} ${name}: ${JSON.stringify(figures)}`)
      } catch (error) {
        results.push({ row: row.name, server: name, turn, error: error.message })
        say(`${row.name} ${name}: ${error.message}`)
      }
    }
  }
}

const report = {
  machine: `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}, Node ${process.version}; ${disk}; load average ${load_before.toFixed(1)} before, ${os.loadavg()[0].toFixed(1)} at the end`,
  command: `./dev bench server ${process.argv.slice(2).filter((word, i, all) => !/^--(markdown|json)$/.test(word) && !/^--(markdown|json)$/.test(all[i - 1] ?? '')).join(' ')}`.trim(),
  seconds: Math.round((Date.now() - began) / 1000), versions: versions(), quick: options.quick, results,
}
const text = markdown(report)
console.log(text)
if (options.json) fs.writeFileSync(options.json, `${JSON.stringify({ ...report, goals: goals(results) }, null, 1)}\n`)
if (options.markdown) {
  const file = fs.readFileSync(options.markdown, 'utf8')
  const [before, after] = [file.split(/^## Server$/m)[0].trimEnd(), file.split(/^## Server$/m)[1]?.split(/^(?=## )/m).slice(1).join('') ?? '']
  fs.writeFileSync(options.markdown, `${before}\n\n## Server\n\n${text.trim()}\n${after ? `\n${after}` : ''}`)
}
if (results.some((one) => one.error && (one.server === 'yjs' || one.server === 'sync2'))) process.exit(1)
