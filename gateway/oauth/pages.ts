/** The pages between a client's request and the decision of whoever sits before the browser. */
import type { Resource } from '../../platform/resources.js';
import type { KeyScope } from '../../platform/scope.js';
import type { Flow } from './flow.js';
import { type Html, html, page } from './html.js';
import { PATHS } from './metadata.js';

const FAULT_ID = 'fault';

interface Field {
  name: string;
  label: string;
  /** Attributes of the input, as they stand. */
  attributes: Html;
  value?: string;
}

function field({ name, label, attributes, value = '' }: Field, fault: string | null): Html {
  const wrong = fault === null ? null : html` aria-invalid="true" aria-describedby="${FAULT_ID}"`;
  return html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" value="${value}" required autofocus ${attributes}${wrong}>
${fault === null ? null : html`<p class="fault" id="${FAULT_ID}" role="alert">${fault}</p>`}`;
}

function form(action: string, sealed: string | null, body: Html): Html {
  const flow = sealed === null ? null : html`<input type="hidden" name="flow" value="${sealed}">`;
  return html`<form method="post" action="${action}">${flow}
${body}
</form>`;
}

export function emailPage(
  base: string,
  { clientName }: Flow,
  sealed: string,
  fault: string | null,
  email = '',
): string {
  const input = {
    name: 'email',
    label: 'Your e-mail address',
    attributes: html`type="email" autocomplete="email" maxlength="320"`,
    value: email,
  };
  return page(
    'Sign in',
    html`<p><strong>${clientName}</strong> asks to use this server in your name. Sign in to decide.</p>
${form(base + PATHS.authorize, sealed, html`${field(input, fault)}<button>Send me a code</button>`)}`,
  );
}

export function codePage(base: string, { email }: Flow, sealed: string, fault: string | null): string {
  const input = {
    name: 'code',
    label: 'The six digits',
    attributes: html`inputmode="numeric" autocomplete="one-time-code" pattern="\s*[0-9]{6}\s*" maxlength="20"`,
  };
  return page(
    'Check your e-mail',
    html`<p>A code is on its way to <strong>${email ?? ''}</strong>. It can be used once.</p>
${form(
  base + PATHS.authorize,
  sealed,
  html`${field(input, fault)}<button>Sign in</button>
<button class="second" name="again" value="yes" formnovalidate>Start again</button>`,
)}`,
  );
}

const MEANINGS: Readonly<Record<KeyScope, string>> = {
  account: 'everything that you can do yourself: your profile, keys, teams, images, workflows and generators',
  generate: 'make pictures, which spends your credits, and buy credits with your saved card',
  read: 'see your jobs, their pictures, your usage and your credits',
};

const PLACES: Readonly<Record<Resource, string>> = {
  '': 'the API of this server',
  '/mcp': 'the tools of this server for agents',
  '/v2/mcp': 'the picture tools of this server for agents',
};

export function consentPage(base: string, flow: Flow, sealed: string): string {
  const { clientName, resource, scopes, answer, email } = flow;
  const shown = scopes.includes('account') ? scopes.filter((scope) => scope === 'account') : scopes;
  const where =
    answer.by === 'redirect'
      ? html`<p>The answer goes to <code>${placeOf(answer.redirectUri)}</code>. If that is not where you came from, refuse.</p>`
      : html`<p>Allow it only if the code that you typed is shown by a device of your own, before you now.</p>`;
  return page(
    `Let ${clientName} in?`,
    html`<p>You are signed in as <strong>${email ?? ''}</strong>. <strong>${clientName}</strong> asks to use ${PLACES[resource]}
to:</p>
<ul>${shown.map((scope) => html`<li>${MEANINGS[scope]}</li>`)}</ul>
<p>The name is what the application calls itself: nobody has checked it.</p>
${where}
${form(
  base + PATHS.authorize,
  sealed,
  html`<button name="decision" value="allow">Allow</button>
<button class="second" name="decision" value="deny">Refuse</button>`,
)}`,
  );
}

/** Enough to recognise it by, without the parameters of the client. */
function placeOf(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri);
  return `${protocol}//${host}`;
}

export function devicePage(base: string, userCode: string, fault: string | null): string {
  const input = {
    name: 'user_code',
    label: 'The code that your device shows',
    attributes: html`class="letters" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20"`,
    value: userCode,
  };
  return page(
    'Let a device in',
    html`<p>Type the code only if you have just asked a device or a command line of your own to sign in.</p>
${form(base + PATHS.device, null, html`${field(input, fault)}<button>Go on</button>`)}`,
  );
}

export function messagePage(title: string, text: string): string {
  return page(title, html`<p role="status">${text}</p>`);
}

export function wayBackPage(clientName: string, why: string, { href, host }: URL): string {
  return page(
    'This request cannot be served',
    html`<p><strong>${clientName}</strong> asked for something that this server does not do: ${why}</p>
<p><a href="${href}">Go back to ${host}</a>, if that is where you came from.</p>`,
  );
}
