// History: what happened to the open file or to the whole workspace, and the way back.

document.title = 'History';
const PAGE = 50;

const state = { scope: 'file', entry: null, limit: PAGE, lastId: null, data: null, device: null };

const scopePath = () => (state.scope === 'file' && state.entry ? state.entry.path : null);

// --- words for what happened ---------------------------------------------------------------------------------------

// One that goes with a restore is named by that.
const isDeletion = group => group.removed.length > 0 && group.origin !== 'restore';
const isHere = group => Boolean(group.device_id) && group.device_id === state.device;
const device = group => group.device_name || (group.device_id ? 'A device without a name' : 'Another device');
const shortDevice = group => (isHere(group) ? 'This device' : device(group));

// One of twelve hues for each device, the same every time (FNV-1a).
function hue(id) {
  let sum = 2166136261;
  for (const c of id ?? '') sum = Math.imul(sum ^ c.charCodeAt(0), 16777619);
  return ((sum >>> 8) % 12) * 30 + 10;
}

function title(group) {
  const [first = '', second] = group.files.map(lastName);
  const names = group.files.length > 2 ? `${first} and ${count(group.files.length - 1, 'more file')}` : second ? `${first} and ${second}` : first;
  const what = isDeletion(group) ? 'Deleted' : { restore: 'Restored', import: 'Added', move: 'Renamed', base: 'History begins' }[group.origin];
  if (state.scope === 'file' && state.entry) {
    if (group.origin === 'move' && group.note) return `Renamed from ${lastName(group.note)}`;
    if (what) return what;
    if (group.inserted && !group.deleted) return 'Wrote';
    return group.deleted && !group.inserted ? 'Deleted text' : 'Edited';
  }
  if (what) return names ? `${what}: ${names}` : what;
  return names || 'Edited';
}

const tally = ({ inserted, deleted }) => [
  inserted ? h('span', { class: 'plus' }, hidden('typed '), `+${inserted.toLocaleString()}`) : null, inserted && deleted ? ' ' : null,
  deleted ? h('span', { class: 'minus' }, hidden(' deleted '), `\u2212${deleted.toLocaleString()}`) : null,
];

// --- the timeline --------------------------------------------------------------------------------------------------

function row(group) {
  const plain = isDeletion(group) || !['local', 'remote', 'sync'].includes(group.origin);
  return h('li', {}, h('button', {
    type: 'button', class: `entry ${plain ? 'plain' : ''}`, style: `--hue:${hue(group.device_id)}`, 'data-key': `g${group.first_id}`,
    onclick: () => open(group),
  },
  h('span', { class: 'top' }, h('span', { class: 'what clip' }, title(group)), h('span', { class: 'count' }, tally(group))),
  h('span', { class: 'who' }, h('span', { style: 'flex:none' }, stretch(group.from, group.until)), h('span', { 'aria-hidden': 'true' }, '\u00b7'), h('span', { class: 'clip', title: device(group) }, shortDevice(group)))));
}

function timelineElement({ groups, more }) {
  if (groups.length === 0) {
    return empty('clock', 'Nothing has happened yet', state.scope === 'file' ? 'Edits of this file will appear here, from every device.' : 'Edits will appear here, from every device.');
  }
  const days = [];
  for (const group of groups) {
    const name = day(group.until);
    if (days.at(-1)?.name !== name) days.push({ name, rows: [] });
    days.at(-1).rows.push(row(group));
  }
  const root = h('div', {}, days.map(({ name, rows }) => h('section', { 'aria-label': name }, h('h2', { class: 'day' }, name), h('ul', { class: 'line' }, rows))));
  if (more) root.append(h('div', { class: 'row', style: 'justify-content:center;padding-top:10px' }, button('Show earlier', showEarlier, 'slim')));
  return walkable(root, '.entry');
}

// The focus goes on to the first row that was not there before.
async function showEarlier() {
  const before = state.data.groups.length;
  state.limit += PAGE * 2;
  await load(true);
  document.querySelectorAll('.entry')[before]?.focus({ preventScroll: true });
}

function timelineView(main) {
  const choose = scope => { state.scope = scope; state.limit = PAGE; state.data = null; views.draw(); return load(true); };
  const top = head('History', tabs('What to show', [['file', 'This file'], ['workspace', 'Workspace']], state.scope, choose));
  if (state.scope === 'file' && state.entry) top.append(h('p', { class: 'soft small clip', title: state.entry.path }, state.entry.path));
  let body;
  if (state.scope === 'file' && !state.entry) body = empty('page', 'No file is open', 'Open a note to see what happened to it, or look at the whole workspace.');
  else if (state.data === null) body = waitLine();
  else body = state.data.error ? problem(state.data.error) : timelineElement(state.data);
  main.replaceChildren(top, h('div', { id: 'tabpanel', role: 'tabpanel' }, body));
  // Days stick below the head, however high it is.
  main.style.setProperty('--head', `${top.offsetHeight - 4}px`);
}

async function load(always = false) {
  if (state.scope === 'file' && !state.entry) return;
  const asked = scopePath();
  const params = { limit: state.limit };
  if (asked) params.path = asked;
  if (!always && state.lastId !== null && state.data && !state.data.error) params.known_id = state.lastId;
  const { success, data, error } = await bridge.command('GetTimeline', params);
  if (asked !== scopePath() || (success && data.unchanged)) return;
  if (success) {
    state.lastId = data.last_id;
    state.device = data.device_id;
    state.data = data;
  } else if (state.data && !state.data.error) {
    return;  // what is shown is better than a passing failure
  } else {
    state.data = { error };
  }
  await released();
  if (views.depth > 1) return;  // drawn when the user comes back
  const key = document.activeElement?.dataset?.key;
  views.draw();
  if (key) document.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
}

