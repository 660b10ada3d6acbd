// Snapshots: names for moments of the whole workspace, what changed since, and the way back.

document.title = 'Snapshots';
const FEW = 8;  // more files than this can be searched

const state = { data: null, lastId: null };

// --- the list ------------------------------------------------------------------------------------------------------

function row(snapshot) {
  const { name, time, update_id } = snapshot;
  return h('li', {}, h('button', { type: 'button', class: 'item', 'data-key': `s${update_id}${name ?? ''}`, onclick: () => open(snapshot) },
    h('span', { style: 'flex:1;min-width:0' }, h('span', { class: 'name clip' }, name ?? clock(time)),
      h('span', { class: 'path clip' }, name ? moment(time) : day(time)))));
}

function form() {
  const input = h('input', { type: 'text', id: 'name', placeholder: 'before the trip', maxlength: 100, autocomplete: 'off', 'aria-describedby': 'name-problem', 'data-key': 'name' });
  const note = h('p', { class: 'small minus', id: 'name-problem', role: 'alert' });
  const create = button([icon('flag'), 'Create'], make, 'main', { 'data-key': 'create' });
  async function make() {
    if (create.disabled) return;
    const name = input.value.trim();
    note.textContent = name ? '' : 'Give it a name to find it again.';
    if (!name) return input.focus();
    const { success, data, error } = await busy(create, bridge.command('CreateSnapshot', { name }));
    if (!success) {
      note.textContent = error;
      return input.focus();
    }
    if (input.value.trim() === name) input.value = '';
    toast(`\u201c${name}\u201d keeps ${count(data.files, 'file')} as they are now.`);
    await load();
  }
  // Hosts do not let their frames submit forms, so this is none, only the look and the keys of one.
  input.addEventListener('keydown', event => { if (event.key === 'Enter' && !event.isComposing) make(); });
  return h('div', { class: 'stack', id: 'new', role: 'group', 'aria-label': 'New snapshot' },
    h('label', { for: 'name', class: 'soft small' }, 'Name this moment'),
    h('div', { class: 'row', style: 'flex-wrap:nowrap;margin-top:4px' }, input, create), note);
}

function listView(main) {
  // What is being typed survives a new list.
  const old = main.querySelector('#new');
  const top = head('Snapshots', old ?? form());
  let body;
  if (state.data === null) body = waitLine();
  else if (state.data.error) body = problem(state.data.error);
  else {
    const named = state.data.snapshots.filter(({ automatic }) => !automatic);
    const automatic = state.data.snapshots.filter(each => each.automatic);
    body = h('div', { class: 'stack' },
      named.length ? walkable(h('ul', { class: 'card list', 'aria-label': 'Snapshots' }, named.map(row)), '.item')
        : empty('box', 'No snapshots yet', 'A snapshot remembers every file as it is now. It costs a few bytes, and nothing is copied.'),
      automatic.length ? h('details', { open: listView.open, ontoggle: event => { listView.open = event.currentTarget.open; } },
        h('summary', {}, `Automatic (${automatic.length})`), walkable(h('ul', { class: 'card list' }, automatic.map(row)), '.item')) : null);
  }
  main.replaceChildren(top, body);
}
listView.open = false;

