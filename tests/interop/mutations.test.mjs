// Lines of random sessions, bent: the driver answers each of them and keeps its documents in order. DX_SEED=7 replays one session;
// DX_SEEDS=2000 runs more of them, from DX_START on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Driver } from './driver.mjs'
import { runMutations } from './mutations.mjs'

const program = process.env.DX_CRDT_DRIVER ?? 'build/release/bin/crdt-driver'
const first = Number(process.env.DX_SEED ?? process.env.DX_START ?? 1)
const count = process.env.DX_SEED ? 1 : Number(process.env.DX_SEEDS ?? 40)

test(`bent lines do no harm, seeds ${first} to ${first + count - 1}`, async () => {
  const failures = []
  for (let seed = first; seed < first + count && failures.length < 10; seed++) {
    const driver = new Driver(program) // a new one for each, since bent lines leave documents behind
    try {
      await runMutations(driver, seed)
    } catch (error) {
      failures.push(error.message)
    }
    await driver.close()
  }
  assert.equal(failures.length, 0, '\n' + failures.join('\n'))
})