// --- one stretch of work -------------------------------------------------------------------------------------------

function open(group) {
  const path = scopePath();
  if (path) return openFile(path, group);
  if (group.files.length === 1) return openFile(group.files[0], group);
  return views.open(main => drawFiles(main, group));
}

const whenAndWho = group => [`${moment(group.until)} \u00b7 `, h('span', { title: device(group) }, shortDevice(group))];
const heading = group => h('p', { class: 'soft small' }, whenAndWho(group));

// Several files: which of them changed, and the way back for all.
async function drawFiles(main, group) {
  const live = views.token;
  main.replaceChildren(head(title(group), heading(group)), waitLine());
  const { success, data, error } = await bridge.command('GetChangedFiles', { from_id: group.first_id - 1, to_id: group.last_id });
  if (views.token !== live) return;
  if (!success) return main.lastChild.replaceWith(problem(error));
  const mine = data.files.filter(({ path, from }) => group.files.includes(path) || group.files.includes(from));
  const list = h('ul', { class: 'card list' }, (mine.length ? mine : data.files).map(({ path, kind, from }) => h('li', {},
    h('button', { type: 'button', class: 'item', 'data-key': `f${path}`, onclick: () => openFile(path, group) },
      h('span', { style: 'flex:1;min-width:0' }, h('span', { class: 'name clip' }, lastName(path)),
        kind === 'renamed' || folderOf(path) ? h('span', { class: 'path clip', title: path }, kind === 'renamed' ? `was ${from}` : folderOf(path)) : null),
      h('span', { class: `kind ${kind}` }, kind)))));
  main.lastChild.replaceWith(h('div', { class: 'stack' }, walkable(list, '.item'), wholeDock(group)));
}

function wholeDock(group) {
  const dock = h('div', { class: 'dock row' });
  if (isDeletion(group)) dock.append(bringBack(group, group.removed, () => dock.firstChild));
  if (group.origin === 'restore' && group.note) dock.append(button([icon('restore'), 'Undo this restore'], () => undo(group.note, changed), 'main'));
  dock.append(button([icon('restore'), 'Bring everything back to here'], () => restore(dock.firstChild, { update_id: group.last_id }, changed)));
  return dock;
}

function openFile(path, group) {
  const view = { tab: group.origin === 'base' || group.origin === 'import' ? 'text' : 'changes' };
  views.open(main => drawFile(main, path, group, view));
}

async function drawFile(main, path, group, view) {
  const live = views.token;
  const choose = tab => { view.tab = tab; return views.draw(); };
  const choices = [['changes', 'Changes'], ['text', 'Then'], ['since', 'Since then']];
  main.replaceChildren(head(lastName(path), h('p', { class: 'soft small' }, folderOf(path) ? [folderOf(path), h('br')] : null, whenAndWho(group)),
    tabs('What to show of it', choices, view.tab, choose)), waitLine());
  const content = await (view.tab === 'since' ? since(path, group.last_id, changed) : { changes, text: thenText }[view.tab](path, group));
  if (views.token !== live) return;
  main.lastChild.replaceWith(h('div', { class: 'stack', id: 'tabpanel', role: 'tabpanel' }, content, fileDock(path, group)));
}

async function changes(path, group) {
  const { success, data, error } = await bridge.command('GetFileDiff', { path, from_id: group.first_id - 1, to_id: group.last_id });
  if (!success) return problem(error);
  return [...fate(data, 'The file is new here.', 'The file was deleted here.'), diffCards(data)];
}

async function thenText(path, group) {
  const { success, data, error } = await bridge.command('GetFileAt', { path, update_id: group.last_id });
  if (!success) return problem(error);
  return [data.path && data.path !== path ? h('p', { class: 'soft small' }, `It was called ${data.path}.`) : null, fileElement(data)];
}

// What was deleted comes back as it was before that.
const bringBack = (group, paths, anchor) => button([icon('restore'), paths.length === 1 ? 'Bring it back' : `Bring the ${paths.length} back`],
  () => restore(anchor(), { update_id: group.first_id - 1, paths }, changed), 'main');

function fileDock(path, group) {
  const dock = h('div', { class: 'dock row' });
  if (isDeletion(group) && group.removed.includes(path)) {
    dock.append(bringBack(group, [path], () => dock.previousSibling ?? dock));
    return dock;
  }
  if (group.origin === 'restore' && group.note) dock.append(button([icon('restore'), 'Undo this restore'], () => undo(group.note, changed), 'main'));
  dock.append(button([icon('restore'), 'Restore this version'], event => restore(event.currentTarget.parentNode.previousSibling ?? dock, { update_id: group.last_id, paths: [path] }, changed),
    group.origin === 'restore' ? '' : 'main'));
  return dock;
}

async function changed() {
  await load(true);
  if (views.depth > 1) views.draw();
}

// --- start ---------------------------------------------------------------------------------------------------------

bridge.onEntry = entry => {
  const before = state.entry?.path;
  state.entry = entry;
  if (entry?.path === before) return;
  Object.assign(state, { data: state.scope === 'file' ? null : state.data, limit: PAGE });
  if (state.scope === 'file') views.stack.length = 1;
  if (views.depth === 1) views.draw();
  load(true);
};

views.stack.push({ view: timelineView });
views.draw();
bridge.poll(() => { refreshStatus(); load(); });
