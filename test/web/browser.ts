/** Chromium for the page tests, and a watch on what no page may do. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { describe } from 'vitest';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const present = existsSync(executablePath);

/** Skips, and says why, where there is no browser. */
export function describeInBrowser(name: string, body: () => void): void {
  describe.skipIf(!present)(present ? name : `${name} (no Chromium at ${executablePath}: set CHROMIUM_PATH)`, body);
}

export function launch(): Promise<Browser> {
  const quiet = ['disable-background-networking', 'disable-component-update', 'disable-sync', 'no-first-run'];
  const args = ['no-sandbox', 'disable-gpu', 'disable-quic', ...quiet].map((flag) => `--${flag}`);
  return chromium.launch({ executablePath, args });
}

export interface Watched {
  page: Page;
  /** Requests to other hosts, violations of the policy, errors and warnings in the console. */
  faults: string[];
  close(): Promise<void>;
}

export async function openPage(browser: Browser, origin: string, options?: BrowserContextOptions): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  // A machine that is busy with other tests draws slowly.
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  context.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (to !== origin && protocol !== 'data:' && protocol !== 'blob:') faults.push(`request to ${request.url()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  await page.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) => {
      console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI);
    });`,
  });
  return { page, faults, close: () => context.close() };
}
