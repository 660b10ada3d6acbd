// Stands in for the plugin's host in the driver's own tests; see hub.mjs.
import fs from 'node:fs';
import path from 'node:path';
import {link, watch} from './hub.mjs';

const option = (name) => process.argv[process.argv.indexOf('--' + name) + 1];
const folder = option('folder');
if (!fs.existsSync(path.join(folder, '.diaryx'))) link(folder, option('server'));
await watch(folder, 'tablet');
