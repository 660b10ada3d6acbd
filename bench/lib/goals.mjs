// What was asked of the engine, row by row: the two tables of goals of the issue "The engine". A goal is a number of this run and two
// bounds. Numbers that depend on the machine are ratios to a peer in the same run where the goal names a peer.
//
// get(work, trace, engine = 'diaryx', build = 'native') -> { ms (median), bytes, memory } or undefined

const million = 1_000_000
const of = (value, many) => (value === undefined || many === undefined ? undefined : value / many)
const sum = (values) => (values.some((value) => value === undefined) ? undefined : values.reduce((a, b) => a + b, 0))

/// How a number reads, and which way is better.
const kinds = {
  faster: { better: 'more', show: (x) => `${x < 10 ? x.toFixed(1) : Math.round(x).toLocaleString('en')}x` },
  times: { better: 'less', show: (x) => `${x.toFixed(2)}x` },
  ms: { better: 'less', show: (x) => `${x < 1 ? x.toFixed(3) : x.toFixed(1)} ms` },
  us: { better: 'less', show: (x) => `${x.toFixed(1)} us` },
  bytes: { better: 'less', show: (x) => (x < 100_000 ? `${Math.round(x).toLocaleString('en')} B` : x < million ? `${Math.round(x / 1000)} kB` : `${(x / million).toFixed(2)} MB`) },
}

const long = 'automerge-paper'

