// A panel as a host shows it: a blob in a sandboxed frame that may run scripts and nothing else, and the messages of both sides.

const PAGE = '<!doctype html><title>host</title><style>html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%;display:block}</style>';

// Runs in the page: the host's half of the protocol.
function hostSide({ html, theme, cssVars, entry, silent }) {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  const send = message => frame.contentWindow.postMessage(message, '*');
  window.sendToPanel = send;
  window.addEventListener('message', async ({ source, data }) => {
    if (source !== frame.contentWindow || !data) return;
    if (data.type === 'plugin-command') {
      const result = await window.answerCommand(data.command, data.params);
      send({ type: 'plugin-response', requestId: data.requestId, result });
    } else if (data.type === 'host-action') {
      const answer = await window.answerAction(data.action);
      send({ type: 'host-action-response', requestId: data.requestId, ...answer });
    }
  });
  frame.addEventListener('load', () => {
    if (silent) return;
    send({ type: 'init', theme, cssVars, entry });
    send({ type: 'theme-update', theme, cssVars });
    send({ type: 'plugin-event', event: 'entry-changed', data: entry });
  });
  frame.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  document.body.append(frame);
}

export class PanelPage {
  problems = [];
  commands = [];

  /**
   * @param browser  of playwright
   * @param {string} html  the panel
   * @param {{answer(command, params), action?(action), theme?, cssVars?, entry?, width?, height?,
   *          silent?}} host  silent: it never says `init`
   */
  static async open(browser, html, host) {
    const { answer, action = () => ({ success: false, error: 'unknown action' }), theme = 'light', cssVars = {}, entry = null, width = 320, height = 720,
      silent = false } = host;
    const panel = new PanelPage();
    panel.page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 2, colorScheme: theme, reducedMotion: 'reduce' });
    panel.page.setDefaultTimeout(60_000);
    panel.page.on('pageerror', error => panel.problems.push(error.message));
    panel.page.on('console', message => { if (message.type() === 'error') panel.problems.push(message.text()); });
    panel.page.on('request', request => { if (!/^(blob|data|about):/.test(request.url())) panel.problems.push(`network: ${request.url()}`); });
    await panel.page.setContent(PAGE);
    await panel.page.exposeFunction('answerCommand', (command, params) => { panel.commands.push(command); return answer(command, params); });
    await panel.page.exposeFunction('answerAction', action);
    await panel.page.evaluate(hostSide, { html, theme, cssVars, entry, silent });
    const element = await panel.page.waitForSelector('iframe');
    panel.frame = await element.contentFrame();
    await panel.frame.waitForSelector('main > *');
    return panel;
  }

  send(message) { return this.page.evaluate(each => window.sendToPanel(each), message); }
  /** With the mouse, where the element stands. (The driver's own click misjudges frames of an opaque origin now and then.) */
  async click(locator) {
    const target = typeof locator === 'string' ? this.frame.locator(locator).first() : locator.first();
    await target.waitFor({ state: 'visible' });
    await target.scrollIntoViewIfNeeded();
    // A busy machine may draw late: the mouse is pressed once it rests on the very element, two frames long.
    const frames = () => this.frame.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
    // Pressed again if the element itself did not hear of it: it may have been drawn anew in between.
    for (let presses = 0; presses < 3; ++presses) {
      for (let attempt = 0; attempt < 20; ++attempt) {
        const { x, y, width, height } = await target.boundingBox();
        await this.page.mouse.move(x + width / 2, y + height / 2);
        await frames();
        const now = await target.boundingBox();
        const hovered = await target.evaluate(element => element.matches(':hover'));
        if (hovered && now.x === x && now.y === y) break;
      }
      await target.evaluate(element => {
        window.heard = false;
        element.addEventListener('click', () => { window.heard = true; }, { capture: true, once: true });
      });
      await this.page.mouse.down();
      await this.page.mouse.up();
      if (await this.frame.evaluate(() => window.heard)) return;
    }
    // On a busy machine the browser may route the mouse to a frame of an opaque origin wrongly for as long as the page lives.
    await target.evaluate(element => element.click());
  }
  button(name) { return this.frame.getByRole('button', { name, exact: true }); }
  tab(name) { return this.frame.getByRole('tab', { name, exact: true }); }
  press(name) { return this.click(this.button(name)); }
  text() { return this.frame.locator('body').innerText(); }
  shot(path) { return this.page.screenshot({ path }); }
  close() { return this.page.close(); }
}
