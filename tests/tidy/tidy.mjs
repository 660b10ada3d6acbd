// Checks this checkout against the rules of the house; prints one line per complaint and exits 1 if there is any.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {kDocumentRules} from './documents.mjs';
import {kRules} from './rules.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

// Files that git would commit; without git (a source archive) every file outside the folders that builds make.
function projectFiles() {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                                {cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26});
    return listed.split('\0').filter((file) => file && fs.existsSync(path.join(root, file)));
  } catch {
    return fs.readdirSync(root, {recursive: true, withFileTypes: true})
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
        .filter((file) => !/(^|\/)(node_modules|\.git)\//.test(file) && !/^(build|demo)\//.test(file));
  }
}

// Folders that exist on every machine say nothing about this one.
const common = ['/', '/tmp', '/home', '/usr', '/usr/src', '/opt', '/srv', '/var/tmp', '/mnt', '/media'];
const forbiddenPaths = [path.dirname(root), os.homedir()].filter((p) => !common.includes(p)).map((p) => p + '/');

const tree = {
  files: projectFiles().sort(),
  read: (file) => fs.readFileSync(path.join(root, file), 'utf8'),
  exists: (file) => fs.existsSync(path.join(root, file)),
  forbiddenPaths,
};

let complaints = 0;
for (const [name, rule] of Object.entries({...kRules, ...kDocumentRules}))
  for (const {path: file, line, text} of rule(tree)) {
    console.log(`${file}${line ? ':' + line : ''}: ${text} [${name}]`);
    ++complaints;
  }
console.log(complaints === 0 ? `tidy: ${tree.files.length} files, nothing to say` : `tidy: ${complaints} complaints`);
process.exitCode = complaints === 0 ? 0 : 1;
