// The bounded proof: three devices, one real workspace, everything that happens to notes in a day, all bytes compared.
import fs from 'node:fs';
import path from 'node:path';
import {FolderView, differences, manifestOf} from './manifest.mjs';
import {Device, createToken, startServer} from './programs.mjs';
import {Deadline, nowMs, pause, percentile, waitFor} from './time.mjs';
import {Expectation, asText, chooseFiles, insertLines, writeByRename, writeInPlace} from './workspace.mjs';

const kWorkspace = 'proof';
const kUser = 'proof@example.org';
const kLiveEdits = 24;   // eight by each device, each awaited by the two others
const kQuietMs = 1500;   // after the last step nothing may change any more for so long

export class Proof {
  /// place: folder for everything that is made; files: Map of path -> Buffer; seconds: for the whole run; patience: seconds
  /// for one step; say(sentence) reports progress.
  constructor({place, files, seconds, patience, say}) {
    Object.assign(this, {place, patience, say});
    this.deadline = new Deadline(seconds);
    this.started = nowMs();
    const given = files.size;
    this.roles = chooseFiles(files);
    this.expected = new Expectation(files);
    this.added = files.size - given;  // notes of the proof's own, where the workspace has too few
    this.imported = {files: files.size, bytes: [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0)};
    this.firstSync = new Map();  // device name -> ms
    this.steps = [];             // {name, ms}: from the last change of the step until all folders were as expected
    this.arrivals = [];          // {from, to, ms}
    this.markerCount = 0;
  }

  async run() {
    const logs = path.join(this.place, 'logs');
    fs.mkdirSync(logs, {recursive: true});
    this.data = path.join(this.place, 'server');
    this.server = await startServer({data: this.data, port: 0, logs, deadline: this.deadline});
    this.token = await createToken({data: this.data, user: kUser});
    const device = (name, kind) => new Device({
      name, kind, folder: path.join(this.place, name), server: this.server.url, token: this.token, workspace: kWorkspace, logs,
    });
    this.laptop = device('laptop', 'native');
    this.desktop = device('desktop', 'native');
    this.tablet = device('tablet', 'plugin');
    this.devices = [this.laptop, this.desktop, this.tablet];
    this.views = new Map(this.devices.map((d) => [d, new FolderView(d.folder)]));

    await this.importAndJoin();
    await this.editTogether();
    await this.editTheSamePlace();
    await this.createFiles();
    await this.renameMoveDelete();
    await this.changeAttachments();
    await this.editOffline();
    await this.editWhileStopped();
    await this.editLive();
    await this.stayQuiet();
    await this.joinAfterwards();
    await this.stopAll();
    this.compareEverything();
  }

  // -- steps ---------------------------------------------------------------------------------------------------------

  async importAndJoin() {
    for (const [file, bytes] of this.expected.files) writeInPlace(path.join(this.laptop.folder, file), bytes);
    let begin = nowMs();
    await this.laptop.link(this.secondsLeft());
    await this.laptop.syncOnce(this.secondsLeft());
    this.firstSync.set('laptop', nowMs() - begin);
    this.say(`laptop    imported ${this.imported.files} files`);
    this.laptop.start();
    for (const joining of [this.desktop, this.tablet]) {
      begin = nowMs();
      await joining.link(this.secondsLeft());
      joining.start();
      await this.settle(`${joining.name} to hold the workspace`, [joining], 2 * this.patience);
      this.firstSync.set(joining.name, nowMs() - begin);
      this.say(`${joining.name.padEnd(9)} holds the same files`);
    }
    await this.settle('the three folders to be identical after the first sync');
  }

  async editTogether() {
    await this.step('the same note edited on all three, in three places', () => this.insertEverywhere(this.roles.together));
  }

  async editTheSamePlace() {
    const file = this.roles.samePlace;
    const before = this.expected.text(file);
    const lines = this.devices.map((device) => this.marker(device, 'at the same end', file));
    await this.step('the same note edited on all three, at one place', () => {
      const edited = lines.map((line) => insertLines(before, [{place: 1, line}]));
      this.writeAtOnce(file, edited);
      // Any order of the three lines is right; nothing else is.
      const ending = before.endsWith('\r\n') ? '\r\n' : '\n';
      this.anyOf = {file, answers: permutations(lines).map((order) => Buffer.from(before + order.map((l) => l + ending).join('')))};
    });
  }

