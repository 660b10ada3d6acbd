#!/usr/bin/env node
// node tools/plugin-listing.mjs FILE [--url URL] [--repository URL] [--published-at DATE] [--output PAGE]
//
// The page under which a plugin is listed: frontmatter with what a host needs to fetch and check the file, then what it does. All of it
// is read from the file itself, so a page cannot speak of another build. Without --published-at the date of the last commit is taken,
// so that the same sources give the same page.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const LISTING = {
  description: 'Real-time multi-device sync across Diaryx workspaces',
  author: 'Diaryx Team',
  license: 'Apache-2.0',
  categories: ['sync', 'collaboration'],
  tags: ['sync', 'crdt', 'realtime'],
};

function readArguments() {
  const text = { type: 'string' };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true, options: { url: text, repository: text, 'published-at': text, output: text },
    });
    if (positionals.length !== 1) throw new Error('say which file: node tools/plugin-listing.mjs build/wasm/diaryx_sync.wasm');
    return { file: positionals[0], ...values };
  } catch (error) {
    process.stderr.write(`plugin-listing: ${error.message}\n`);
    return process.exit(2);
  }
}

/** The manifest, by the export of that name. It needs no host function, only the kernel's memory. */
async function manifestOf(bytes) {
  let blocks = new Uint8Array(1 << 20);
  let end = 8n;
  let output = [0n, 0n];
  const view = () => new DataView(blocks.buffer);
  const kernel = {
    alloc: size => {
      const at = end;
      end += size + 8n;
      if (Number(end) > blocks.length) {
        const grown = new Uint8Array(Number(end) * 2);
        grown.set(blocks);
        blocks = grown;
      }
      return at;
    },
    free: () => {}, error_set: () => {}, input_length: () => 0n, input_load_u8: () => 0, input_load_u64: () => 0n, length: () => 8n,
    load_u8: at => view().getUint8(Number(at)),
    load_u64: at => view().getBigUint64(Number(at), true),
    store_u8: (at, value) => view().setUint8(Number(at), value),
    store_u64: (at, value) => view().setBigUint64(Number(at), value, true),
    output_set: (at, size) => { output = [at, size]; },
  };
  const module = await WebAssembly.compile(bytes);
  const imports = { 'extism:host/env': kernel, 'extism:host/user': {} };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === 'extism:host/user') imports[from][name] = () => { throw new Error(`manifest called ${name}`); };
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  if (exports.manifest() !== 0) throw new Error('its manifest is an error');
  const [at, size] = output.map(Number);
  return JSON.parse(Buffer.from(blocks.subarray(at, at + size)).toString('utf8'));
}

const yaml = value => JSON.stringify(value);  // every JSON string and list is YAML

function frontmatter(fields, indent = '') {
  return Object.entries(fields).filter(([, value]) => value !== undefined).map(([key, value]) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return `${indent}${key}: ${yaml(value)}\n`;
    return `${indent}${key}:\n${frontmatter(value, `${indent}  `)}`;
  }).join('');
}

const { file, url, repository, output, 'published-at': publishedAt } = readArguments();
const bytes = readFileSync(file);
const manifest = await manifestOf(bytes);
const committed = () => spawnSync('git', ['log', '-1', '--format=%cI'], { encoding: 'utf8' }).stdout?.trim() || undefined;

const page = `---
${frontmatter({
    title: manifest.name,
    id: manifest.id,
    name: manifest.name,
    version: manifest.version,
    description: LISTING.description,
    author: LISTING.author,
    license: LISTING.license,
    repository,
    categories: LISTING.categories,
    tags: LISTING.tags,
    capabilities: manifest.capabilities,
    protocol_version: manifest.protocol_version,
    artifact: {
      url: url ?? basename(file),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
      published_at: publishedAt ?? committed(),
    },
    requested_permissions: manifest.requested_permissions.reasons,
  })}---

# ${manifest.name}

${LISTING.description}. Notes and attachments of a workspace stay the same on all devices, live while they are connected and merged when
they come back. With history, restore and undo, named snapshots, and a guard against waves of deletions.

It asks for:

${Object.entries(manifest.requested_permissions.reasons).map(([name, reason]) => `- \`${name}\`: ${reason}`).join('\n')}
`;
if (output) writeFileSync(output, page); else process.stdout.write(page);
