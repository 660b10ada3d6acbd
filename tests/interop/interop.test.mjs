// Real Yjs and the engine edit together. DX_SEED=7 replays one session; DX_SEEDS=2000 runs more of them.
import { test } from 'node:test'
import { Driver } from './driver.mjs'
import { runSession } from './session.mjs'

const first = Number(process.env.DX_SEED ?? 1)
const count = process.env.DX_SEED ? 1 : Number(process.env.DX_SEEDS ?? 100)
const program = process.env.DX_CRDT_DRIVER ?? 'build/release/bin/crdt-driver'

test(`the engine and Yjs stay equal byte for byte, seeds ${first} to ${first + count - 1}`, async () => {
  const driver = new Driver(program)
  try {
    for (let seed = first; seed < first + count; seed++) await runSession(driver, seed)
  } finally {
    await driver.close()
  }
})