  async createFiles() {
    await this.step('new notes and folders on each', () => {
      for (const device of this.devices) {
        const file = `new on the ${device.name}/first note ❄.md`;
        const line = this.marker(device, 'new', file);
        this.put(device, file, `---\ntitle: New on the ${device.name}\ntags: [new, "${device.name}"]\n---\n\n${line}\n`);
      }
      this.put(this.laptop, 'new on the laptop/list.md', '- one\n- two');
      this.put(this.desktop, 'new on the desktop/deeper/empty.md', '');
    });
  }

  async renameMoveDelete() {
    const {renamed, moved, deleted} = this.roles;
    const newName = path.join(path.dirname(renamed), 'renamed ' + path.basename(renamed));
    await this.step('a note renamed, one moved, one deleted, a folder renamed', () => {
      this.move(this.desktop, renamed, newName);
      this.move(this.tablet, moved, path.join('moved here', path.basename(moved)));
      this.remove(this.laptop, deleted);
      this.moveFolder(this.laptop, 'new on the laptop', 'folder with a new name');
    });
    const line = this.marker(this.laptop, 'after the rename', newName);
    await this.step('the renamed note edited', () => this.edit(this.laptop, newName, [{place: 1, line}]));
  }

  async changeAttachments() {
    const {changedAttachment, deletedAttachment} = this.roles;
    await this.step('attachments changed, added and deleted', () => {
      const old = this.expected.files.get(changedAttachment);
      this.put(this.desktop, changedAttachment, Buffer.concat([old, Buffer.from([0, 255, 13, 10, 0x80])]));
      this.put(this.tablet, 'new on the tablet/noise.bin', noise(200_000));
      this.put(this.laptop, 'new on the desktop/small.png', noise(300));
      this.remove(this.laptop, deletedAttachment);
    });
  }

  async editOffline() {
    const file = this.roles.offline;
    const away = [this.laptop, this.tablet];
    for (const device of away) await device.setOnline(false, this.deadline);
    const text = this.expected.text(file);
    const mine = new Map(this.devices.map((device, i) => [device, {place: i / 2, line: this.marker(device, 'offline', file)}]));
    for (const [device, insertion] of mine)
      writeByRename(path.join(device.folder, file), insertLines(text, [insertion]));
    const created = 'written offline/on the laptop.md';
    const line = this.marker(this.laptop, 'created offline', created);
    this.put(this.laptop, created, `# Written offline\n\n${line}\n`);
    this.move(this.tablet, 'new on the tablet/first note ❄.md', 'written offline/moved by the tablet.md');
    // While they are away nothing of theirs may arrive anywhere: otherwise this step would prove nothing.
    await pause(400);
    const seen = asText(fs.readFileSync(path.join(this.desktop.folder, file)));
    if (away.some((device) => seen.includes(mine.get(device).line)) || fs.existsSync(path.join(this.desktop.folder, created)))
      throw new Error('a device that said it is offline sent its edits all the same');
    this.expected.set(file, insertLines(text, [...mine.values()]));
    await this.step('two devices edited offline, the third online, then all together', async () => {
      for (const device of away) await device.setOnline(true, this.deadline);
    });
  }

  async editWhileStopped() {
    const file = this.roles.whileStopped;
    await this.desktop.stop();
    const text = this.expected.text(file);
    const here = {place: 0, line: this.marker(this.desktop, 'while it was stopped', file)};
    const there = {place: 1, line: this.marker(this.tablet, 'meanwhile', file)};
    writeByRename(path.join(this.desktop.folder, file), insertLines(text, [here]));
    writeByRename(path.join(this.tablet.folder, file), insertLines(text, [there]));
    this.remove(this.desktop, 'new on the desktop/small.png');
    this.expected.set(file, insertLines(text, [here, there]));
    await this.settle('the other two to agree while the desktop is stopped', [], this.patience, () => this.contentIs(this.laptop, file, insertLines(text, [there])));
    await this.step('a device edited while its program was stopped, then started again', () => this.desktop.start());
  }

  async editLive() {
    const file = this.roles.live;
    const begin = nowMs();
    for (let i = 0; i < kLiveEdits; ++i) {
      const from = this.devices[i % this.devices.length];
      const line = this.marker(from, `live ${i + 1}`, file);
      const bytes = Buffer.from(insertLines(this.expected.text(file), [{place: 1, line}]));
      this.expected.set(file, bytes);
      await this.propagate(from, file, bytes, i % 2 === 0 ? writeByRename : writeInPlace);
    }
    this.steps.push({name: `${kLiveEdits} live edits, one after the other`, ms: nowMs() - begin});
    await this.settle('the three folders to be identical after the live edits');
    this.say(`${kLiveEdits} live edits arrived`);
  }

