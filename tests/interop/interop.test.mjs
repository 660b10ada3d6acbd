// Real Yjs and the engine edit together. DX_SEED=7 replays one session; DX_SEEDS=2000 runs more of them, from DX_START on;
// DX_KIND=heavy makes all of them heavy, DX_KIND=light none, and else every nineteenth is.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Driver } from './driver.mjs'
import { runSession } from './session.mjs'

const program = process.env.DX_CRDT_DRIVER ?? 'build/release/bin/crdt-driver'

const isHeavy = seed => process.env.DX_KIND ? process.env.DX_KIND === 'heavy' : seed % 19 === 0

/** Runs every `step`-th seed over one driver; answers with what failed. */
const runSeeds = async ({ first, end, step }) => {
  const failures = []
  let driver = new Driver(program)
  for (let seed = first; seed < end && failures.length < 20; seed += step) {
    try {
      await runSession(driver, seed, { heavy: isHeavy(seed) })
    } catch (error) {
      failures.push(error.message)
      await driver.close() // documents of a session that failed are left in it
      driver = new Driver(program)
    }
  }
  await driver.close()
  return failures
}

if (isMainThread) {
  const first = Number(process.env.DX_SEED ?? process.env.DX_START ?? 1)
  const count = process.env.DX_SEED ? 1 : Number(process.env.DX_SEEDS ?? 100)
  const jobs = Math.min(count, Number(process.env.DX_JOBS ?? availableParallelism()))

  test(`the engine and Yjs stay equal byte for byte, seeds ${first} to ${first + count - 1}`, async () => {
    const runs = Array.from({ length: jobs }, (_, n) => new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { first: first + n, end: first + count, step: jobs } })
      worker.on('message', resolve)
      worker.on('error', reject)
    }))
    const failures = (await Promise.all(runs)).flat()
    assert.equal(failures.length, 0, '\n' + failures.join('\n'))
  })
} else {
  parentPort.postMessage(await runSeeds(workerData))
}
