// Turns the editing traces and the made-up works into plain binary files, so that every engine, in whatever language, reads the same
// work without a JSON or gzip library. All numbers are little-endian u32, strings are a length and UTF-8 bytes.
//
//   <name>.ops         n, then n times (position, deleted, inserted bytes), then all inserted bytes, then the final text.
//                      A patch deletes first, then inserts; each of the two is an edit. Positions count UTF-16 units, which are code
//                      points too: none of the texts has a character beyond U+FFFF (checked here).
//   <name>.concurrent  agents, n; n steps (agent, m, m indices of earlier steps that the agent receives first, p, p times as above);
//                      per agent the steps it receives at the end (m, m indices); all inserted bytes.
//   workspace-<n>.rows n; n rows (key, f, f times (name, kind, value)); kind 0 is a string, 1 a double, 2 a boolean (u32).
//
// node bench/lib/prepare.mjs [FOLDER]     default build/bench/data; a file that is there is kept
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const dataFolder = path.join(root, 'build/bench/data')

export const traces = ['automerge-paper', 'sveltecomponent', 'rustcode', 'seph-blog1', 'friendsforever_flat', 'clownschool_flat']
export const concurrentTraces = ['friendsforever', 'clownschool', 'node_nodecc']
export const workspaceSizes = [10_000, 100_000]

// The traces come with the project; a checkout that stands beside the folder they were taken from may use that.
const traceFolders = [path.join(root, 'bench/data'), path.join(root, '../shared/data/traces')]

function readTrace(name) {
  for (const folder of traceFolders) {
    const file = path.join(folder, `${name}.json.gz`)
    if (fs.existsSync(file)) return JSON.parse(zlib.gunzipSync(fs.readFileSync(file)))
  }
  throw new Error(`the trace ${name}.json.gz is neither in bench/data nor in ../shared/data/traces; bench/README.md says where it comes from`)
}

class Out {
  parts = []
  u32(...values) {
    const bytes = Buffer.alloc(4 * values.length)
    values.forEach((value, i) => bytes.writeUInt32LE(value, 4 * i))
    this.parts.push(bytes)
  }
  f64(value) {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    this.parts.push(bytes)
  }
  string(text) {
    const bytes = Buffer.from(text)
    this.u32(bytes.length)
    this.parts.push(bytes)
  }
  raw(bytes) { this.parts.push(bytes) }
  bytes() { return Buffer.concat(this.parts) }
}

function refuseAstral(texts, name) {
  if (texts.some((text) => /[\ud800-\udfff]/.test(text))) throw new Error(`${name} has characters beyond U+FFFF: positions would mean different things to different engines`)
}

/// patches: [position, deleted, inserted]. The final text is computed here, and compared with the one the trace names.
function opsFile(name, patches, endContent) {
  refuseAstral(patches.map((patch) => patch[2]), name)
  const end = endContent ?? replay(patches)
  const out = new Out()
  out.u32(patches.length)
  const inserted = patches.map((patch) => Buffer.from(patch[2]))
  const table = Buffer.alloc(12 * patches.length)
  patches.forEach(([position, deleted], i) => {
    table.writeUInt32LE(position, 12 * i)
    table.writeUInt32LE(deleted, 12 * i + 4)
    table.writeUInt32LE(inserted[i].length, 12 * i + 8)
  })
  out.raw(table)
  out.raw(Buffer.concat(inserted))
  out.string(end)
  return out.bytes()
}

// Only the short made-up works come through here.
function replay(patches) {
  let text = ''
  for (const [position, deleted, inserted] of patches) text = text.slice(0, position) + inserted + text.slice(position + deleted)
  return text
}

function concurrentFile(name) {
  const trace = readTrace(`concurrent-${name}`)
  refuseAstral(trace.txns.flatMap((txn) => txn.patches.map((patch) => patch[2])), name)
  const out = new Out()
  out.u32(trace.numAgents, trace.txns.length)
  const known = Array.from({ length: trace.numAgents }, () => new Uint8Array(trace.txns.length))
  const inserted = []
  trace.txns.forEach((txn, index) => {
    // What the parents stand on and the agent has not seen yet, oldest first. The agents' own steps follow each other.
    const seen = known[txn.agent]
    const missing = []
    const stack = [...txn.parents]
    while (stack.length) {
      const step = stack.pop()
      if (seen[step]) continue
      seen[step] = 1
      missing.push(step)
      stack.push(...trace.txns[step].parents)
    }
    missing.sort((a, b) => a - b)
    if (missing.some((step) => trace.txns[step].agent === txn.agent)) throw new Error(`${name}: agent ${txn.agent} edits on two branches at once`)
    seen[index] = 1
    out.u32(txn.agent, missing.length, ...missing, txn.patches.length)
    for (const [position, deleted, text] of txn.patches) {
      const bytes = Buffer.from(text)
      inserted.push(bytes)
      out.u32(position, deleted, bytes.length)
    }
  })
  for (const seen of known) {
    const missing = trace.txns.map((_, index) => index).filter((index) => !seen[index])
    out.u32(missing.length, ...missing)
  }
  out.raw(Buffer.concat(inserted))
  return out.bytes()
}

