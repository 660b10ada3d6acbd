// Pieces that both panels are made of. Text only ever enters the page as text, never as markup.

const ICONS = {
  back: 'M10 3 5 8l5 5', close: 'M4 4l8 8M12 4l-8 8', restore: 'M3 8a5 5 0 1 1 1.6 3.7M3 4.5V8h3.5', clock: 'M8 4.5V8l2.5 1.5M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12',
  box: 'M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6', down: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10', pen: 'M3 13l.7-2.8L11 3l2 2-7.2 7.3z',
  bin: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5', page: 'M4 2h5l3 3v9H4zM9 2v3h3', flag: 'M4 14V2.5h7.5L9.5 5.5l2 3H4',
};

/** An element: `h('p', {class: 'soft', onclick() {}}, 'text', other)`. Nothing, `false` and empty strings are left out. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false && child !== ''));
  return element;
}

function icon(name) {
  const svg = document.getElementById('icon').content.firstChild.cloneNode(true);
  svg.firstChild.setAttribute('d', ICONS[name]);
  return svg;
}

const hidden = text => h('span', { class: 'hidden' }, text);
const button = (text, onclick, kind = '', more = {}) => h('button', { type: 'button', class: `button ${kind}`, onclick, ...more }, text);
/** What `work` comes to; meanwhile `pressed` cannot be pressed again. */
async function busy(pressed, work) {
  pressed.disabled = true;
  const result = await work;
  pressed.disabled = false;
  if (document.activeElement === document.body) pressed.focus({ preventScroll: true });
  return result;
}
const count = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;
const lastName = path => path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/, '');
const folderOf = path => path.slice(0, Math.max(0, path.lastIndexOf('/')));

// --- times ---------------------------------------------------------------------------------------------------------

// Making a formatter takes longer than all else in a row, and a timeline has thousands of times.
const formatter = options => new Intl.DateTimeFormat([], options).format;
const clock = formatter({ timeStyle: 'short' });
const weekday = formatter({ weekday: 'long' });
const date = { weekday: 'short', day: 'numeric', month: 'long' };
const thisYear = formatter(date);
const anyYear = formatter({ ...date, year: 'numeric' });

function day(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - time) / 86400000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days < 7) return weekday(time);
  return (new Date(time).getFullYear() === new Date().getFullYear() ? thisYear : anyYear)(time);
}

const moment = time => `${day(time)}, ${clock(time)}`;
const stretch = (from, until) => (clock(from) === clock(until) && day(from) === day(until) ? clock(until) : `${clock(from)}\u2013${clock(until)}`);

// --- views ---------------------------------------------------------------------------------------------------------

// Where a screen reader goes on when the view changes.
const focusHeading = () => document.querySelector('h1')?.focus({ preventScroll: true });

// A view is a function that fills `main`. Going back shows the one before and puts the focus where it was.
const views = {
  stack: [],
  open(view) {
    const from = document.activeElement;
    views.stack.push({ view, from: from && from.dataset ? from.dataset.key : null, at: scrollY });
    views.draw();
    focusHeading();
    scrollTo(0, 0);
  },
  back() {
    if (views.stack.length < 2) return;
    const { from, at } = views.stack.pop();
    views.draw().then(() => {
      scrollTo(0, at);
      const row = from && document.querySelector(`[data-key="${CSS.escape(from)}"]`);
      if (row) row.focus({ preventScroll: true }); else focusHeading();
    });
  },
  /** Draws the top view again, in place. What comes later looks whether `views.token` is still its own before it touches the page. */
  async draw() {
    const top = views.stack.at(-1);
    const main = document.getElementById('main');
    const inside = main.contains(document.activeElement);
    views.token = {};
    const drawn = top.view(main);
    if (inside && !main.contains(document.activeElement)) focusHeading();
    await drawn;
  },
  get depth() { return views.stack.length; },
};

// A row that is drawn anew between the pressing and the releasing of a button would lose the click.
let pressed = false;
addEventListener('pointerdown', () => { pressed = true; }, true);
for (const name of ['pointerup', 'pointercancel']) addEventListener(name, () => setTimeout(() => { pressed = false; }), true);
async function released() {
  while (pressed) await new Promise(done => setTimeout(done, 50));
}

document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || event.defaultPrevented) return;
  const question = document.querySelector('.ask .no');
  if (question) question.click(); else views.back();
});

function head(title, ...more) {
  const first = views.depth > 1
    ? h('div', {}, h('button', { type: 'button', class: 'back', onclick: views.back }, icon('back'), 'Back'))
    : null;
  return h('header', { class: 'head stack' }, first, h('div', { class: 'row' }, h('h1', { tabindex: -1, title }, title), first ? null : statusLine), first ? null : statusCause, ...more);
}

const waitLine = () => h('p', { class: 'wait' }, 'One moment\u2026');
const problem = text => h('div', { class: 'empty' }, h('strong', {}, 'This did not work'), text);
const empty = (name, title, text) => h('div', { class: 'empty' }, icon(name), h('strong', {}, title), text);