async function load() {
  const { success, data, error } = await bridge.command('ListSnapshots');
  const fresh = success ? data : { error };
  if (!success && state.data && !state.data.error) return;
  // The last point moves with every edit; the list does not.
  if (state.data && JSON.stringify([fresh.snapshots, fresh.error]) === JSON.stringify([state.data.snapshots, state.data.error])) return;
  state.data = fresh;
  await released();
  if (views.depth > 1) return;
  const key = document.activeElement?.dataset?.key;
  views.draw();
  if (key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

// --- one snapshot --------------------------------------------------------------------------------------------------

function open(snapshot) {
  const view = { tab: 'since', chosen: new Set(), filter: '' };
  views.open(main => drawSnapshot(main, snapshot, view));
}

const label = ({ name, time }) => name ?? `${day(time)}, ${clock(time)}`;

async function drawSnapshot(main, snapshot, view) {
  const live = views.token;
  const choose = tab => { Object.assign(view, { tab, filter: '' }); return views.draw(); };
  main.replaceChildren(head(label(snapshot), h('p', { class: 'soft small' }, snapshot.name ? moment(snapshot.time) : 'Kept automatically'),
    tabs('What to show of it', [['since', 'Changed since'], ['files', 'All files']], view.tab, choose)), waitLine());
  const since = view.tab === 'since';
  const { success, data, error } = since
    ? await bridge.command('GetChangedFiles', { from_id: snapshot.update_id })
    : await bridge.command('GetFilesAt', { update_id: snapshot.update_id });
  if (views.token !== live) return;
  if (!success) return main.lastChild.replaceWith(problem(error));
  const dock = h('div', { class: 'dock stack' });
  const none = since ? empty('box', 'Nothing has changed since', 'The workspace is as it was then.') : empty('box', 'It is empty', 'There were no files then.');
  main.lastChild.replaceWith(h('div', { class: 'stack', id: 'tabpanel', role: 'tabpanel' },
    data.files.length ? filesElement(data.files, snapshot, view, () => fillDock(dock, snapshot, view, data.files.length)) : none, dock));
  fillDock(dock, snapshot, view, data.files.length);
}

function filesElement(files, snapshot, view, changedChoice) {
  const rows = files.map(({ path, kind, from }) => {
    const box = h('input', {
      type: 'checkbox', 'aria-label': `Choose ${path}`,
      onchange: event => { if (event.target.checked) view.chosen.add(path); else view.chosen.delete(path); changedChoice(); },
    });
    box.checked = view.chosen.has(path);
    const where = kind === 'renamed' ? `was ${from}` : folderOf(path);
    return { path, element: h('li', { class: 'item' }, box,
      h('button', { type: 'button', 'data-key': `f${path}`, onclick: () => openFile(path, snapshot, kind) },
        h('span', { class: 'name clip', title: path }, lastName(path)), where ? h('span', { class: 'path clip' }, where) : null),
      kind ? h('span', { class: `kind ${kind}` }, kind) : null) };
  });
  const list = walkable(h('ul', { class: 'card list' }, rows.map(({ element }) => element)), '.item > button');
  if (files.length <= FEW) return list;
  const none = h('p', { class: 'wait', role: 'status' });
  const filter = () => {
    view.filter = search.value;
    const words = view.filter.toLowerCase().split(/\s+/);
    for (const { path, element } of rows) element.hidden = !words.every(word => path.toLowerCase().includes(word));
    list.hidden = rows.every(({ element }) => element.hidden);
    none.textContent = list.hidden ? 'No file has such a name.' : '';
  };
  const search = h('input', { type: 'search', placeholder: `Search ${count(files.length, 'file')}`, 'aria-label': 'Search files', value: view.filter, oninput: filter });
  filter();
  return h('div', { class: 'stack' }, search, list, none);
}

function fillDock(dock, snapshot, view, changedFiles) {
  const chosen = [...view.chosen];
  const back = chosen.length ? `Restore ${count(chosen.length, 'file')}` : 'Restore everything';
  const params = { update_id: snapshot.update_id, ...(chosen.length ? { paths: chosen } : {}) };
  const again = () => { view.chosen.clear(); views.draw(); };
  const nothing = view.tab === 'since' && changedFiles === 0;
  dock.replaceChildren(
    h('div', { class: 'row' },
      nothing ? null : button([icon('restore'), back], () => restore(dock.firstChild, params, again), 'main'),
      button([icon('down'), 'Download zip'], event => download(event.currentTarget, snapshot))),
    snapshot.name ? h('div', { class: 'row' },
      button([icon('pen'), 'Rename'], () => askForName(dock, snapshot), 'slim'),
      button([icon('bin'), 'Delete'], () => question(dock.lastChild, h('p', {}, `Forget \u201c${snapshot.name}\u201d? Your files stay as they are.`), 'Delete', () => remove(snapshot)), 'slim')) : null);
}

async function remove({ name }) {
  const { success, error } = await bridge.command('DeleteSnapshot', { name });
  if (!success) return toast(error);
  toast(`\u201c${name}\u201d is forgotten.`);
  views.back();
  await load();
}

function askForName(dock, snapshot) {
  const input = h('input', { type: 'text', value: snapshot.name, maxlength: 100, 'aria-label': 'New name' });
  const save = async () => {
    const new_name = input.value.trim();
    const { success, error } = await bridge.command('RenameSnapshot', { name: snapshot.name, new_name });
    if (!success) return toast(error);
    snapshot.name = new_name;
    views.draw();
    await load();
  };
  input.addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); dock.parentNode.querySelector('.ask .main').click(); } });
  question(dock.lastChild, input, 'Rename', save);
  input.select();
}

