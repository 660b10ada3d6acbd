// Talks to the host over postMessage: commands with an answer, theme, and the open entry.
const bridge = (() => {
  const TIMEOUT_MS = 15000;
  const COLOURS = ['--background', '--foreground', '--muted', '--muted-foreground', '--border', '--card', '--primary', '--primary-foreground'];
  const waiting = new Map();
  const root = document.documentElement;
  let lastId = 0;
  let hostTheme = null;
  let onEntry = () => {};

  // A colour that this engine cannot read would take the text with it; some hosts give the bare numbers of hsl().
  function usable(name, value) {
    if (!COLOURS.includes(name)) return value;
    const text = String(value).trim();
    if (CSS.supports('color', text)) return text;
    const bare = `hsl(${text})`;
    return CSS.supports('color', bare) ? bare : null;
  }

  function applyTheme({ theme, cssVars }) {
    hostTheme = theme;
    root.classList.toggle('dark', theme === 'dark');
    for (const [name, value] of Object.entries(cssVars ?? {})) {
      const good = name.startsWith('--') ? usable(name, value) : null;
      if (good === null) root.style.removeProperty(name); else root.style.setProperty(name, good);
    }
  }

  // Until the host says its theme, that of the system.
  const system = matchMedia('(prefers-color-scheme: dark)');
  const followSystem = () => { if (hostTheme === null) root.classList.toggle('dark', system.matches); };
  system.addEventListener('change', followSystem);
  followSystem();

  function settle(requestId, result) {
    const pending = waiting.get(requestId);
    if (!pending) return;
    waiting.delete(requestId);
    clearTimeout(pending.timer);
    pending.resolve(wellFormed(result));
  }

  // Whatever a host answers, views are given what they can read.
  function wellFormed(result) {
    const { success, data, error } = result ?? { error: 'The host gave no result.' };
    if (!success) return { success: false, error: typeof error === 'string' && error ? error : 'The host did not say why.' };
    if (data !== undefined && typeof data !== 'object') return { success: false, error: 'The host gave an answer that this panel cannot read.' };
    return { success: true, data: data ?? {} };
  }

  function ask(message, timeoutMs) {
    return new Promise(resolve => {
      const requestId = ++lastId;
      const timer = setTimeout(() => settle(requestId, { success: false, error: 'The app did not answer in time.' }), timeoutMs);
      waiting.set(requestId, { resolve, timer });
      window.parent.postMessage({ ...message, requestId }, '*');
    });
  }

  window.addEventListener('message', ({ source, data }) => {
    if (source !== window.parent || typeof data !== 'object' || data === null) return;
    if (data.type === 'init' || data.type === 'theme-update') applyTheme(data);
    if (data.type === 'init') onEntry(data.entry ?? null);
    if (data.type === 'plugin-event' && data.event === 'entry-changed') onEntry(data.data ?? null);
    if (data.type === 'plugin-response') settle(data.requestId, data.result);
    if (data.type === 'host-action-response') settle(data.requestId, { success: data.success, data: data.data, error: data.error });
  });

  return {
    /** Resolves to {success, data?, error?}; never rejects. */
    command: (command, params = {}, timeoutMs = TIMEOUT_MS) => ask({ type: 'plugin-command', command, params }, timeoutMs),
    /** The same for something that only the host can do. */
    hostAction: (type, payload, timeoutMs = TIMEOUT_MS) => ask({ type: 'host-action', action: { type, payload } }, timeoutMs),
    set onEntry(callback) { onEntry = callback; },
    /** Runs `step` now and every few seconds while the panel is visible. */
    poll(step, everyMs = 4000) {
      const run = () => { if (!document.hidden) step(); };
      setInterval(run, everyMs);
      document.addEventListener('visibilitychange', run);
      run();
    },
  };
})();
