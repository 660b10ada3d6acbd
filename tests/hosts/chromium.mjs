// The browser of the system. Nothing is downloaded: Debian's package is what `./dev setup` installs.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PROGRAMS = [process.env.DX_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where the browser is, or null. */
export const chromiumPath = PROGRAMS.find(path => path && existsSync(path)) ?? null;

export const NO_CHROMIUM = 'Chromium is not installed: apt-get install chromium, or ./dev setup';

export function launch() {
  // As root, and in containers, Chromium's own sandbox cannot be set up; the pages are ours.
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}