// A frame may lack the right to download, so the host is asked first; a host that knows nothing of it answers that or not at all.
const HOST_ANSWERS_MS = 1500;
async function download(pressed, snapshot) {
  const { success, data, error } = await busy(pressed, bridge.command('PackSnapshot', { update_id: snapshot.update_id }, LONG_MS));
  if (!success) return toast(error);
  const { missing } = data;
  const file_name = snapshot.name ? `${snapshot.name.replace(/[/\\:*?"<>|]/g, '-')}.zip` : data.file_name;
  const saved = await bridge.hostAction('download', { file_name, mime_type: 'application/zip', data: data.data }, HOST_ANSWERS_MS);
  if (!saved.success) {
    const bytes = Uint8Array.from(atob(data.data), c => c.charCodeAt(0));
    const url = URL.createObjectURL(new Blob([bytes], { type: 'application/zip' }));
    const anchor = h('a', { href: url, download: file_name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }
  const kept = missing.length ? `${file_name}: ${count(missing.length, 'attachment')} could not be found on this device and ${missing.length === 1 ? 'is' : 'are'} not in it.`
    : `${file_name}: ${count(data.files, 'file')}.`;
  // A frame of an opaque origin is not told whether its download was let through.
  toast(saved.success || origin !== 'null' ? kept : `${kept} If nothing was saved, this app does not let its panels download.`);
}

// --- one file of it ------------------------------------------------------------------------------------------------

function openFile(path, snapshot, kind) {
  const view = { tab: kind && kind !== 'created' ? 'since' : 'text' };
  views.open(main => drawFile(main, path, snapshot, view));
}

async function drawFile(main, path, snapshot, view) {
  const live = views.token;
  const choose = tab => { view.tab = tab; return views.draw(); };
  main.replaceChildren(head(lastName(path), h('p', { class: 'soft small' }, folderOf(path) ? [folderOf(path), h('br')] : null, `In \u201c${label(snapshot)}\u201d`),
    tabs('What to show of it', [['since', 'Changed since'], ['text', 'Then']], view.tab, choose)), waitLine());
  const content = await (view.tab === 'since' ? since(path, snapshot.update_id, views.draw) : thenText(path, snapshot));
  if (views.token !== live) return;
  const dock = h('div', { class: 'dock row' });
  dock.append(button([icon('restore'), 'Restore this file'], () => restore(dock.previousSibling, { update_id: snapshot.update_id, paths: [path] }, views.draw), 'main'));
  main.lastChild.replaceWith(h('div', { class: 'stack', id: 'tabpanel', role: 'tabpanel' }, content, dock));
}

async function thenText(path, snapshot) {
  const { success, data, error } = await bridge.command('GetFileAt', { path, update_id: snapshot.update_id });
  return success ? fileElement(data) : problem(error);
}

// --- start ---------------------------------------------------------------------------------------------------------

views.stack.push({ view: listView });
views.draw();
bridge.poll(() => { refreshStatus(); load(); });
