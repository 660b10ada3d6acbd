// What the engine says about snapshots and relative positions against what Yjs says. DX_SEED=7 replays one session; DX_SEEDS=2000
// runs more of them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { runMoments } from './moments.mjs'

const first = Number(process.env.DX_SEED ?? 1)
const count = process.env.DX_SEED ? 1 : Number(process.env.DX_SEEDS ?? 100)
const program = process.env.DX_CRDT_MOMENTS ?? 'build/release/bin/crdt-moments'

test(`snapshots and positions are those of Yjs, seeds ${first} to ${first + count - 1}`, () => {
  for (let from = first; from < first + count; from += 100) {
    let lines = ''
    for (let seed = from; seed < Math.min(from + 100, first + count); seed++) lines += JSON.stringify({ seed, ...runMoments(seed) }) + '\n'
    const { status, stdout } = spawnSync(program, { input: lines, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
    assert.match(stdout, /^[1-9]\d* comparisons, 0 differ$/m)
  }
})
