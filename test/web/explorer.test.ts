import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeInBrowser, launch, openPage, type Watched } from './browser.js';
import { BAD_KEY_MESSAGE, GOOD_KEY, openSite, type Site } from './site.js';

const SLOT = 'darkroom:api-key';

describeInBrowser('the GraphQL explorer', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), launch()]);
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  beforeEach(() => {
    site.seen.length = 0;
  });

  async function open(options?: Parameters<typeof openPage>[2]): Promise<Watched> {
    const watched = await openPage(browser, site.origin, options);
    await watched.page.goto(`${site.origin}/graphql`);
    await watched.page.locator('.graphiql-query-editor .view-line').first().waitFor();
    return watched;
  }

  /** Monaco writes non-breaking spaces. */
  const result = async (page: Page) =>
    (await page.locator('.graphiql-response').textContent())?.replaceAll('\u00a0', ' ');

  const press = (page: Page) => page.getByRole('button', { name: /^Execute query/ }).click();

  it('runs its first example as it is, and asks nothing of any other host', async () => {
    const { page, faults, close } = await open();
    await press(page);
    await expect.poll(() => result(page)).toContain('"__typename": "Query"');
    const workers = page.workers().map((worker) => new URL(worker.url()));
    expect(workers.length).toBeGreaterThan(0);
    expect(workers.every(({ origin, pathname }) => origin === site.origin && pathname.startsWith('/assets/'))).toBe(
      true,
    );
    expect(site.seen.every(({ contentType }) => contentType === 'application/json')).toBe(true);
    expect(site.seen.some(({ authorization }) => authorization)).toBe(false);
    expect(faults).toEqual([]);
    await close();
  });

  it('runs from the keyboard', async () => {
    const { page, faults, close } = await open();
    await page.locator('.graphiql-query-editor .view-line').first().click();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => result(page)).toContain('"__typename": "Query"');
    expect(faults).toEqual([]);
    await close();
  });

  it('sends the API key, names its owner, and keeps it in this tab only', async () => {
    const { page, faults, close } = await open();
    await page.getByLabel('API key').fill(`Bearer ${GOOD_KEY}`);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as ana').waitFor();

    await page.getByRole('button', { name: 'Me', exact: true }).click();
    // GraphiQL learns the operation's name of a new tab a moment after it shows the tab.
    const pressed = async () => {
      await press(page);
      await page.waitForTimeout(500);
      return result(page);
    };
    await expect.poll(pressed, { interval: 500 }).toContain('"handle": "ana"');
    const run = site.seen.find(({ query }) => query?.includes('query Me'));
    expect(run).toMatchObject({ authorization: `Bearer ${GOOD_KEY}`, contentType: 'application/json' });

    expect(await page.evaluate(`sessionStorage.getItem('${SLOT}')`)).toBe(GOOD_KEY);
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(GOOD_KEY);
    expect(faults).toEqual([]);
    await close();
  });

  it('remembers the key when asked to, until it is told to forget it', async () => {
    const { page, close } = await open();
    await page.getByLabel('API key').fill(GOOD_KEY);
    await page.getByLabel('Remember').check();
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('Signed in as ana').waitFor();

    const later = await page.context().newPage();
    await later.goto(`${site.origin}/graphql`);
    await later.getByText('Signed in as ana').waitFor();
    await later.getByRole('button', { name: 'Forget' }).click();
    await later.getByText('No key: public data only').waitFor();
    expect(await later.evaluate('JSON.stringify([localStorage, sessionStorage])')).not.toContain(GOOD_KEY);
    await close();
  });

  it("says what is wrong with a key in the server's words", async () => {
    const { page, close } = await open();
    await page.getByLabel('API key').fill('dk_revoked');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('status').textContent()).toBe(BAD_KEY_MESSAGE);
    expect(await page.getByLabel('API key').getAttribute('aria-invalid')).toBe('true');

    await page.getByLabel('API key').fill('schlüssel');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('status').textContent()).toContain('no spaces or special characters');
    await close();
  });

  it('watches a subscription until it is told to stop, with the key', async () => {
    const { page, faults, close } = await open({ viewport: { width: 1300, height: 800 } });
    await page.getByLabel('API key').fill(GOOD_KEY);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as ana').waitFor();
    await page.getByRole('button', { name: /^Watch your jobs/ }).click();
    await page.getByRole('button', { name: 'WatchJobs', exact: true }).waitFor();
    await expect.poll(() => page.locator('.graphiql-query-editor').textContent()).toContain('jobsUpdated');
    await press(page);
    await expect.poll(() => result(page), { timeout: 20_000 }).toContain('"state": "COMPLETED"');
    expect(site.seen.filter(({ method }) => method === 'WS')).toEqual([
      { method: 'WS', url: '/graphql', authorization: `Bearer ${GOOD_KEY}` },
    ]);
    expect(site.counting.open).toBe(1);
    await page.getByRole('button', { name: /^Stop query/ }).click();
    await expect.poll(() => site.counting.open).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  it('shows the schema beside the query', async () => {
    const { page, faults, close } = await open();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByRole('link', { name: 'Query', exact: true }).click();
    await page.getByText('The account that the key belongs to.').first().waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it.each([
    { colorScheme: 'light', page: 'rgb(250, 248, 246)' },
    { colorScheme: 'dark', page: 'rgb(21, 18, 17)' },
  ] as const)('is $colorScheme where the system is', async ({ colorScheme, page: colour }) => {
    const { page, close } = await open({ colorScheme });
    await expect.poll(() => page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(colour);
    await close();
  });

  it('fits a narrow window, with the result below the query', async () => {
    const { page, faults, close } = await open({ viewport: { width: 400, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    const [query, response] = await Promise.all(
      ['.graphiql-editors', '.graphiql-response'].map((selector) => page.locator(selector).boundingBox()),
    );
    expect(response?.y).toBeGreaterThanOrEqual((query?.y ?? 0) + (query?.height ?? 0));
    expect(response?.width).toBeGreaterThan(300);

    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: /^Who am I/ }).click();
    await expect.poll(() => page.locator('.graphiql-query-editor').textContent()).toContain('Me');
    expect(await page.getByRole('heading', { name: 'Examples' }).count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });
});
