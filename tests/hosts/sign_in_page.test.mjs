// The page that a sign-in link opens, as people use it: by link, by code, without room for another device, without a server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Server, run, until } from '../server/server.mjs';
import { NO_CHROMIUM, chromiumPath, launch } from './chromium.mjs';

describe('the page for signing in', { skip: chromiumPath ? false : NO_CHROMIUM }, () => {
  let browser;
  let server;
  const problems = [];
  before(async () => {
    browser = await launch();
    server = await Server.start({ options: ['--max-devices', '2', '--address-sign-ins', '0'] });
  });
  after(async () => {
    await browser?.close();
    await server?.end();
  });

  const invite = user => {
    run(['user', 'add', user, '--data', server.folder]);
    const { out } = run(['user', 'link', user, '--data', server.folder]);
    return { token: out.match(/#(\S+)/)[1], code: out.match(/\b\d{6}\b/)[0] };
  };
  async function open(fragment = '', options = {}) {
    const page = await browser.newPage(options);
    page.on('pageerror', error => problems.push(error.message));
    await page.goto(`${server.http}/sign-in${fragment && `#${fragment}`}`);
    return page;
  }
  const press = (page, name) => page.getByRole('button', { name }).click();
  const focused = page => page.evaluate(() => document.activeElement.textContent);

  test('a link signs in; the token is shown, and the used link is in no address', async () => {
    const page = await open(invite('ann@example.org').token);
    await press(page, 'Sign in');
    await page.getByText('Signed in as ann@example.org.').waitFor();
    assert.equal(await focused(page), 'Signed in as ann@example.org.');
    const [token, command] = await page.locator('code').allInnerTexts();
    assert.equal((await server.ask('GET', '/auth/me', { token })).status, 200);
    assert.equal(command, `diaryx-sync link FOLDER --server ${server.http} --token ${token} --workspace NAME`);
    assert.equal(page.url(), `${server.http}/sign-in`);
    await page.reload();
    assert.ok(!(await page.content()).includes(token));
    await page.close();
  });

  test('a code signs in, too', async () => {
    const { code } = invite('bea@example.org');
    const page = await open();
    await page.getByLabel('E-mail address').fill('bea@example.org');
    await page.getByLabel('Code').fill(code === '000000' ? '000001' : '000000');
    await press(page, 'Sign in');
    await page.getByText('is not valid').waitFor();
    await page.getByLabel('Code').fill(` ${code}`);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as bea@example.org.').waitFor();
    await page.close();
  });

  test('without room for another device, one is chosen to be replaced', async () => {
    const user = 'cleo@example.org';
    const old = [server.token(user), server.token(user)];
    for (const token of old) {
      const { devices } = await server.request(token, 'GET', '/auth/me');
      for (const { id } of devices) await server.ask('PATCH', `/auth/devices/${id}`, { token, body: { name: '<b>Desk</b>' } });
    }
    const page = await open(invite(user).token);
    await press(page, 'Sign in');
    await page.getByText('Device limit reached').waitFor();
    const choices = page.getByRole('button', { name: 'Replace <b>Desk</b>, last seen' });
    assert.equal(await choices.count(), 2);
    await choices.first().click();
    await page.getByText(`Signed in as ${user}.`).waitFor();
    const left = await Promise.all(old.map(async token => (await server.ask('GET', '/auth/me', { token })).status));
    assert.deepEqual(left.sort(), [200, 401]);
    await page.close();
  });

  test('a used link says so and gives way to a code, and the next one in the same tab is another sign-in', async () => {
    const { token } = invite('dora@example.org');
    const page = await open(token);
    await press(page, 'Sign in');
    await page.getByText('Signed in as').waitFor();
    await page.goto(`${server.http}/sign-in#${token}`);
    await press(page, 'Sign in');
    await page.getByText('was used already').waitFor();
    assert.match(await focused(page), /was used already/);
    assert.equal(await page.getByRole('button').count(), 1, 'the link is not offered again');
    const { code } = invite('finn@example.org');
    await page.getByLabel('E-mail address').fill('finn@example.org');
    await page.getByLabel('Code').fill(code);
    await press(page, 'Sign in');
    await page.getByText('Signed in as finn@example.org.').waitFor();
    assert.equal(page.url(), `${server.http}/sign-in`);
    await page.close();
  });

  test('the command breaks within none of its options on a narrow page, and is copied as one line', async () => {
    for (const clipboard of ['there', 'missing']) {  // as it is on pages that came over plain HTTP from another machine
      const context = await browser.newContext({ viewport: { width: 320, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });
      const reader = await context.newPage();
      await reader.goto(`${server.http}/sign-in`);
      const page = await context.newPage();
      if (clipboard === 'missing') await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined }));
      await page.goto(`${server.http}/sign-in#${invite(`gus.${clipboard}@example.org`).token}`);
      await press(page, 'Sign in');
      await page.getByText('Signed in as').waitFor();
      const lines = await page.locator('code').last().evaluate(code => {
        const found = {};
        const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
          for (const { index, 0: word } of text.data.matchAll(/(?<!\S)(--[a-z]+|diaryx-sync)(?!\S)/g)) {
            const range = new Range();
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            found[word] = range.getClientRects().length;
          }
        }
        return found;
      });
      assert.deepEqual(lines, { 'diaryx-sync': 1, '--server': 1, '--token': 1, '--workspace': 1 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing stands beside the page');
      for (const [i, what] of ['token', 'command'].entries()) {
        const text = await page.locator('code').nth(i).innerText();
        await page.bringToFront();
        await press(page, `Copy the ${what}`);
        await page.getByRole('button', { name: 'Copied' }).nth(i).waitFor();
        await reader.bringToFront();
        await until('it is in the clipboard', async () => await reader.evaluate(() => navigator.clipboard.readText()) === text);
      }
      await context.close();
    }
  });

  test('without the server the page says so, and works once it is back', async () => {
    const { token } = invite('eve@example.org');
    const page = await open(token, { colorScheme: 'dark' });
    await server.stop();
    await press(page, 'Sign in');
    await page.getByText('cannot be reached').waitFor();
    await server.restart();
    await press(page, 'Sign in');
    await page.getByText('Signed in as eve@example.org.').waitFor();
    assert.deepEqual(problems, []);
    await page.close();
  });

  test('too many tries name the time to wait', async () => {
    const page = await open('x');
    await page.route('**/auth/verify', route => route.fulfill({ status: 429, headers: { 'Retry-After': '150' }, body: 'Rate limit exceeded' }));
    await press(page, 'Sign in');
    await page.getByText('Too many tries. Try again in 3 minutes.').waitFor();
    await page.close();
  });
});
