// The works, each a function that does it once on one engine, checks the result and says what it took. The inputs are the prepared
// files of bench/lib/prepare.mjs and what `bench_engine inputs` wrote; bench/README.md lists the works.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { pack } from './diaryx.mjs'

const now = () => performance.now()
const digest = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex')
const check = (condition, what) => { if (!condition) throw new Error(`${what}: the result is wrong`) }
const collect = () => { if (globalThis.gc) { globalThis.gc(); globalThis.gc() } }
const heap = () => { collect(); return process.memoryUsage().heapUsed }
const time = (run) => { const start = now(); const result = run(); return { ms: now() - start, result } }

// --- Inputs

class Words {
  constructor(file) { this.bytes = fs.readFileSync(file); this.at = 0 }
  u32() { const value = this.bytes.readUInt32LE(this.at); this.at += 4; return value }
  f64() { const value = this.bytes.readDoubleLE(this.at); this.at += 8; return value }
  raw(size) { this.at += size; return this.bytes.subarray(this.at - size, this.at) }
  string(size = this.u32()) { return this.raw(size).toString() }
  patches() { return Array.from({ length: this.u32() }, () => ({ position: this.u32(), deleted: this.u32(), size: this.u32(), inserted: '' })) }
  texts(patches) { for (const patch of patches) patch.inserted = this.string(patch.size) }
  indices() { return Array.from({ length: this.u32() }, () => this.u32()) }
}

function readOps(folder, name) {
  const file = new Words(path.join(folder, `${name}.ops`))
  const patches = file.patches()
  file.texts(patches)
  return { patches, end: file.string() }
}

function readConcurrent(folder, name) {
  const file = new Words(path.join(folder, `${name}.concurrent`))
  const agents = file.u32()
  const steps = Array.from({ length: file.u32() }, () => ({ agent: file.u32(), received: file.indices(), patches: file.patches() }))
  const atEnd = Array.from({ length: agents }, () => file.indices())
  for (const step of steps) file.texts(step.patches)
  return { agents, steps, atEnd }
}

function readRows(folder, size) {
  const file = new Words(path.join(folder, `workspace-${size}.rows`))
  const value = () => {
    const kind = file.u32()
    return kind === 0 ? file.string() : kind === 1 ? file.f64() : file.u32() === 1
  }
  return Array.from({ length: file.u32() }, () => [file.string(), Array.from({ length: file.u32() }, () => [file.string(), value()])])
}

function readUpdates(folder, name) {
  const file = new Words(path.join(folder, `${name}.updates`))
  // Copies: an engine may want an array of its own, not a window into a large one.
  return Array.from({ length: file.u32() }, () => new Uint8Array(file.raw(file.u32())))
}

const readBytes = (folder, name) => new Uint8Array(fs.readFileSync(path.join(folder, name)))

// --- Edits

function play(doc, patches) {
  for (const { position, deleted, inserted } of patches) {
    if (deleted !== 0) doc.del(position, deleted)
    if (inserted !== '') doc.ins(position, inserted)
  }
}

const edits = (patches) => patches.reduce((sum, { deleted, inserted }) => sum + (deleted !== 0) + (inserted !== ''), 0)

// --- Groups: a function from the folder and the input to [{ work, trace, run(engine) }]

