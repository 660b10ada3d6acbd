// ./dev bench engine [options]: the engine and its peers on the same work, in turns, in one run. bench/README.md explains the table.
//
//   --json FILE        a list of {work, trace, engine, build, median_ms, min_ms, n, bytes, memory_bytes}
//   --markdown FILE    the tables, with the machine and the command
//   --reps N           turns that each cheap work takes (default 7, quick 3); slow works stop at their budget
//   --quick            three minutes: the long trace, one short trace, the smaller workspace; native peers only where they are fast
//   --only a,b         only sections whose name holds one of these words (trace names, b1, workspace-10000, wasm, memory ...)
//   --peers a,b        only these peers (yjs, ywasm, yrs, diamond-types, loro, automerge; none: the engine alone)
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import zlib from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { goals } from './lib/goals.mjs'
import { readOptions, refuse } from './lib/options.mjs'
import { dataFolder, prepare } from './lib/prepare.mjs'
import { goalTable, memories, times } from './lib/table.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const nativePeers = ['yrs', 'diamond-types', 'loro', 'automerge']
const allPeers = ['yjs', 'ywasm', ...nativePeers]
const program = path.join(root, 'build/bench/bin/bench_engine')
const module = path.join(root, 'build/wasm/diaryx_crdt.wasm')
const cargoFolder = path.join(root, 'build/bench/cargo')
const nodePeer = path.join(root, 'bench/peers/node/peer.mjs')

const kinds = { quick: 'switch', reps: 'number', json: 'file', markdown: 'file', only: 'list', peers: 'list' }

function chosenOptions(words) {
  const options = readOptions(words, { quick: false, only: null, peers: allPeers, json: null, markdown: null }, kinds, 'bench/run.mjs')
  options.peers = options.peers.filter((name) => name !== 'none')
  for (const peer of options.peers) if (!allPeers.includes(peer)) refuse(`there is no peer ${peer}; the peers are ${allPeers.join(', ')}`)
  options.reps ??= options.quick ? 3 : 7
  return options
}

const say = (line) => process.stderr.write(`${line}\n`)

// --- Engines: each a function from arguments to a command line, or why it is missing.

function findEngines(options) {
  const found = new Map([['diaryx', { build: 'native', command: (args) => [program, args] }]])
  const missing = new Map()
  const node = (name) => (args) => [process.execPath, ['--max-old-space-size=8000', '--expose-gc', nodePeer, name, ...args]]
  for (const name of options.peers.filter((peer) => !nativePeers.includes(peer))) {
    if (!fs.existsSync(path.join(root, 'bench/peers/node/node_modules', name))) missing.set(name, 'not installed (./dev setup)')
    else found.set(name, { build: name === 'yjs' ? 'node' : 'wasm', command: node(name) })
  }
  const wanted = options.peers.filter((peer) => nativePeers.includes(peer))
  if (wanted.length === 0) return { found, missing }
  if (spawnSync('cargo', ['--version']).status !== 0) {
    for (const name of wanted) missing.set(name, 'cargo is not here')
    return { found, missing }
  }
  // All at once, so that what they share is built once; one that does not build leaves the others alone.
  say('building the native peers with cargo (the first time takes minutes)')
  const built = spawnSync('nice', ['-n', '10', 'cargo', 'build', '--release', '--locked', '--all-features', '--bins', '--keep-going'], {
    cwd: path.join(root, 'bench/peers/rust'), env: { ...process.env, CARGO_TARGET_DIR: cargoFolder }, encoding: 'utf8', maxBuffer: 1 << 28,
  })
  if (built.status !== 0) fs.writeFileSync(path.join(root, 'build/bench/cargo.log'), built.stderr ?? '')
  for (const name of wanted) {
    const binary = path.join(cargoFolder, 'release', `peer-${name}`)
    if (fs.existsSync(binary)) found.set(name, { build: 'native', command: (args) => [binary, args] })
    else missing.set(name, 'cargo could not build it (build/bench/cargo.log)')
  }
  return { found, missing }
}

