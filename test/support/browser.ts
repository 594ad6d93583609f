/** A browser without scripts: it keeps cookies, follows forms, and reads pages as somebody would. */
export interface Page {
  url: string;
  status: number;
  headers: Headers;
  text: string;
  /** Where it sends its form. */
  action: string;
  /** What the form holds before anybody types. */
  fields: Record<string, string>;
  /** Set on an answer that leads away from this server. */
  location: string | null;
}

export class Browser {
  readonly #cookies = new Map<string, string>();

  async open(url: string): Promise<Page> {
    return this.#read(url, await fetch(url, { headers: this.#headers(), redirect: 'manual' }));
  }

  /** Types into a page's form and presses its button. */
  async send(page: Page, typed: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    const url = new URL(page.action, page.url).href;
    const body = new URLSearchParams({ ...page.fields, ...typed });
    const sent = { ...this.#headers(), 'sec-fetch-site': 'same-origin', ...headers };
    return this.#read(url, await fetch(url, { method: 'POST', headers: sent, body, redirect: 'manual' }));
  }

  forgetCookies(): void {
    this.#cookies.clear();
  }

  #headers(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return cookie === '' ? {} : { cookie };
  }

  async #read(url: string, response: Response): Promise<Page> {
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
      this.#cookies.set(name, value);
    }
    const text = await response.text();
    const fields: Record<string, string> = {};
    for (const [tag] of text.matchAll(/<input[^>]*>/g)) {
      const [, name = ''] = /name="([^"]*)"/.exec(tag) ?? [];
      const [, value = ''] = /value="([^"]*)"/.exec(tag) ?? [];
      fields[name] = value;
    }
    const action = /<form method="post" action="([^"]*)"/.exec(text)?.[1] ?? '';
    const { status, headers } = response;
    return { url, status, headers, text, action, fields, location: headers.get('location') };
  }
}