function traceWorks(folder, trace) {
  const { patches, end } = readOps(folder, trace)
  const count = edits(patches)
  const later = (make) => { let value; return () => (value ??= make()) }
  const updates = later(() => readUpdates(folder, trace))
  const v1 = later(() => readBytes(folder, `${trace}.v1`))
  const v2 = later(() => readBytes(folder, `${trace}.v2`))
  const half = later(() => readBytes(folder, `${trace}.half`))
  const packed = later(() => pack(patches))
  const loaded = (engine) => {
    const doc = engine.create({ client: 2 })
    doc.apply(v1())
    return doc
  }
  const local = (engine, edit, expectSame = true) => {
    collect()
    const doc = engine.create({ client: 1 })
    const { ms } = time(() => edit(doc))
    check(doc.text() === end, 'text after local edits')
    const state = doc.encode()
    doc.free()
    return { ms, edits: count, bytes: state.length, digest: expectSame ? digest(state) : '' }
  }
  const load = (engine, apply, state) => {
    collect()
    const doc = engine.create({ client: 2 })
    const { ms, result } = time(() => { doc[apply](state); return doc.text() })
    check(result === end, 'text after loading')
    doc.free()
    return { ms, bytes: state.length }
  }
  const read = (engine, run) => {
    collect()
    const doc = loaded(engine)
    const { ms, result } = time(() => run(doc))
    doc.free()
    return { ms, bytes: result.length, digest: digest(result) }
  }
  const merge = (engine, many) => {
    const part = updates().slice(0, many)
    const { ms, result } = time(() => engine.merge(part))
    return { ms, edits: part.length, bytes: result.length, digest: digest(result) }
  }
  const works = {
    local: (engine) => local(engine, (doc) => play(doc, patches)),
    local_batch: (engine) => (engine.name === 'diaryx' ? local(engine, (doc) => doc.batch(packed(), patches.length)) : null),
    local_one_txn: (engine) => local(engine, (doc) => doc.transact(() => play(doc, patches))),
    local_updates(engine) {
      collect()
      const events = []
      const doc = engine.create({ client: 1, onUpdate: (update) => events.push(update) })
      const { ms } = time(() => play(doc, patches))
      check(doc.text() === end, 'text after local edits')
      doc.free()
      const all = Buffer.concat(events)
      return { ms, edits: count, bytes: all.length, digest: digest(all) }
    },
    remote(engine) {
      const list = updates()
      collect()
      const doc = engine.create({ client: 2 })
      const { ms } = time(() => { for (const update of list) doc.apply(update) })
      check(doc.text() === end, 'text of the receiver')
      const state = doc.encode()
      doc.free()
      return { ms, edits: count, bytes: state.length, digest: digest(state) }
    },
    load_v1: (engine) => load(engine, 'apply', v1()),
    load_v2: (engine) => load(engine, 'applyV2', v2()),
    encode_v1: (engine) => read(engine, (doc) => doc.encode()),
    encode_v2: (engine) => read(engine, (doc) => doc.encodeV2()),
    text: (engine) => ({ ...read(engine, (doc) => doc.text()), digest: '' }),
    state_vector(engine) {
      const doc = loaded(engine)
      const times = 1000
      const { ms, result } = time(() => { let vector; for (let i = 0; i < times; i++) vector = doc.stateVector(); return vector })
      doc.free()
      return { ms: ms / times, bytes: result.length, digest: digest(result) }
    },
    diff_half: (engine) => read(engine, (doc) => doc.diff(half())),
    diff_update_half(engine) {
      if (!engine.diffUpdate) return null
      const { ms, result } = time(() => engine.diffUpdate(v1(), half()))
      return { ms, bytes: result.length, digest: digest(result) }
    },
    merge_10000: (engine) => (engine.merge && updates().length >= 10_000 ? merge(engine, 10_000) : null),
    merge_tenth: (engine) => (engine.merge ? merge(engine, Math.floor(updates().length / 10)) : null),
    merge_all: (engine) => (engine.merge ? merge(engine, updates().length) : null),
    memory(engine) {
      const docs = []
      const many = 8
      v1()
      const before = engine.wasmBytes() || heap()
      const { ms } = time(() => { for (let i = 0; i < many; i++) { docs.push(loaded(engine)); docs[i].text() } })
      const after = engine.wasmBytes() || heap()
      for (const doc of docs) doc.free()
      return { ms: ms / many, memory: Math.round((after - before) / many) }
    },
  }
  return Object.entries(works).map(([work, run]) => ({ work, trace, run }))
}

function concurrentWorks(folder, trace) {
  const history = readConcurrent(folder, trace)
  const replay = (engine) => {
    const sent = []
    let event
    const docs = Array.from({ length: history.agents }, (_, agent) => engine.create({ client: agent + 1, onUpdate: (update) => { event = update } }))
    for (const step of history.steps) {
      const doc = docs[step.agent]
      for (const earlier of step.received) doc.apply(sent[earlier])
      doc.transact(() => play(doc, step.patches))
      sent.push(event)
    }
    history.atEnd.forEach((steps, agent) => { for (const step of steps) docs[agent].apply(sent[step]) })
    return docs
  }
  let state
  let text
  const done = (engine) => {
    if (state) return
    const docs = replay(engine)
    state = docs[0].encode()
    text = docs[0].text()
    for (const doc of docs) doc.free()
  }
  const count = history.steps.reduce((sum, step) => sum + edits(step.patches), 0)
  return [{
    work: 'concurrent', trace, run(engine) {
      collect()
      const { ms, result: docs } = time(() => replay(engine))
      state = docs[0].encode()
      text = docs[0].text()
      for (const doc of docs) check(doc.text() === text, 'texts of the replicas')
      for (const doc of docs) doc.free()
      return { ms, edits: count, bytes: state.length, digest: digest(state) }
    },
  }, {
    work: 'load_v1', trace, run(engine) {
      done(engine)
      collect()
      const doc = engine.create({ client: 1_000_000 })
      const { ms, result } = time(() => { doc.apply(state); return doc.text() })
      check(result === text, 'text after loading')
      doc.free()
      return { ms, bytes: state.length }
    },
  }, {
    work: 'encode_v1', trace, run(engine) {
      done(engine)
      const doc = engine.create({ client: 1_000_000 })
      doc.apply(state)
      const { ms, result } = time(() => doc.encode())
      doc.free()
      return { ms, bytes: result.length, digest: digest(result) }
    },
  }]
}