// --- What is run. A section is a group of works on one input; its engines take turns, process by process.

const longWorks = ['local', 'local_one_txn', 'local_updates', 'remote', 'load_v1', 'load_v2', 'encode_v1', 'encode_v2', 'text', 'state_vector', 'diff_half', 'diff_update_half', 'merge_10000', 'merge_tenth', 'merge_all']
const shortWorks = ['local', 'local_one_txn', 'local_updates', 'remote', 'load_v1', 'encode_v1']
// Left out on the long trace because one run of it takes minutes: Yjs and yrs merge in time that grows with the square, in yrs a
// transaction of 260,000 edits walks a list of as many items for each, and automerge receives a change in about a millisecond.
const tooSlow = {
  yjs: ['merge_tenth', 'merge_all'], yrs: ['local_one_txn', 'merge_tenth', 'merge_all'], automerge: ['local_one_txn', 'local_updates', 'remote'],
}
// On the other traces: what automerge needs more than a minute for, and what grows with the square in yrs.
const tooSlowOnShort = { automerge: ['remote'], yrs: ['local_one_txn'] }
// Engines of other formats are asked for the traces and the concurrent histories alone; B1 and B2 take them minutes.
const patience = { loro: 90, automerge: 90, 'diamond-types': 90 }  // seconds for one process
const without = (works, left = []) => works.filter((work) => !left.includes(work))

function plan(options) {
  const native = ['diaryx', ...options.peers.filter((peer) => peer !== 'ywasm')]
  const formatPeers = ['diaryx', 'yjs', 'yrs']
  const sections = []
  const add = (name, group, input, engines, works) => sections.push({ name, group, input, engines: engines.filter((engine) => native.includes(engine)), works })
  const quickLong = { ...tooSlow, yrs: without(longWorks, ['remote', 'load_v1', 'load_v2', 'encode_v1', 'encode_v2', 'diff_half']), loro: ['local_updates', 'remote'], automerge: ['local', 'local_one_txn', 'local_updates', 'remote'] }
  const left = options.quick ? quickLong : tooSlow
  add('automerge-paper', 'trace', 'automerge-paper', native, (engine) => without(longWorks, left[engine]))
  const traces = options.quick ? ['sveltecomponent'] : ['sveltecomponent', 'rustcode', 'seph-blog1', 'friendsforever_flat', 'clownschool_flat']
  // loro and automerge do one of the shorter traces; five of them would take most of the time.
  for (const trace of traces) add(trace, 'trace', trace, trace === 'sveltecomponent' ? native : native.filter((engine) => !['loro', 'automerge'].includes(engine)), (engine) => without(shortWorks, tooSlowOnShort[engine]))
  for (const trace of options.quick ? ['friendsforever'] : ['friendsforever', 'clownschool', 'node_nodecc']) {
    add(`concurrent-${trace}`, 'concurrent', trace, native.filter((engine) => engine !== 'automerge'), () => [])
  }
  for (const input of ['b1', 'b2', 'b3']) add(input, 'made_up', input, formatPeers, () => [])
  for (const size of options.quick ? ['10000'] : ['10000', '100000']) add(`workspace-${size}`, 'workspace', size, formatPeers, () => [])
  add('memory', 'trace', 'automerge-paper', native, () => ['memory', 'memory_edited'])
  add('small', 'small', 'body-1KB', ['diaryx'], () => [])
  return sections.filter((section) => chosen(options, section.name))
}

const chosen = (options, name) => !options.only || options.only.some((word) => name.includes(word))

// --- Running

class Results {
  all = new Map()  // key -> line with every sample

  add(line) {
    const key = [line.trace, line.work, line.engine, line.build].join(' ')
    const known = this.all.get(key)
    if (!known) { this.all.set(key, { ...line, ms: [...line.ms] }); return }
    known.ms.push(...line.ms)
    known.memory_bytes = Math.max(known.memory_bytes, line.memory_bytes)
    if (known.digest !== line.digest) throw new Error(`${key}: one turn gave other bytes than the one before`)
  }

