#!/usr/bin/env node
// A device in one process: the sync plugin on a real folder. `node host.mjs --help` says how.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Device } from './device.mjs';
import { sdkVersions } from './plugin.mjs';

const HELP = `node host.mjs --plugin FILE --folder DIR --server URL --token T --workspace NAME_OR_ID [options]

Keeps DIR in step with the workspace by running the plugin FILE. Status changes are printed on standard output, one JSON
object per line; the plugin's log goes to standard error.

  --once           return once everything here is on the server and everything there is here
  --timeout S      give up --once after S seconds (default 120)
  --device-name N  what this device is called in the history of all devices (default: the computer's name)
  --sdk VERSION    Extism SDK: ${sdkVersions.join(' or ')} (the first by default)
  --verbose        print the plugin's debug log too

SIGUSR1 goes offline, SIGUSR2 online again, SIGTERM and SIGINT end the device cleanly.
Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 --once ran out of time.
`;

const { values: options, help } = readArguments();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const print = object => process.stdout.write(`${JSON.stringify(object)}\n`);
const quiet = new Set(options.verbose ? [] : ['debug', 'trace']);
const log = (level, message) => { if (!quiet.has(level)) process.stderr.write(`${level}: ${message}\n`); };

let latest = { state: 'idle' };
const device = new Device({ ...options, deviceName: options['device-name'] }, {
  log,
  status(status) {
    latest = status;
    print({ event: 'status', ...status });
  },
});

let ending = false;
async function end(code) {
  if (ending) return;
  ending = true;
  await device.stop();
  print({ event: 'stopped', code });
  process.exit(code);
}

process.on('SIGTERM', () => end(0));
process.on('SIGINT', () => end(0));
process.on('SIGUSR1', () => { device.setOffline(true); print({ event: 'offline' }); });
process.on('SIGUSR2', () => { device.setOffline(false); print({ event: 'online' }); });

try {
  await device.start();
  print({ event: 'started', folder: options.folder });
  if (options.once) await untilSynced(Number(options.timeout));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  await end(1);
}

async function untilSynced(seconds) {
  const limit = Date.now() + seconds * 1000;
  while (Date.now() < limit) {
    if (latest.state === 'error') throw new Error(`The plugin reports: ${latest.detail ?? latest.label}`);
    if (latest.state === 'synced' && await device.lookAround() && (await device.status()).state === 'synced') return end(0);
    await new Promise(done => setTimeout(done, 50));
  }
  process.stderr.write(`Not in step after ${seconds} s; the last status was "${latest.label}".\n`);
  return end(3);
}

function readArguments() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({
      options: {
        plugin: text, folder: text, server: text, token: text, workspace: text, sdk: text, 'device-name': text,
        timeout: { type: 'string', default: '120' }, once: flag, verbose: flag, help: flag,
      },
    });
    if (values.help) return { values, help: true };
    for (const name of ['plugin', 'folder', 'server', 'token']) {
      if (!values[name]) throw new Error(`--${name} is missing.`);
    }
    if (!(Number(values.timeout) > 0)) throw new Error(`--timeout takes a number of seconds, not "${values.timeout}".`);
    if (!existsSync(values.plugin)) throw new Error(`There is no plugin at ${values.plugin}: make it with ./dev wasm.`);
    return { values, help: false };
  } catch (error) {
    process.stderr.write(`${error.message} Run with --help to see how.\n`);
    return process.exit(2);
  }
}
