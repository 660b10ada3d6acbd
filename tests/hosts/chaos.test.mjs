// A host that fails and lies delays its own device, and nothing else. DX_SEEDS=<first>:<count> tries others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Course } from './chaos.mjs';

const STEPS = 120;
const [first, count] = (process.env.DX_SEEDS ?? '1:12').split(':').map(Number);

for (let seed = first; seed < first + count; ++seed) {
  test(`two devices come to rest after a host that fails and lies (seed ${seed})`, async () => {
    const course = new Course(seed);
    assert.equal(await course.run(STEPS), null);
    await course.close();
  });
}
