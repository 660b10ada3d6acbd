// A real server for a test file: its address, a token, and a folder for what the test makes.
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SYNCD = process.env.DIARYX_SYNCD ?? new URL('../../../../build/release/bin/diaryx-syncd', import.meta.url).pathname;
if (!fs.existsSync(SYNCD)) throw new Error(`There is no server at ${SYNCD}: make it with ./dev build.`);

export async function startServer() {
  const home = fs.mkdtempSync(join(tmpdir(), 'diaryx-plugin-'));
  const data = join(home, 'server');
  fs.mkdirSync(data);
  const server = spawn(SYNCD, ['--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn']);
  const url = await new Promise((resolve, reject) => {
    server.on('exit', code => reject(new Error(`the server ended with ${code}`)));
    server.stdout.once('data', text => resolve(String(text).split('\n')[0].replace('listening on ', '')));
  });
  const token = execFileSync(SYNCD, ['token', 'create', '--data', data, '--user', 'a@example.com']).toString().trim();
  return {
    home, url, token,
    stop() {
      server.kill('SIGTERM');
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}
