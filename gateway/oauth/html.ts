/** Pages without scripts. Whatever is put into one is text, unless it was made by this function itself. */
import { createHash } from 'node:crypto';

export class Html {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

type Part = string | Html | readonly Html[] | null;

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.reduce((source, string, i) => source + string + (i < parts.length ? render(parts[i]) : ''), ''),
  );
}

function render(part: Part | undefined): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.source;
  return typeof part === 'string' ? escaped(part) : part.map(({ source }) => source).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1f; --page: #f4f4f6; --card: #fff; --line: #8a8a94; --accent: #1f4fd8;
  --on-accent: #fff; --fault: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececf1; --page: #17171b; --card: #222228; --line: #8a8a94; --accent: #9db7ff; --on-accent: #101526;
    --fault: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 27rem; background: var(--card); border-radius: .75rem; padding: 2rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
input { width: 100%; font: inherit; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--card); color: var(--text); }
input[inputmode="numeric"], .letters { letter-spacing: .2em; font-size: 1.2rem; }
button { font: inherit; font-weight: 600; padding: .6rem 1.1rem; margin: 1.25rem .5rem 0 0; border-radius: .4rem;
  border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); cursor: pointer; }
button.second { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.fault { color: var(--fault); font-weight: 600; }
code { overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Darkroom</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.source;
}

/** Browsers hold a form's answer to form-action as well, so a page that ends at a client's address has to name it. */
export function pageHeaders(formTarget: string | null): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self'${formTarget === null ? '' : ` ${formTarget}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
  };
}

/** What a policy calls the place of a client's address. */
export function formTargetOf(redirectUri: string): string {
  const { protocol, origin, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && protocol !== 'http:') return protocol;
  // Policies have no name for an IPv6 address.
  return hostname.startsWith('[') ? protocol : origin;
}