// One run of such a work takes several times at once; it answers a list, one entry a work.
function series(trace, run, digests = 'encode_v1') {
  return { trace, several: true, run: (engine) => Object.entries(run(engine)).map(([work, m]) => ({ work, digest: '', ...m, ...(work === digests ? {} : { digest: m.digest ?? '' }) })) }
}

function b1(folder) {
  const numbers = 6000
  const one = (name, edit) => series(name, (engine) => {
    collect()
    const events = []
    const writer = engine.create({ client: 1, onUpdate: (update) => events.push(update) })
    const reader = engine.create({ client: 2 })
    const loaded = engine.create({ client: 3 })
    const local = time(() => edit(writer))
    const remote = time(() => { for (const update of events) reader.apply(update) })
    const encode = time(() => writer.encode())
    const load = time(() => loaded.apply(encode.result))
    check(reader.text() === writer.text() && loaded.text() === writer.text(), name)
    for (const doc of [writer, reader, loaded]) doc.free()
    return {
      local: { ms: local.ms, edits: events.length }, remote: { ms: remote.ms, edits: events.length },
      encode_v1: { ms: encode.ms, bytes: encode.result.length, digest: digest(encode.result) }, load_v1: { ms: load.ms },
    }
  })
  const eachNumber = (position) => (doc) => { for (let i = 0; i < numbers; i++) doc.arrayInsert(position(i), [i]) }
  const places = readOps(folder, 'b1.11').patches
  return [
    ...['b1.1', 'b1.2', 'b1.3', 'b1.4', 'b1.5', 'b1.6', 'b1.7'].map((name) => {
      const { patches } = readOps(folder, name)
      return one(name, (doc) => play(doc, patches))
    }),
    one('b1.8', eachNumber((i) => i)),
    one('b1.9', (doc) => doc.arrayInsert(0, Array.from({ length: numbers }, (_, i) => i))),
    one('b1.10', eachNumber(() => 0)),
    one('b1.11', eachNumber((i) => places[i].position)),
  ]
}

function b2(folder) {
  const start = readOps(folder, 'b2.base').patches
  return ['b2.1', 'b2.2', 'b2.3', 'b2.4'].map((name) => {
    const first = readOps(folder, `${name}a`).patches
    const second = readOps(folder, `${name}b`).patches
    return series(name, (engine) => {
      collect()
      const base = engine.create({ client: 9 })
      play(base, start)
      const begun = base.encode()
      let fromA = []
      let fromB = []
      const a = engine.create({ client: 1, onUpdate: (update) => fromA.push(update) })
      const b = engine.create({ client: 2, onUpdate: (update) => fromB.push(update) })
      a.apply(begun)
      b.apply(begun)
      fromA.length = fromB.length = 0
      const local = time(() => { play(a, first); play(b, second) })
      const [sentA, sentB] = [fromA.slice(), fromB.slice()]
      const sync = time(() => { for (const update of sentB) a.apply(update); for (const update of sentA) b.apply(update) })
      check(a.text() === b.text(), name)
      const encode = time(() => a.encode())
      const loaded = engine.create({ client: 3 })
      const load = time(() => loaded.apply(encode.result))
      check(loaded.text() === a.text(), name)
      for (const doc of [base, a, b, loaded]) doc.free()
      const count = sentA.length + sentB.length
      return {
        local: { ms: local.ms, edits: count }, sync: { ms: sync.ms, edits: count },
        encode_v1: { ms: encode.ms, bytes: encode.result.length, digest: digest(encode.result) }, load_v1: { ms: load.ms },
      }
    })
  })
}