export function goals(get, sizes) {
  const ms = (...where) => get(...where)?.ms
  const memory = (...where) => get(...where)?.memory
  const versus = (work, trace, peer, build) => of(ms(work, trace, peer, build), ms(work, trace))
  const rows = []
  const goal = (name, kind, is, must, reach, seen = '') => rows.push({ name, kind, is, must, reach, seen })
  const took = (...where) => { const value = ms(...where); return value === undefined ? '' : kinds.ms.show(value) }

  // Native against Yjs in Node, diamond-types and yrs.
  goal('long trace, local edits, against Yjs', 'faster', versus('local', long, 'yjs', 'node'), 400, 1000, took('local', long))
  for (const trace of ['sveltecomponent', 'rustcode', 'seph-blog1']) {
    goal(`${trace}, local edits, against diamond-types`, 'times', of(ms('local', trace), ms('local', trace, 'diamond-types')), 3, 1.2, took('local', trace))
  }
  goal('long trace, one transaction against many', 'times', of(ms('local_one_txn', long), ms('local', long)), 1, 0.7, took('local_one_txn', long))
  goal('long trace, local edits with an update each, against Yjs', 'faster', versus('local_updates', long, 'yjs', 'node'), 160, 330, took('local_updates', long))
  goal('long trace, received one by one, against Yjs', 'faster', versus('remote', long, 'yjs', 'node'), 40, 80, took('remote', long))
  goal('long trace, received one by one, against yrs', 'faster', versus('remote', long, 'yrs', 'native'), 7, 14, took('remote', long))
  goal('long trace, load v1 and read, against Yjs', 'faster', versus('load_v1', long, 'yjs', 'node'), 45, 110, took('load_v1', long))
  goal('long trace, load v1 and read, against yrs', 'faster', versus('load_v1', long, 'yrs', 'native'), 4, 10, took('load_v1', long))
  goal('long trace, load v2 and read', 'ms', ms('load_v2', long), 2, 0.8)
  goal('long trace, encode v1', 'ms', ms('encode_v1', long), 0.5, 0.2)
  goal('long trace, encode v2', 'ms', ms('encode_v2', long), 0.5, 0.2)
  goal('long trace, diff against half', 'ms', ms('diff_half', long), 0.3, 0.1)
  goal('long trace, state vector', 'us', of(ms('state_vector', long), 0.001), 5, 1)
  goal('long trace, merge of 10,000 updates, against Yjs', 'faster', versus('merge_10000', long, 'yjs', 'node'), 185, 550, took('merge_10000', long))
  goal('long trace, merge of all 259,778 updates', 'ms', ms('merge_all', long), 500, 150)
  goal('long trace, merge of all against a tenth', 'times', of(ms('merge_all', long), ms('merge_tenth', long)), 14, 11)
  goal('long trace, memory of a loaded document', 'bytes', memory('memory', long), million, 0.6 * million)
  goal('long trace, memory against Yjs', 'times', of(memory('memory', long), memory('memory', long, 'yjs', 'node')), 0.34, 0.2)
  goal('a body of 1 KB, memory', 'bytes', memory('load_small', 'body-1KB'), 4096, 2048)
  goal('10,000 files, load, against Yjs', 'faster', versus('load_v1', 'workspace-10000', 'yjs', 'node'), 28, 58, took('load_v1', 'workspace-10000'))
  goal('10,000 files, memory', 'bytes', memory('load_v1', 'workspace-10000'), 15 * million, 9 * million)
  goal('10,000 files, memory against Yjs', 'times', of(memory('load_v1', 'workspace-10000'), memory('load_v1', 'workspace-10000', 'yjs', 'node')), 0.24, 0.15)
  goal('100,000 files, load, against Yjs', 'faster', versus('load_v1', 'workspace-100000', 'yjs', 'node'), 26, 61, took('load_v1', 'workspace-100000'))
  goal('100,000 files, load against 10,000', 'times', of(ms('load_v1', 'workspace-100000'), ms('load_v1', 'workspace-10000')), 12, 10)
  goal('100,000 files, memory', 'bytes', memory('load_v1', 'workspace-100000'), 150 * million, 90 * million)
  goal('100,000 files, encode', 'ms', ms('encode_v1', 'workspace-100000'), 150, 60)
  goal('100,000 files, change one field', 'us', of(ms('change_one', 'workspace-100000'), 0.001), 3, 1)
  for (const part of ['b3.1', 'b3.2', 'b3.3', 'b3.4', 'b3.5']) {
    goal(`${part}, 1,549 writers, apply all, against Yjs`, 'faster', versus('apply_all', part, 'yjs', 'node'), 25, 100, took('apply_all', part))
  }
  goal('b3, 1,549 writers, merge (slowest of five)', 'ms', slowest(['b3.1', 'b3.2', 'b3.3', 'b3.4', 'b3.5'].map((part) => ms('merge', part))), 5, 1.5)
  const b1 = (engine, build) => sum(Array.from({ length: 11 }, (_, i) => ['local', 'remote'].map((work) => ms(work, `b1.${i + 1}`, engine, build))).flat())
  goal('b1, local and remote together, against Yjs', 'faster', of(b1('yjs', 'node'), b1()), 88, 177, show(b1(), 'ms'))

  // The module against ywasm in the same process.
  const wasm = (work, trace) => ms(work, trace, 'diaryx', 'wasm')
  const against = (work, trace) => of(ms(work, trace, 'ywasm', 'wasm'), wasm(work, trace))
  const wasmTook = (work, trace) => show(wasm(work, trace), 'ms')
  goal('wasm: sveltecomponent, local, one call an edit', 'faster', against('local', 'sveltecomponent'), 15, 35, wasmTook('local', 'sveltecomponent'))
  goal('wasm: long trace, local, one call an edit', 'faster', against('local', long), 200, 400, wasmTook('local', long))
  goal('wasm: long trace, local, all edits in one call', 'ms', wasm('local_batch', long), 45, 24)
  goal('wasm: long trace, received one by one', 'faster', against('remote', long), 8, 18, wasmTook('remote', long))
  goal('wasm: long trace, load v1 and read, warm', 'faster', against('load_v1', long), 5, 11, wasmTook('load_v1', long))
  goal('wasm: long trace, load v1 and read, first in the process', 'ms', wasm('first_load', long), 20, 8, took('first_load', long, 'ywasm', 'wasm') && `ywasm ${took('first_load', long, 'ywasm', 'wasm')}`)
  goal('wasm: sveltecomponent, encode v1', 'faster', against('encode_v1', 'sveltecomponent'), 4, 8, wasmTook('encode_v1', 'sveltecomponent'))
  const growth = (trace) => of(memory('memory', trace, 'diaryx', 'wasm'), memory('memory', trace, 'ywasm', 'wasm'))
  const grown = (trace) => show(memory('memory', trace, 'diaryx', 'wasm'), 'bytes')
  goal('wasm: long trace, memory growth of a document', 'times', growth(long), 0.5, 0.3, grown(long))
  goal('wasm: 10,000 files, load', 'faster', against('load_v1', 'workspace-10000'), 12, 23, wasmTook('load_v1', 'workspace-10000'))
  goal('wasm: 10,000 files, memory growth', 'times', growth('workspace-10000'), 0.5, 0.3, grown('workspace-10000'))
  goal('wasm: 100,000 files, load', 'faster', against('load_v1', 'workspace-100000'), 25, 60, wasmTook('load_v1', 'workspace-100000'))
  goal('wasm: 100,000 files, memory growth', 'bytes', memory('memory', 'workspace-100000', 'diaryx', 'wasm'), 160 * million, 100 * million)
  goal('wasm: 100,000 files, change one field', 'us', of(wasm('change_one', 'workspace-100000'), 0.001), 6, 3, `ywasm ${show(of(ms('change_one', 'workspace-100000', 'ywasm', 'wasm'), 0.001), 'us')}`)
  const both = (engine) => sum(['local', 'sync'].map((work) => ms(work, 'b2.2', engine, 'wasm')))
  goal('wasm: b2.2, two writers at random, local and sync', 'ms', both('diaryx'), 150, 70, `ywasm ${show(both('ywasm'), 'ms')}`)
  goal('the module, raw', 'bytes', sizes?.module.raw, 250_000, 130_000)
  goal('the module, gzip', 'bytes', sizes?.module.gzip, 100_000, 55_000)
  goal('the module, brotli', 'bytes', sizes?.module.brotli, 80_000, 45_000)
  goal('the whole plugin', 'bytes', sizes?.plugin?.raw, 600_000, 288_000)
  for (const work of ['local_batch', 'remote', 'load_v1', 'encode_v1']) {
    const native = ms(work === 'local_batch' ? 'local' : work, long)
    goal(`wasm against native, long trace, ${work}`, 'times', of(wasm(work, long), native), 2.5, 1.6)
  }
  return rows.map(judge)
}

const slowest = (values) => (values.some((value) => value === undefined) ? undefined : Math.max(...values))
const show = (value, kind) => (value === undefined ? '' : kinds[kind].show(value))

function judge({ name, kind, is, must, reach, seen }) {
  const { better, show: print } = kinds[kind]
  const holds = (bound) => (better === 'more' ? is >= bound : is <= bound)
  const mark = is === undefined ? 'not measured' : holds(reach) ? 'reached' : holds(must) ? 'met' : 'MISSED'
  const sign = better === 'more' ? '>=' : '<='
  return { name, must: `${sign} ${print(must)}`, reach: `${sign} ${print(reach)}`, got: is === undefined ? '-' : print(is), seen, mark }
}
