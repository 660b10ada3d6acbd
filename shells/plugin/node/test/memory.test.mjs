// A module with little memory: what does not fit is refused in order, what is here can still be read, and nothing that was stored is
// lost. The limit is one of the process, so the module runs in a child (memory_child.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PretendHost } from './pretend_host.mjs';

const CHILD = fileURLToPath(new URL('memory_child.mjs', import.meta.url));
const run = pages => JSON.parse(execFileSync(process.execPath, [`--wasm-max-mem-pages=${pages}`, CHILD], { maxBuffer: 1 << 28 }).toString());

for (const pages of [80, 160]) {
  test(`refuses in order what does not fit into ${pages} pages`, async () => {
    const seen = run(pages);
    assert.ok(seen.kept.length > 0, 'some notes fit');
    assert.ok(seen.refused > 0, 'some do not');
    assert.deepEqual(seen.traps, [], 'none ends in a trap');
    assert.ok(seen.warnings >= seen.refused, 'each is said in the log');
    assert.deepEqual(seen.frame, [0, 0], 'a frame that does not fit gives an empty envelope');
    assert.equal(seen.state, 'idle');
    assert.equal(seen.small, 'a small note', 'what is small goes on');
    assert.deepEqual(seen.emptied, [], 'nothing stored was replaced by nothing');

    // Everything that was accepted is there for a start with enough memory.
    const host = new PretendHost();
    for (const [key, data] of seen.storage) host.storage.set(key, Buffer.from(data, 'base64'));
    const plugin = await host.load();
    await plugin.call('init', '{}');
    for (const [name, length] of seen.kept) {
      const { data } = await plugin.command('GetBodyContent', { doc_name: name });
      assert.equal(data.content.length, length, name);
    }
    await plugin.close();
  });
}