  /// Writes on one device and notes when each of the others has exactly these bytes.
  async propagate(from, file, bytes, write) {
    const waiting = new Set(this.devices.filter((device) => device !== from));
    const begin = nowMs();
    write(path.join(from.folder, file), bytes);
    await waitFor(`a live edit of ${file} by the ${from.name} to arrive`, {
      look: () => {
        for (const device of waiting)
          if (this.contentIs(device, file, bytes)) {
            this.arrivals.push({from: from.name, to: device.name, ms: nowMs() - begin});
            waiting.delete(device);
          }
        return waiting.size === 0;
      },
      explain: () => `not yet on ${[...waiting].map((d) => d.name).join(', ')}`,
      deadline: this.deadline, seconds: this.patience, everyMs: 1, aborted: () => this.assertRunning(),
    });
  }

  async stayQuiet() {
    await pause(kQuietMs);
    this.compareEverything();
  }

  /// A fourth device, linked when all is over, must get the same bytes from the server alone.
  async joinAfterwards() {
    const fresh = new Device({
      name: 'newcomer', kind: 'native', folder: path.join(this.place, 'newcomer'), server: this.server.url,
      token: this.token, workspace: kWorkspace, logs: path.join(this.place, 'logs'),
    });
    const begin = nowMs();
    await fresh.link(this.secondsLeft());
    await fresh.syncOnce(this.secondsLeft());
    this.steps.push({name: 'a new device fetched everything afterwards', ms: nowMs() - begin});
    this.devices.push(fresh);
    this.views.set(fresh, new FolderView(fresh.folder));
    this.say('a new device has fetched everything');
  }

  async stopAll() {
    for (const device of this.devices) await device.stop();
    const exit = await this.server.stop();
    if (exit.code !== 0) throw new Error(`the server ended with ${exit.signal ?? 'exit code ' + exit.code} after SIGTERM instead of 0`);
  }

  /// Ends whatever still runs after a failure.
  async abandon() {
    for (const device of this.devices ?? []) await device.stop().catch(() => {});
    await this.server?.stop().catch(() => {});
  }

  // -- changes: on one device's disk and in the expectation at once ------------------------------------------------------

  /// A line that no other line equals, to be found exactly once in `file` from now on.
  marker(device, what, file) {
    const marker = `«${device.name} ${what} 🌱 ${++this.markerCount}»`;
    this.expected.markers.set(marker, file);
    return marker;
  }

  put(device, file, content) {
    writeByRename(path.join(device.folder, file), content);
    this.expected.set(file, Buffer.from(content));
  }

  edit(device, file, insertions) { this.put(device, file, insertLines(this.expected.text(file), insertions)); }

  insertEverywhere(file) {
    const text = this.expected.text(file);
    const insertions = this.devices.map((device, i) => ({place: i / 2, line: this.marker(device, 'in its own place', file)}));
    const edited = insertions.map((insertion) => insertLines(text, [insertion]));
    this.writeAtOnce(file, edited);
    this.expected.set(file, insertLines(text, insertions));
  }

  /// One text for each device. Nobody sees another's before the own one is written: otherwise that would take the other's line out.
  writeAtOnce(file, texts) {
    for (const device of this.devices) device.hold();
    this.devices.forEach((device, i) => writeByRename(path.join(device.folder, file), texts[i]));
    for (const device of this.devices) device.release();
  }

  remove(device, file) {
    fs.unlinkSync(path.join(device.folder, file));
    this.expected.remove(file);
  }

  move(device, from, to) {
    fs.mkdirSync(path.dirname(path.join(device.folder, to)), {recursive: true});
    fs.renameSync(path.join(device.folder, from), path.join(device.folder, to));
    this.expected.move(from, to);
  }

  moveFolder(device, from, to) {
    fs.renameSync(path.join(device.folder, from), path.join(device.folder, to));
    for (const file of [...this.expected.files.keys()])
      if (file.startsWith(from + '/')) this.expected.move(file, to + file.slice(from.length));
  }

  // -- looking -----------------------------------------------------------------------------------------------------------

  async step(name, change) {
    await change();
    const begin = nowMs();
    await this.settle(`the three folders to be identical after the step "${name}"`);
    this.steps.push({name, ms: nowMs() - begin});
    this.say(name);
  }

  /// Waits until the folders of `devices` are exactly as expected, or until `look` is true when it is given.
  async settle(what, devices = this.devices, seconds = this.patience, look = null) {
    await waitFor(what, {
      look: look ?? (() => {
        this.decide();
        return devices.every((device) => this.differencesOf(device, 1).length === 0);
      }),
      explain: () => this.firstDifferences(),
      deadline: this.deadline, seconds, aborted: () => this.assertRunning(),
    });
  }

