// Talks to the host over postMessage: commands with an answer, theme, and the open entry.
const bridge = (() => {
  const TIMEOUT_MS = 15000;
  const waiting = new Map();
  let lastId = 0;
  let onEntry = () => {};

  function applyTheme({ theme, cssVars }) {
    document.documentElement.classList.toggle('dark', theme === 'dark');
    for (const [name, value] of Object.entries(cssVars ?? {})) document.documentElement.style.setProperty(name, value);
  }

  function settle({ requestId, result }) {
    const pending = waiting.get(requestId);
    if (!pending) return;
    waiting.delete(requestId);
    clearTimeout(pending.timer);
    pending.resolve(result ?? { success: false, error: 'The host gave no result.' });
  }

  window.addEventListener('message', ({ source, data }) => {
    if (source !== window.parent || typeof data !== 'object' || data === null) return;
    if (data.type === 'init' || data.type === 'theme-update') applyTheme(data);
    if (data.type === 'init') onEntry(data.entry ?? null);
    if (data.type === 'plugin-event' && data.event === 'entry-changed') onEntry(data.data ?? null);
    if (data.type === 'plugin-response') settle(data);
  });

  return {
    /** Resolves to {success, data?, error?}; never rejects. */
    command(command, params = {}) {
      return new Promise(resolve => {
        const requestId = ++lastId;
        const timer = setTimeout(() => settle({ requestId, result: { success: false, error: 'Request timed out' } }), TIMEOUT_MS);
        waiting.set(requestId, { resolve, timer });
        window.parent.postMessage({ type: 'plugin-command', command, params, requestId }, '*');
      });
    },
    set onEntry(callback) { onEntry = callback; },
    /** Runs `step` now and every few seconds while the panel is visible. */
    poll(step, everyMs = 4000) {
      const run = () => { if (!document.hidden) step(); };
      setInterval(run, everyMs);
      run();
    },
    show(id, text) { document.getElementById(id).textContent = text; },
    async status() {
      const { success, data, error } = await bridge.command('GetSyncStatus');
      if (!success) return error ?? 'Status unavailable';
      const { label, detail, progress } = data;
      const count = progress && progress.total > 0 ? ` (${progress.completed}/${progress.total})` : '';
      return label + count + (detail ? ` - ${detail}` : '');
    },
  };
})();