/// xorshift32: the same numbers in every run.
function random(seed) {
  let state = seed >>> 0
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

function workspaceFile(n) {
  const below = random(777)
  const hex = (digits) => Array.from({ length: digits }, () => below(16).toString(16)).join('')
  const out = new Out()
  out.u32(n)
  for (let i = 0; i < n; i++) {
    const name = `Note number ${i}.md`
    const file = `folder-${i % 97}/sub-${i % 1009}/${name}`
    const fields = {
      id: hex(32), path: file, name, type: 'markdown', size: below(100_000), mtime: 1_700_000_000_000 + below(1e9),
      ctime: 1_690_000_000_000 + below(1e9), hash: hex(40), mimetype: 'text/markdown', version: below(50),
      synced: below(2) === 1, owner: `user-${below(20)}`,
    }
    out.string(file)
    out.u32(Object.keys(fields).length)
    for (const [key, value] of Object.entries(fields)) {
      out.string(key)
      if (typeof value === 'string') { out.u32(0); out.string(value) }
      else if (typeof value === 'number') { out.u32(1); out.f64(value) }
      else out.u32(2, value ? 1 : 0)
    }
  }
  return out.bytes()
}

// The works of crdt-benchmarks B1 and B2 with N = 6,000, from fixed numbers.
function madeUpWorks() {
  const N = 6000
  const below = random(12345)
  const letter = () => String.fromCharCode(97 + below(26))
  const word = (from, to) => Array.from({ length: from + below(to - from + 1) }, letter).join('')
  const atRandom = (make) => {
    let length = 0
    return Array.from({ length: N }, () => {
      const text = make()
      const patch = [below(length + 1), 0, text]
      length += text.length
      return patch
    })
  }
  const insertAndDelete = () => {
    const patches = []
    let length = 0
    for (let i = 0; i < N; i++) {
      const text = word(2, 10)
      patches.push([below(length + 1), 0, text])
      length += text.length
      if (length > 20) {
        const deleted = Math.min(length, 1 + below(9))
        patches.push([below(length - deleted + 1), deleted, ''])
        length -= deleted
      }
    }
    return patches
  }
  const long = word(N, N)
  return {
    'b1.1': [...long].map((text, i) => [i, 0, text]),
    'b1.2': [[0, 0, long]],
    'b1.3': [...long].map((text) => [0, 0, text]),
    'b1.4': atRandom(letter),
    'b1.5': atRandom(() => word(2, 10)),
    'b1.6': [[0, 0, long], [0, N, '']],
    'b1.7': insertAndDelete(),
    // Positions of elements in an array; the values are their numbers.
    'b1.11': Array.from({ length: N }, (_, i) => [below(i + 1), 0, '']),
    'b2.base': [[0, 0, word(100, 100)]],
    'b2.1a': [[0, 0, word(N, N)]], 'b2.1b': [[0, 0, word(N, N)]],
    'b2.2a': atRandom(letter), 'b2.2b': atRandom(letter),
    'b2.3a': atRandom(() => word(2, 10)), 'b2.3b': atRandom(() => word(2, 10)),
    'b2.4a': insertAndDelete(), 'b2.4b': insertAndDelete(),
  }
}

export function prepare(folder = dataFolder) {
  fs.mkdirSync(folder, { recursive: true })
  const make = (file, bytes) => {
    const target = path.join(folder, file)
    if (fs.existsSync(target)) return
    fs.writeFileSync(`${target}.part`, bytes())
    fs.renameSync(`${target}.part`, target)
  }
  for (const name of traces) {
    make(`${name}.ops`, () => {
      const trace = readTrace(name)
      return opsFile(name, trace.txns.flatMap((txn) => txn.patches), trace.endContent)
    })
  }
  for (const name of concurrentTraces) make(`${name}.concurrent`, () => concurrentFile(name))
  for (const size of workspaceSizes) make(`workspace-${size}.rows`, () => workspaceFile(size))
  for (const [name, patches] of Object.entries(madeUpWorks())) make(`${name}.ops`, () => opsFile(name, patches))
  return folder
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(prepare(process.argv[2]))
