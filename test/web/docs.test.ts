import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeInBrowser, launch, openPage, type Watched } from './browser.js';
import { GOOD_KEY, openSite, type Site } from './site.js';

describeInBrowser('the REST reference', () => {
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

  async function open(suffix = '', options?: Parameters<typeof openPage>[2]): Promise<Watched> {
    const watched = await openPage(browser, site.origin, options);
    await watched.page.goto(`${site.origin}/v1/docs${suffix}`);
    await watched.page.getByText('Images, kept well.').or(watched.page.getByText('/v1/photos/')).first().waitFor();
    return watched;
  }

  async function tryReading(page: Page) {
    await page.getByRole('link', { name: 'Read a photo' }).click();
    await page.locator('[data-pname="id"]').fill('p_7');
    await page.getByRole('button', { name: 'EXECUTE' }).click();
    await page.getByText('"Dusk"').first().waitFor();
  }

  it('shows the operations of an OpenAPI 3.1 document, and asks nothing of any other host', async () => {
    const { page, faults, close } = await open();
    await page.getByRole('link', { name: 'Read a photo' }).click();
    await page.getByText('/v1/photos/{id}', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'MODEL' }).last().click();
    await page.getByText('What it is called.').waitFor();
    await page.getByRole('link', { name: 'Delete a photo' }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('sends the API key with what is tried, to the origin of the page', async () => {
    const { page, faults, close } = await open();
    await page.getByLabel('API key').fill(GOOD_KEY);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as ana').waitFor();
    await tryReading(page);
    expect(site.seen.at(-1)).toMatchObject({
      method: 'GET',
      url: '/v1/photos/p_7',
      authorization: `Bearer ${GOOD_KEY}`,
    });

    await page.getByRole('button', { name: 'Forget' }).click();
    await page.getByRole('button', { name: 'EXECUTE' }).click();
    await expect.poll(() => site.seen.at(-1)?.authorization).toBeUndefined();
    expect(faults).toEqual([]);
    await close();
  });

  it('has the key that was entered in the explorer', async () => {
    const { page, close } = await open();
    await page.evaluate(`sessionStorage.setItem('darkroom:api-key', '${GOOD_KEY}')`);
    await page.reload();
    await page.getByText('Signed in as ana').waitFor();
    await close();
  });

  it('takes no token from its address', async () => {
    const state = Buffer.from(JSON.stringify({ apiKeyId: 'apiKey' })).toString('base64url');
    const { page, faults, close } = await open(`?state=${state}&token_type=Bearer&access_token=of-someone-else`);
    expect(page.url()).not.toContain('of-someone-else');
    await tryReading(page);
    expect(site.seen.at(-1)?.authorization).toBeUndefined();
    expect(faults).toEqual([]);
    await close();
  });

  it('opens at the operation that its address names', async () => {
    const { page, close } = await open('#?route=get-/v1/photos/-id-');
    await page.getByRole('heading', { name: 'Read a photo' }).waitFor();
    await close();
  });

  it('fits a narrow window', async () => {
    const { page, faults, close } = await open('', { viewport: { width: 400, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    expect(faults).toEqual([]);
    await close();
  });
});
