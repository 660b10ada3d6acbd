// A host that fails and lies delays its own device, and nothing else. DX_SEEDS=<first>:<count> tries others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Course, Device } from './chaos.mjs';
import { PretendServer } from './pretend_server.mjs';

const STEPS = 120;
const [first, count] = (process.env.DX_SEEDS ?? '1:12').split(':').map(Number);

for (let seed = first; seed < first + count; ++seed) {
  test(`two devices come to rest after a host that fails and lies (seed ${seed})`, async () => {
    const course = new Course(seed);
    assert.equal(await course.run(STEPS), null);
    await course.close();
  });
}

test('a note that was renamed elsewhere is there once, whatever the host does where its old name is to go', async () => {
  for (const lie of ['', 'throw']) {
    const server = new PretendServer();
    const devices = [new Device('a', server, 0), new Device('b', server, 0)];
    const [a, b] = devices;
    const rest = async rounds => {
      for (; rounds > 0; --rounds) {
        for (const device of devices) {
          device.host.clock += 1000;
          await device.hear();
          await device.status();
        }
      }
    };
    for (const device of devices) await device.start();
    await b.write('old.md', 'text\n');
    await rest(10);
    a.host.broken = { host_delete_file: lie };
    await b.rename('old.md', 'new.md');
    await rest(5);
    assert.deepEqual(a.files(), { 'new.md': 'text\n', 'old.md': 'text\n' });
    a.host.broken = null;
    await a.start();
    await rest(20);
    assert.deepEqual([a.files(), b.files()], [{ 'new.md': 'text\n' }, { 'new.md': 'text\n' }]);
    for (const device of devices) await device.plugin.close();
  }
});