function b3() {
  const writers = 1549
  const clientOf = (i) => Number((BigInt(i + 1) * 2_654_435_761n) & 0xffff_ffffn)
  const changes = {
    'b3.1': (doc, i) => doc.mapSet('v', i),
    'b3.2': (doc, i) => doc.mapSet('v', { name: `n${i}`, address: 'here' }),
    'b3.3': (doc, i) => doc.mapSet('v', 'x'.repeat(i % 100)),
    'b3.4': (doc, i) => doc.ins(0, `client${i} `),
    'b3.5': (doc, i) => doc.arrayInsert(0, [`client${i}`]),
  }
  return Object.entries(changes).map(([name, change]) => series(name, (engine) => {
    collect()
    const updates = []
    for (let i = 0; i < writers; i++) {
      const doc = engine.create({ client: clientOf(i), onUpdate: (update) => updates.push(update) })
      change(doc, i)
      doc.free()
    }
    check(updates.length === writers, name)
    const doc = engine.create({ client: 1 })
    const apply = time(() => { for (const update of updates) doc.apply(update) })
    const state = doc.encode()
    const loaded = engine.create({ client: 2 })
    const load = time(() => loaded.apply(state))
    check(loaded.text() === doc.text(), name)
    doc.free()
    loaded.free()
    const results = { apply_all: { ms: apply.ms, edits: writers, bytes: state.length, digest: digest(state) }, load_v1: { ms: load.ms, bytes: state.length } }
    if (engine.merge) {
      const merged = time(() => engine.merge(updates))
      results.merge = { ms: merged.ms, edits: writers, bytes: merged.result.length, digest: digest(merged.result) }
    }
    return results
  }))
}

function workspaceWorks(folder, size) {
  const rows = readRows(folder, size)
  const changes = 50
  const fill = (doc, some) => doc.transact(() => { for (const [key, fields] of some) doc.mapSetNested(key, fields) })
  // One load of a large workspace is one call, which no compiler of WebAssembly or JavaScript replaces on the way by better code.
  const warm = new Set()
  const warmUp = (engine) => {
    if (warm.has(engine)) return
    warm.add(engine)
    for (let round = 0; round < 5; round++) {
      const doc = engine.create({ client: 1 })
      fill(doc, rows.slice(0, 2_000))
      const other = engine.create({ client: 4, onUpdate: () => {} })
      other.apply(doc.encode())
      doc.free()
      other.free()
    }
  }
  return [series(`workspace-${size}`, (engine) => {
    warmUp(engine)
    collect()
    const doc = engine.create({ client: 1 })
    const build = time(() => fill(doc, rows))
    const encode = time(() => doc.encode())
    const encodeV2 = time(() => doc.encodeV2())
    doc.free()
    const memory = engine.wasmBytes()
    const before = memory || heap()
    let event
    const client = engine.create({ client: 4, onUpdate: (update) => { event = update } })
    const load = time(() => client.apply(encode.result))
    event = undefined
    const held = (memory ? engine.wasmBytes() : heap()) - before
    check(client.mapSize() === rows.length, 'number of files')
    const change = []
    for (let k = 0; k < changes; k++) {
      const [key] = rows[(k * 7919) % rows.length]
      change.push(time(() => client.nestedSet(key, 'mtime', 1_800_000_000_000 + k)).ms)
      check(client.nestedGet(key, 'mtime') === 1_800_000_000_000 + k, 'changed field')
    }
    const known = client.stateVector()
    const nothing = time(() => client.diff(known))
    client.free()
    return {
      build: { ms: build.ms, edits: rows.length },
      encode_v1: { ms: encode.ms, bytes: encode.result.length, digest: digest(encode.result) },
      encode_v2: { ms: encodeV2.ms, bytes: encodeV2.result.length, digest: digest(encodeV2.result) },
      load_v1: { ms: load.ms, bytes: encode.result.length, memory: held },
      change_one: { ms: change, bytes: event.length },
      diff_empty: { ms: nothing.ms, bytes: nothing.result.length, digest: digest(nothing.result) },
    }
  })]
}

// In a process of its own: what a loaded workspace holds.
function workspaceMemory(folder, size) {
  const state = readBytes(folder, `workspace-${size}.v1`)
  return [{
    work: 'memory', trace: `workspace-${size}`, run(engine) {
      const before = engine.wasmBytes() || heap()
      const doc = engine.create({ client: 4 })
      const { ms } = time(() => doc.apply(state))
      const held = (engine.wasmBytes() || heap()) - before
      check(doc.mapSize() === Number(size), 'number of files')
      doc.free()
      return { ms, bytes: state.length, memory: held }
    },
  }]
}

export const groups = {
  trace: traceWorks,
  concurrent: concurrentWorks,
  made_up: (folder, input) => ({ b1, b2, b3 })[input](folder),
  workspace: workspaceWorks,
  workspace_memory: workspaceMemory,
}
