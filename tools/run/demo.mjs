// `./dev run`: one server and three devices under demo/ that stay in step until Ctrl-C. What was there goes on.
import fs from 'node:fs';
import path from 'node:path';
import {FolderView, carriedFiles, differences} from './manifest.mjs';
import {Device, createToken, startServer} from './programs.mjs';
import {Deadline, pause} from './time.mjs';
import {writeInPlace} from './workspace.mjs';

const kWorkspace = 'demo';
const kUser = 'you@example.org';

/// place: the folder demo/; files: what the first device is filled with when demo/ is new; shown: how to name a path.
export async function runDemo({place, files, shown}) {
  const notesFile = path.join(place, 'demo.json');
  const remembered = fs.existsSync(notesFile) ? JSON.parse(fs.readFileSync(notesFile, 'utf8')) : null;
  const logs = path.join(place, 'logs');
  fs.mkdirSync(logs, {recursive: true});

  const stop = untilSignal();
  const devices = [];
  let server = null, failure = null;
  try {
    // The devices remember the server's address, so a later run must come back on the same port.
    server = await startServer({data: path.join(place, 'server'), port: remembered?.port ?? 0, logs, deadline: new Deadline(15)});
    const token = remembered?.token ?? await createToken({data: path.join(place, 'server'), user: kUser});
    const device = (name, kind) => {
      devices.push(new Device({
        name, kind, folder: path.join(place, name), server: server.url, token, workspace: kWorkspace, logs, onEvent: printChange,
      }));
      return devices.at(-1);
    };
    const laptop = device('laptop', 'native'), desktop = device('desktop', 'native'), tablet = device('tablet', 'plugin');

    if (!remembered) {
      for (const [file, bytes] of files) writeInPlace(path.join(laptop.folder, file), bytes);
      console.log(`filled ${shown(laptop.folder)} with ${files.size} files`);
      await laptop.link(60);
      await laptop.syncOnce(120);
      await desktop.link(60);
      fs.writeFileSync(notesFile, JSON.stringify({port: server.port, token}) + '\n', {mode: 0o600});
    }
    for (const each of [laptop, desktop, tablet]) each.start();
    printWhatToTry({server, devices, logs, shown});
    await keepWatch({server, devices, stop});
  } catch (error) {
    failure = error;
  }
  console.log('\nstopping the devices and the server');
  for (const program of [...devices, ...(server ? [server] : [])])
    await program.stop().catch((error) => { failure ??= error; });
  if (failure) throw failure;
  console.log(`stopped; ${shown(place)} keeps everything, and ./dev run goes on from there (./dev clean forgets it)`);
}

/// {asked: Promise, isAsked()} of the first SIGINT, SIGTERM or SIGHUP.
function untilSignal() {
  let isAsked = false;
  const asked = new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(name, () => {
        isAsked = true;
        resolve();
      });
  });
  return {asked, isAsked: () => isAsked};
}

const lastState = new Map();
function printChange(device, event) {
  if (event.event !== 'status' || lastState.get(device.name) === event.state) return;
  lastState.set(device.name, event.state);
  const time = new Date().toTimeString().slice(0, 8);
  console.log(`${time}  ${device.name.padEnd(8)} ${event.state}${event.message ? ': ' + event.message : ''}`);
}

function printWhatToTry({server, devices, logs, shown}) {
  const [laptop, desktop, tablet] = devices.map((device) => shown(device.folder));
  const notes = carriedFiles(devices[0].folder).filter((file) => file.endsWith('.md'));
  const note = notes.find((file) => !file.includes('/')) ?? notes[0] ?? 'first.md';
  console.log(`
server    ${server.url}
laptop    ${laptop}    native client
desktop   ${desktop}   native client
tablet    ${tablet}    the wasm plugin under Node

Try, in another terminal:
  echo 'Hello from the laptop.' >> '${laptop}/${note}' && sleep 1 && tail -n 1 '${desktop}/${note}'
  mkdir -p ${tablet}/ideas && echo '# From the tablet' > ${tablet}/ideas/new.md && sleep 1 && ls ${laptop}/ideas
  kill -USR1 ${devices[0].program.process.pid}    # the laptop goes offline: edit the same note there and on the desktop,
  kill -USR2 ${devices[0].program.process.pid}    # then bring it back: both edits are in all three folders
Logs are in ${shown(logs)}. Ctrl-C stops everything.
`);
}

/// Until the signal: says when the three folders have become identical, and ends with an Error when a program died.
async function keepWatch({server, devices, stop}) {
  const views = devices.map((device) => new FolderView(device.folder));
  let equal = null;
  while (!stop.isAsked()) {
    for (const program of [server, ...devices]) program.assertRunning();
    const [first, ...others] = views.map((view) => view.manifest());
    const nowEqual = others.every((other) => differences(first, other, 1).length === 0);
    if (nowEqual !== equal && (nowEqual || equal !== null))
      console.log(`${new Date().toTimeString().slice(0, 8)}  ${nowEqual ? `all three folders are identical (${first.size} files)` : 'the folders differ'}`);
    equal = nowEqual;
    await Promise.race([stop.asked, pause(500)]);
  }
}