/** Tabs that arrow keys walk through. `choices` is [[id, label]]; `choose` draws anew, at once as far as the tabs go. */
function tabs(label, choices, chosen, choose) {
  const pick = id => {
    if (id === chosen) return;
    choose(id);
    document.querySelector(`[data-key="tab-${id}"]`)?.focus({ preventScroll: true });
  };
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label }, choices.map(([id, text]) => h('button', {
    type: 'button', role: 'tab', 'aria-controls': 'tabpanel', 'aria-selected': String(id === chosen), tabindex: id === chosen ? 0 : -1, 'data-key': `tab-${id}`,
    onclick: () => pick(id),
  }, text)));
  list.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = choices.findIndex(([id]) => id === chosen);
    pick(choices[(at + step + choices.length) % choices.length][0]);
  });
  return list;
}

/** Up, Down, Home and End walk through the buttons in `root` that match `selector`. */
function walkable(root, selector) {
  root.addEventListener('keydown', event => {
    const rows = [...root.querySelectorAll(selector)];
    const at = rows.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || to === undefined || !rows[to]) return;
    event.preventDefault();
    rows[to].focus();
  });
  return root;
}

// --- what the panel says -------------------------------------------------------------------------------------------

let toastTimer = 0;

/** A line at the bottom; with an action it stays until it is shut. */
function toast(text, action = null, act = null) {
  const place = document.getElementById('notice');
  clearTimeout(toastTimer);
  const shut = () => {
    const inside = place.contains(document.activeElement);
    place.replaceChildren();
    if (inside) focusHeading();
  };
  place.replaceChildren(h('div', { class: 'toast' }, h('span', {}, text),
    action ? h('button', { type: 'button', class: 'link', onclick: () => { shut(); act(); } }, action) : null,
    h('button', { type: 'button', class: 'shut', 'aria-label': 'Dismiss', onclick: shut }, icon('close'))));
  if (!action) toastTimer = setTimeout(shut, 6000);
}

/** A question in the page, after `anchor`. `yes` runs once, and what it has begun cannot be cancelled; both answers take it away. */
function question(anchor, content, yesText, yes) {
  document.querySelector('.ask')?.remove();
  const before = document.activeElement;
  const away = () => {
    box.remove();
    if (before.isConnected) before.focus({ preventScroll: true }); else focusHeading();
  };
  const accept = button(yesText, async () => {
    accept.disabled = no.disabled = true;
    box.focus({ preventScroll: true });
    await yes();
    if (box.isConnected) away();
  }, 'main');
  const no = button(yes ? 'Cancel' : 'Close', away, 'no');
  const box = h('div', { class: 'ask', role: 'alertdialog', tabindex: -1, 'aria-label': 'Please confirm' }, content, h('div', { class: 'row' }, yes ? accept : null, no));
  anchor.after(box);
  box.scrollIntoView({ block: 'nearest' });
  (yes ? accept : box.querySelector('.no')).focus({ preventScroll: true });
}

// --- status and held changes ---------------------------------------------------------------------------------------

const statusLine = h('p', { class: 'status', role: 'status' });
const statusCause = h('p', { class: 'small minus' });
let shownHeld = '';

async function refreshStatus() {
  const { success, data, error } = await bridge.command('GetSyncStatus');
  const { state = 'error', label = 'Status unavailable', detail = error, progress } = success && data ? data : {};
  const steps = progress && progress.total > 0 ? ` ${progress.completed.toLocaleString()}/${progress.total.toLocaleString()}` : '';
  const text = label + steps;
  const held = label === 'Changes held' ? `${label} ${detail}` : '';
  statusLine.className = `status ${held ? 'held' : state}`;
  statusLine.title = detail ?? '';
  statusCause.textContent = state === 'error' ? detail ?? '' : '';
  if (statusLine.textContent !== text) statusLine.replaceChildren(h('span', { class: 'clip' }, text));
  // Asked again until there was an answer, and when it became more.
  if (held !== shownHeld && await showHeld(held)) shownHeld = held;
}

// Nothing of this is carried out before somebody says what it was. True once the page shows what is held.
async function showHeld(held) {
  const place = document.getElementById('held');
  const { success, data } = held ? await bridge.command('GetHeldChanges') : { success: true, data: { files: [] } };
  if (!success) return false;
  const { files, outgoing, incoming } = data;
  if (!files.length) {
    place.replaceChildren();
    return true;
  }
  const answer = command => async () => {
    place.querySelectorAll('button').forEach(each => { each.disabled = true; });
    const reply = await bridge.command(command);
    if (!reply.success) toast(reply.error);
    shownHeld = null;
    await refreshStatus();
  };
  // The list may be cut short; the numbers are not.
  const all = outgoing + incoming;
  const listed = files.slice(0, 200);
  const what = files.some(({ kind }) => kind === 'deletion') ? 'disappeared' : 'lost their text';
  place.replaceChildren(
    h('p', {}, h('strong', {}, `${count(all, 'file')} ${what} at once. `),
      outgoing ? 'Other devices still have them.' : 'They are still here.', ' Was this meant?'),
    h('details', {}, h('summary', {}, 'Which files'), h('ul', { class: 'small' }, listed.map(({ path }) => h('li', {}, path)),
      all > listed.length ? h('li', {}, `and ${count(all - listed.length, 'more file')}`) : null)),
    h('div', { class: 'row' }, button('Bring them back', answer('UndoHeldChanges'), 'main'), button('Yes, let them go', answer('ReleaseHeldChanges'))));
  return true;
}