  /// Where several answers are right, the one that the first device shows becomes the expected one.
  decide() {
    if (!this.anyOf) return;
    const {file, answers} = this.anyOf;
    const answer = answers.find((bytes) => this.contentIs(this.laptop, file, bytes));
    this.expected.set(file, answer ?? answers[0]);
    if (answer && this.devices.every((device) => this.contentIs(device, file, answer))) this.anyOf = null;
  }

  contentIs(device, file, bytes) {
    const full = path.join(device.folder, file);
    try {
      return fs.statSync(full).size === Buffer.byteLength(bytes) && fs.readFileSync(full).equals(Buffer.from(bytes));
    } catch (error) {
      if (error.code === 'ENOENT') return false;
      throw error;
    }
  }

  differencesOf(device, limit = 5) {
    return differences(this.expected.manifest(), this.views.get(device).manifest(), limit);
  }

  firstDifferences() {
    return this.devices.flatMap((device) => this.differencesOf(device, 3).map((text) => `\n    ${device.name}: ${text}`)).join('');
  }

  assertRunning() {
    this.server.assertRunning();
    for (const device of this.devices) device.assertRunning();
  }

  secondsLeft() { return Math.max(1, this.deadline.leftMs() / 1000); }

  /// All bytes of all devices against the expectation, every marker once, nothing deleted come back.
  compareEverything() {
    const problems = [];
    for (const device of this.devices) {
      const read = (file) => fs.existsSync(path.join(device.folder, file)) ? fs.readFileSync(path.join(device.folder, file)) : null;
      const {lost, doubled} = this.expected.lostAndDoubled(read);
      problems.push(...lost.map((text) => `${device.name} lost ${text}`), ...doubled.map((text) => `${device.name} doubled ${text}`));
      for (const file of this.expected.gone)
        if (read(file)) problems.push(`${device.name} has ${file} back, which was deleted or moved`);
      const fresh = new FolderView(device.folder).manifest();
      problems.push(...differences(this.expected.manifest(), fresh).map((text) => `${device.name}: ${text}`));
    }
    if (problems.length > 0) throw new Error('the folders are not as they should be:\n    ' + problems.slice(0, 12).join('\n    '));
  }

  /// The figures of the run so far.
  figures() {
    const files = this.expected.files;
    const pairs = [];
    for (const {from, to} of this.arrivals)
      if (!pairs.some((pair) => pair.from === from && pair.to === to)) pairs.push({from, to});
    const summary = (samples) => ({
      samples: samples.length, p50_ms: rounded(percentile(samples, 0.5)), p95_ms: rounded(percentile(samples, 0.95)),
      max_ms: rounded(percentile(samples, 1)),
    });
    return {
      imported_files: this.imported.files,
      imported_bytes: this.imported.bytes,
      added_files: this.added,
      final_files: files.size,
      final_bytes: [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0),
      manifest_sha256: manifestDigest(this.expected.manifest()),
      first_sync: [...this.firstSync].map(([name, ms]) =>
        ({device: name, kind: this.devices.find((device) => device.name === name).kind, ms: rounded(ms)})),
      steps: this.steps.map(({name, ms}) => ({name, ms: rounded(ms)})),
      live_edits: kLiveEdits,
      propagation: summary(this.arrivals.map(({ms}) => ms)),
      propagation_by_pair: pairs.map(({from, to}) =>
        ({from, to, ...summary(this.arrivals.filter((a) => a.from === from && a.to === to).map(({ms}) => ms))})),
      markers: this.expected.markers.size,
      seconds: rounded((nowMs() - this.started) / 1000),
    };
  }
}

const rounded = (value) => value === null ? null : Math.round(value * 10) / 10;

/// One digest for a whole manifest, to compare runs and devices by eye.
function manifestDigest(manifest) {
  const listing = [...manifest].map(([file, entry]) => `${entry.sha256}  ${file}\n`).join('');
  return manifestOf(new Map([['listing', Buffer.from(listing)]])).get('listing').sha256;
}

/// Every order of a list whose members are all different.
function permutations(list) {
  if (list.length <= 1) return [list];
  return list.flatMap((first) => permutations(list.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}

/// Bytes that no compressor shrinks, the same on every run.
function noise(size) {
  const bytes = Buffer.alloc(size);
  let state = 0x9e3779b9;
  for (let i = 0; i < size; ++i) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39 | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