  list() {
    return [...this.all.values()].map((line) => {
      const sorted = [...line.ms].sort((a, b) => a - b)
      const n = sorted.length
      const round = (x) => Number(x.toPrecision(5))
      return {
        work: line.work, trace: line.trace, engine: line.engine, build: line.build, median_ms: round((sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2),
        min_ms: round(sorted[0]), n, bytes: line.bytes, memory_bytes: line.memory_bytes, ...(line.peak_bytes ? { peak_bytes: line.peak_bytes } : {}),
      }
    })
  }

  /// Works whose bytes Yjs fixes, where ours are others.
  differences() {
    const other = []
    for (const line of this.all.values()) {
      if (line.engine !== 'diaryx' || !line.digest) continue
      const yjs = this.all.get([line.trace, line.work, 'yjs', 'node'].join(' '))
      if (yjs?.digest && yjs.digest !== line.digest) other.push(`${line.trace} ${line.work} (${line.build}): ${line.bytes} bytes that differ from the ${yjs.bytes} of Yjs`)
    }
    return other
  }

  compared() {
    return [...this.all.values()].filter((line) => line.engine === 'diaryx' && line.digest && this.all.get([line.trace, line.work, 'yjs', 'node'].join(' '))?.digest).length
  }
}

/// The line that says what was wrong, without the stack that Node prints below it.
function reason(text) {
  const lines = text.trim().split('\n')
  return lines.find((line) => /\bError: /.test(line)) ?? lines.slice(-3).join(' ')
}

// Native programs keep the memory that one repetition freed for the next, ours and the peers alike: else the C library gives what is
// large back to the kernel, and a repetition on 100,000 files is a third page faults where one on 10,000 files has none.
const keepsMemory = { ...process.env, MALLOC_TRIM_THRESHOLD_: String(2 ** 34), MALLOC_MMAP_MAX_: '0' }

function run([command, args], seconds) {
  const child = spawnSync(command, args, { cwd: root, env: keepsMemory, encoding: 'utf8', maxBuffer: 1 << 28, timeout: seconds * 1000 })
  const lines = (child.stdout ?? '').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const problem = child.status === 0 ? null : child.error?.code === 'ETIMEDOUT' ? `stopped after ${seconds} s` : reason(child.stderr ?? '') || `ended with ${child.status ?? child.signal}`
  return { lines, problem }
}

function runSection(section, engines, options, results, notes) {
  // Seconds a work may take in all turns of an engine; a turn of Yjs takes 12 on the long trace.
  const budget = options.quick ? 6 : section.input === 'automerge-paper' ? 25 : 10
  const limit = options.quick || section.group === 'concurrent' ? 120 : 420  // seconds for one process; what it printed by then counts
  const spent = new Map()
  const stopped = new Set()
  for (let turn = 0; turn < options.reps; turn++) {
    // Who begins changes with each turn.
    const order = section.engines.filter((engine) => engines.has(engine) && !stopped.has(engine))
    for (let i = 0; i < order.length; i++) {
      const name = order[(i + turn) % order.length]
      const engine = engines.get(name)
      const works = section.works(name)
      const left = works.filter((work) => (spent.get(`${name} ${work}`) ?? 0) < budget)
      if (works.length && !left.length) { stopped.add(name); continue }
      const start = performance.now()
      // A process of ours is short: three repetitions each, so that most are warm, as those of the peers' long works are.
      const reps = name === 'diaryx' || name === 'diamond-types' ? '3' : '1'
      const { lines, problem } = run(engine.command([section.group, section.input, '--reps', reps, '--data', dataFolder, ...(works.length ? ['--works', left.join(',')] : [])]), Math.min(limit, patience[name] ?? limit))
      for (const line of lines) {
        results.add(line)
        const key = `${name} ${line.work}`
        spent.set(key, (spent.get(key) ?? 0) + line.ms.reduce((a, b) => a + b, 0) / 1000)
      }
      const seconds = (performance.now() - start) / 1000
      say(`  ${section.name} ${name}: turn ${turn + 1}, ${seconds.toFixed(1)} s${problem ? `, ${problem}` : ''}`)
      if (problem) {
        stopped.add(name)
        notes.push(`${name} on ${section.name}: ${problem}`)
        if (name === 'diaryx') process.exitCode = 1
      }
      // Without a list of works the process is all or nothing.
      const total = (spent.get(name) ?? 0) + seconds
      spent.set(name, total)
      if (!works.length && total > 3 * budget) stopped.add(name)
    }
  }
}

// The module and ywasm take turns inside one process.
function runWasm(options, engines, results, notes) {
  const names = ['diaryx', ...(engines.has('ywasm') ? ['ywasm'] : [])]
  const command = (names, args) => [process.execPath, ['--max-old-space-size=8000', '--expose-gc', nodePeer, names.join(','), ...args, '--data', dataFolder]]
  const budget = options.quick ? 8 : 25
  const parts = [
    ['trace', 'sveltecomponent', ['local', 'local_batch', 'local_updates', 'remote', 'load_v1', 'encode_v1']],
    ['trace', 'automerge-paper', ['local_batch', 'remote', 'load_v1', 'load_v2', 'encode_v1', 'encode_v2', 'diff_half', ...(options.quick ? [] : ['local', 'local_updates'])]],
    ...(options.quick ? [] : [['trace', 'rustcode', ['local', 'remote', 'load_v1']], ['concurrent', 'friendsforever', []]]),
    ['made_up', 'b2', []],
    ...(options.quick ? [] : [['made_up', 'b1', []], ['made_up', 'b3', []]]),
    ['workspace', '10000', []],
    ...(options.quick ? [] : [['workspace', '100000', []]]),
  ]
  const take = (label, args, who = names) => {
    const start = performance.now()
    const { lines, problem } = run(command(who, args), 900)
    say(`  wasm ${label} ${who.join(' and ')}: ${((performance.now() - start) / 1000).toFixed(1)} s${problem ? `, ${problem}` : ''}`)
    if (problem) notes.push(`wasm ${label} (${who.join(', ')}): ${problem}`)
    if (problem && who.includes('diaryx')) process.exitCode = 1
    return lines
  }
  for (const [group, input, works] of parts) {
    // The first repetitions run code that is still being optimised, so there are always enough for a warm median.
    const reps = input === '100000' ? 3 : Math.max(7, options.reps)
    for (const line of take(`${group} ${input}`, [group, input, '--reps', String(reps), '--budget', String(budget), ...(works.length ? ['--works', works.join(',')] : [])])) {
      // Growth inside a process that has done other work says nothing.
      results.add({ ...line, memory_bytes: 0 })
    }
  }
  // In processes of their own: the first load, and how far the memory grows.
  for (let turn = 0; turn < Math.min(3, options.reps); turn++) {
    for (const name of names) {
      for (const line of take('first load', ['trace', 'automerge-paper', '--works', 'load_v1', '--reps', '1'], [name])) results.add({ ...line, work: 'first_load' })
    }
  }
  for (const name of names) {
    for (const line of take('memory', ['trace', 'automerge-paper', '--works', 'memory', '--reps', '1'], [name])) results.add(line)
    for (const size of options.quick ? ['10000'] : ['10000', '100000']) {
      for (const line of take(`memory ${size}`, ['workspace_memory', size, '--reps', '1'], [name])) results.add(line)
    }
  }
}

// --- The machine, sizes, output

function machine() {
  const [first] = os.cpus()
  const compiler = spawnSync('clang++-22', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? 'unknown compiler'
  const rust = spawnSync('rustc', ['--version'], { encoding: 'utf8' }).stdout?.trim()
  return `${first?.model ?? 'unknown processor'}, ${os.cpus().length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}, Node ${process.version}, ${compiler}${rust ? `, ${rust}` : ''}`
}

function sizesOf(file) {
  if (!fs.existsSync(file)) return undefined
  const bytes = fs.readFileSync(file)
  const brotli = zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } })
  return { raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: brotli.length }
}

