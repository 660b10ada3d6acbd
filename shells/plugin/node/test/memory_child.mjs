// Fills a module until its memory is short, and prints as JSON what came of it.
import { PretendHost } from './pretend_host.mjs';

const NOTE = 200_000;
const host = new PretendHost();
const longest = new Map();
const set = host.storage.set.bind(host.storage);
host.storage.set = (key, value) => {
  longest.set(key, Math.max(longest.get(key) ?? 0, value.length));
  return set(key, value);
};
const plugin = await host.load();
await plugin.call('init', '{}');

const seen = { kept: [], refused: 0, traps: [] };
const attempt = async (what, run) => {
  try {
    return await run();
  } catch (error) {
    if (/too little memory/.test(error.message)) ++seen.refused;
    else seen.traps.push(`${what}: ${error.message}`);
    return null;
  }
};
const write = async (name, content) => {
  const done = await attempt(name, () => plugin.command('SetBodyContent', { doc_name: name, content }));
  if (done?.success) seen.kept.push([name, content.length]);
};
await write('small.md', 'a small note');
for (let i = 0; i < 60; ++i) await write(`note-${i}.md`, `${i} `.padEnd(NOTE, 'words '));

seen.warnings = host.logs.filter(([level, text]) => level === 'warn' && text.includes('too little memory')).length;
const frame = Buffer.concat([Buffer.from([13]), Buffer.from('workspace:ws1'), Buffer.alloc(8 << 20)]);
seen.frame = [...await attempt('frame', () => plugin.call('handle_binary_message', frame)) ?? []];
seen.state = (await attempt('status', () => plugin.command('GetSyncStatus')))?.data.state;
seen.small = (await attempt('read', () => plugin.command('GetBodyContent', { doc_name: 'small.md' })))?.data.content;
await attempt('shutdown', () => plugin.call('shutdown', '{}'));
// Entries of the journal are emptied once whole states hold what they said.
seen.emptied = [...longest].filter(([key, length]) => length > 0 && host.storage.get(key).length === 0 && !key.startsWith('sync.journal.'))
  .map(([key]) => key);
seen.storage = [...host.storage].map(([key, value]) => [key, value.toString('base64')]);
process.stdout.write(JSON.stringify(seen));
