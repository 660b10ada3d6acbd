// The project's main job: `./dev run` (see demo.mjs) and `./dev run --once` (see once.mjs).
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {runDemo} from './demo.mjs';
import {Proof} from './once.mjs';
import {assertBuilt} from './programs.mjs';
import {table} from './report.mjs';
import {readWorkspace, unpack} from './workspace.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const caller = process.env.DX_CALLER_DIR ?? process.cwd();
const shown = (file) => path.relative(caller, file) || '.';

const kUsage = `./dev run                  a server and three devices under demo/, in step until Ctrl-C
./dev run --once           the same as a bounded proof; exits 0 only if nothing was lost or doubled
  --workspace FOLDER       start from a copy of FOLDER, which is only read
  --json FILE              write the figures to FILE as well
  --place FOLDER           make the proof's folders below FOLDER instead of demo/once
  --seconds N              give up after N seconds (default 120)
  --patience N             or when one step takes longer than N seconds (default 30)
  --keep                   keep the folders even when all is well`;

/// What the devices start with, and how to call it. `scratch` is a folder for unpacking.
function chooseWorkspace(asked, scratch) {
  if (asked) return {name: path.basename(path.resolve(caller, asked)), files: readWorkspace(path.resolve(caller, asked))};
  const archive = path.join(root, '../shared/data/workspaces/foam-docs.tar.gz');
  if (fs.existsSync(archive)) return {name: 'foam-docs', files: readWorkspace(unpack(archive, scratch))};
  return {name: 'sample-workspace', files: readWorkspace(path.join(root, 'examples/sample-workspace'))};
}

async function proveOnce(options) {
  const place = options.place ? path.resolve(caller, options.place) : path.join(root, 'demo/once');
  // Only folders that an earlier proof made are emptied; a mistyped --place costs nobody their files.
  const mark = path.join(place, '.made-by-dev-run');
  if (fs.existsSync(place) && fs.readdirSync(place).length > 0 && !fs.existsSync(mark))
    throw new Error(`${shown(place)} holds other files: name an empty or new folder with --place`);
  fs.rmSync(place, {recursive: true, force: true});
  fs.mkdirSync(place, {recursive: true});
  fs.writeFileSync(mark, '');

  const {name, files} = chooseWorkspace(options.workspace, path.join(place, 'source'));
  console.log(`three devices, one server, ${files.size} files of ${name}`);
  const proof = new Proof({
    place, files, seconds: Number(options.seconds), patience: Number(options.patience),
    say: (sentence) => console.log(`  ${sentence}`),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => proof.abandon().finally(() => process.exit(130)));

  let failure = null;
  try {
    await proof.run();
  } catch (error) {
    failure = error;
    await proof.abandon();
  }
  const figures = {workspace: name, passed: failure === null, ...proof.figures()};
  if (failure) figures.failure = failure.message;
  if (options.json) fs.writeFileSync(path.resolve(caller, options.json), JSON.stringify(figures, null, 2) + '\n');

  console.log('');
  if (failure) {
    console.error(`FAILED after ${figures.seconds} s: ${failure.message}`);
    console.error(`The folders and logs are kept in ${shown(place)}.`);
    return 1;
  }
  console.log(table(name, figures).join('\n'));
  console.log(`\nidentical on all devices, nothing lost, nothing doubled: ${figures.markers} edits found exactly once, ` +
              `${figures.final_files} files compared byte for byte, in ${figures.seconds} s`);
  if (!options.keep) fs.rmSync(place, {recursive: true, force: true});
  return 0;
}

function readOptions() {
  const {values} = parseArgs({options: {
    once: {type: 'boolean'}, workspace: {type: 'string'}, json: {type: 'string'}, place: {type: 'string'},
    seconds: {type: 'string', default: '120'}, patience: {type: 'string', default: '30'}, keep: {type: 'boolean'}, help: {type: 'boolean', short: 'h'},
  }});
  for (const name of ['seconds', 'patience'])
    if (!(Number(values[name]) > 0)) throw new Error(`--${name} must be a number above 0, not "${values[name]}"`);
  return values;
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`dev run: ${error.message}\n\n${kUsage}`);
  process.exit(2);
}
if (options.help) {
  console.log(kUsage);
} else {
  try {
    assertBuilt();
    if (options.once) {
      process.exitCode = await proveOnce(options);
    } else {
      const place = path.join(root, 'demo');
      const {files} = chooseWorkspace(options.workspace ?? path.join(root, 'examples/sample-workspace'));
      await runDemo({place, files, shown});
    }
  } catch (error) {
    console.error(`dev run: ${error.message}`);
    process.exitCode = 1;
  }
}
