#!/usr/bin/env node
// node tools/panels/embed.mjs OUTPUT.cpp: makes a C++ source of web/panels, deflated, for the plugin.
//
// Both panels begin with the same page, so it is kept once: a panel is the page and its own script. The scripts are deflated as
// what goes on behind the page, whose words they use.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';

const FOLDER = new URL('../../web/panels/', import.meta.url);
const END = '</script>\n</body>\n</html>\n';

const read = name => readFileSync(new URL(name, FOLDER), 'utf8');

/** Without indentation, empty lines and comments that have lines to themselves. Our scripts have no literals over several lines. */
function squeeze(text) {
  return text.replace(/^\s*(\/\/.*|\/\*.*\*\/\s*)$/gm, '').replace(/^[ \t]+/gm, '').replace(/\n{2,}/g, '\n').replace(/^\n/, '');
}

// Strings, templates and regular expressions, whose blanks are meant. Division has a blank behind it in our scripts.
const LITERAL = /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\\n]|\\.)*`|\/(?![*/ ])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)/;

// Our statements end with a semicolon, so that a line end behind one means nothing. What is never assigned to again needs no word for it.
const squeezeCode = code => code.replace(/ *([{}()[\]=<>,;:?&|!*]) */g, '$1').replace(/(?<![-+]) ([-+]) (?![-+])/g, '$1')
  .replace(/\bconst /g, 'let ').replace(/([{;,])\n/g, '$1').replaceAll(';}', '}');

/** A script without the blanks that only people need. */
const squeezeScript = text => squeeze(text).split(LITERAL).map((part, i) => (i % 2 ? part : squeezeCode(part))).join('');

/** A style sheet without the blanks that only people need. */
const squeezeStyle = text => squeeze(text).replace(/\s*([{};,])\s*/g, '$1').replace(/: /g, ':').replaceAll(';}', '}') + '\n';

/** The parts as they are embedded: text by name. */
export function parts() {
  const page = read('page.html').replace(/^@([a-z_.]+)@\n/gm, (_, name) => (name.endsWith('.css') ? squeezeStyle : squeezeScript)(read(name)));
  return { PanelPage: page, HistoryScript: squeezeScript(read('history.js')) + END, SnapshotsScript: squeezeScript(read('snapshots.js')) + END };
}

/** A whole panel: `History` or `Snapshots`. */
export function panel(name) {
  const { PanelPage, [`${name}Script`]: script } = parts();
  return PanelPage + script;
}

/** As small as zlib makes it: which size of its blocks is best depends on the text. */
function pack(content, dictionary) {
  const tries = [6, 7, 8, 9].map(memLevel => deflateRawSync(Buffer.from(content, 'utf8'), { level: 9, memLevel, dictionary }));
  return tries.reduce((best, each) => (each.length < best.length ? each : best));
}

function source() {
  let text = '// Made from web/panels by tools/panels/embed.mjs; do not edit.\n#include "panel_parts.h"\n\nnamespace diaryx::plugin {\n';
  let dictionary;
  for (const [name, content] of Object.entries(parts())) {
    const packed = pack(content, dictionary);
    if (name === 'PanelPage') dictionary = Buffer.from(content, 'utf8');
    const lines = [...packed].join(',').replace(/(.{100,120}?,)/g, '$1\n');
    text += `\nnamespace {\nconstexpr uint8_t k${name}Bytes[] = {\n${lines}};\n}  // namespace\n`;
    text += `const PanelPart k${name}{k${name}Bytes, ${Buffer.byteLength(content)}};\n`;
  }
  return `${text}\n}  // namespace diaryx::plugin\n`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [output] = process.argv.slice(2);
  if (!output) {
    process.stderr.write('embed: say where to: node tools/panels/embed.mjs panels.cpp\n');
    process.exit(2);
  }
  writeFileSync(output, source());
}