function main() {
  const options = chosenOptions(process.argv.slice(2))
  if (!fs.existsSync(program)) refuse('build/bench/bin/bench_engine is missing; ./dev bench engine builds it')
  const began = performance.now()
  say('preparing the works')
  try { prepare() } catch (error) { refuse(error.message) }
  const wasmHere = fs.existsSync(module)
  for (const input of ['automerge-paper', 'sveltecomponent', 'rustcode', 'seph-blog1', 'friendsforever_flat', 'clownschool_flat']) {
    const { problem } = run([program, ['inputs', input, '--data', dataFolder]], 300)
    if (problem) refuse(problem)
  }
  for (const size of ['10000', '100000']) {
    const { problem } = run([program, ['workspace_inputs', size, '--data', dataFolder]], 300)
    if (problem) refuse(problem)
  }
  const { found, missing } = findEngines(options)
  const results = new Results()
  const notes = [...missing].map(([name, why]) => `${name}: ${why}`)
  for (const section of plan(options)) runSection(section, found, options, results, notes)
  if (!wasmHere) notes.push('the module: build/wasm/diaryx_crdt.wasm is missing')
  else if (chosen(options, 'wasm')) runWasm(options, found, results, notes)

  const list = results.list()
  const sizes = wasmHere ? { module: sizesOf(module), plugin: sizesOf(path.join(root, 'build/wasm/diaryx_sync.wasm')), ywasm: sizesOf(path.join(root, 'bench/peers/node/node_modules/ywasm/ywasm_bg.wasm')) } : undefined
  const get = (work, trace, engine = 'diaryx', build = 'native') => {
    const line = list.find((r) => r.work === work && r.trace === trace && r.engine === engine && r.build === build)
    return line && { ms: line.median_ms, bytes: line.bytes, memory: line.memory_bytes }
  }
  const rows = goals(get, sizes)
  const command = `./dev bench engine${process.argv.slice(2).filter((word, i, all) => !['--json', '--markdown'].includes(word) && !['--json', '--markdown'].includes(all[i - 1])).map((word) => ` ${word}`).join('')}`
  const marks = ['reached', 'met', 'MISSED', 'not measured'].map((mark) => `${rows.filter((row) => row.mark === mark).length} ${mark}`).join(', ')
  const other = results.differences()
  const bytes = other.length ? `Bytes that differ from those of Yjs:\n${other.map((line) => `- ${line}`).join('\n')}` : `In all ${results.compared()} works whose bytes Yjs fixes and that Yjs did here, the engine wrote the same bytes.`
  const report = [
    `Machine: ${machine()}.`, '', `Command: \`${command}\` (${Math.round((performance.now() - began) / 1000)} s). Medians; every result was checked.`, '', bytes, '',
    '## Goals', '', `${marks}.`, '', goalTable(rows), '', '## Times', '', times(list), '', '## Memory', '', memories(list),
    ...(sizes ? ['', '## Sizes', '', ...Object.entries(sizes).filter(([, size]) => size).map(([name, size]) => `- ${name}: ${size.raw.toLocaleString('en')} bytes, gzip ${size.gzip.toLocaleString('en')}, brotli ${size.brotli.toLocaleString('en')}`)] : []),
    ...(notes.length ? ['', '## Not measured', '', ...notes.map((note) => `- ${note}`)] : []),
  ].join('\n')
  console.log(`\n${report}`)
  if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(list, null, 1)}\n`)
  // What other benchmarks say stands behind the engine's part, and stays.
  const others = options.markdown && fs.existsSync(options.markdown)
    ? (/\n## (Plugin|Sync core)\n[^]*/.exec(fs.readFileSync(options.markdown, 'utf8'))?.[0] ?? '') : ''
  if (options.markdown) fs.writeFileSync(options.markdown, `# Benchmarks\n\nMade by \`./dev bench engine --markdown docs/benchmarks.md\`; [bench/README.md](../bench/README.md) says what each work asks.\n\n${report}\n${others}`)
  if (other.length) process.exitCode = 1
}

main()
