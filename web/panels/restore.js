// Going back: first what would happen, then doing it, then a way to take it back.

const STEPS = { change: 'changes back', bring_back: 'comes back', take_away: 'goes', rename: 'gets its old name' };
const LONG_MS = 120000;  // a whole workspace may take a while

// Asks what restoring would do, shows it after `anchor`, and does it when the user agrees. `done` is called afterwards, and when
// what was shown turns out to be old.
async function restore(anchor, params, done = () => {}) {
  const refused = ({ error }) => { toast(error); if (params.hunks) done(); };
  const plan = await bridge.command('PreviewRestore', params, LONG_MS);
  if (!plan.success) return refused(plan);
  askToCarryOut(anchor, plan.data, 'Restore', async () => {
    const reply = await bridge.command('RestoreHistory', params, LONG_MS);
    if (!reply.success) return refused(reply);
    const { files, restore_id, problems } = reply.data;
    const text = problems && problems.length ? problems.join(' ') : `Restored ${files.length === 1 ? lastName(files[0].path) : count(files.length, 'file')}.`;
    if (restore_id) toast(text, 'Undo', () => undo(restore_id, done)); else toast(text);
    done();
  });
}

/** Takes a restore back without asking: it is what a person wants who presses Undo. */
async function undo(restore_id, done = () => {}) {
  const { success, data, error } = await bridge.command('UndoRestore', { restore_id }, LONG_MS);
  if (!success) return toast(error);
  toast(data.problems && data.problems.length ? data.problems.join(' ')
    : data.files.length ? 'Taken back. Everything typed since stays.' : 'There was nothing left to take back.');
  done();
}

function askToCarryOut(anchor, { files, skipped }, verb, act) {
  const rows = [
    ...files.slice(0, 100).map(({ path, step, renamed_from }) => h('li', {},
      h('span', { class: 'clip', title: path }, renamed_from ? `${lastName(renamed_from)} \u2192 ${lastName(path)}` : lastName(path)),
      h('span', { class: `kind ${step}` }, STEPS[step] ?? step))),
    files.length > 100 ? h('li', {}, `and ${count(files.length - 100, 'more file')}`) : null,
  ];
  const kept = skipped.map(({ path, reason }) => h('li', {}, h('span', {}, `${lastName(path)} stays as it is: ${reason}.`)));
  if (files.length === 0) {
    return question(anchor, kept.length ? h('ul', { class: 'small' }, kept) : h('p', {}, 'Nothing is different, so there is nothing to do.'), '', null);
  }
  question(anchor, [
    h('p', {}, h('strong', {}, files.length === 1 ? 'One file changes.' : `${count(files.length, 'file')} change.`), ' What anybody typed since is kept in the history.'),
    h('ul', { class: 'small' }, rows, kept),
  ], verb, act);
}

/** What is different now from what `path` was at `point`. Each change has a way back of its own; `done` is called after it. */
async function since(path, point, done) {
  const { success, data, error } = await bridge.command('GetFileDiff', { path, from_id: point });
  if (!success) return problem(error);
  if (data.same) return empty('page', 'Nothing has changed since', 'The file is as it was then.');
  // Changes are counted in the text that is shown here, so the point of that text goes with the number.
  const putBack = index => button('Put this back', event => restore(event.currentTarget.closest('.bar'),
    { update_id: point, paths: [path], hunks: [index], to_id: data.to_id }, done), 'slim');
  return [...fate(data, 'The file was not there then.', 'The file has been deleted since.'), diffCards(data, bothThere(data) ? putBack : undefined)];
}
