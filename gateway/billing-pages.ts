/** Where people land when they come back from the payment service's own pages. */
import type { FastifyInstance } from 'fastify';

const PAGES: Readonly<Record<string, { title: string; text: string }>> = {
  '/billing/success': {
    title: 'Thank you',
    text: 'Your payment was received. Credits and plan are on your account within a moment. You can close this page.',
  },
  '/billing/cancelled': {
    title: 'Nothing was bought',
    text: 'You left the payment page, and nothing was charged. You can close this page.',
  },
  '/billing/done': {
    title: 'All set',
    text: 'Changes to your card or plan take effect within a moment. You can close this page.',
  },
};

const CSP =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function mountBillingPages(app: FastifyInstance): void {
  for (const [path, { title, text }] of Object.entries(PAGES)) {
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>body{font:1.1rem/1.6 system-ui;max-width:36rem;margin:20vh auto;padding:0 1rem}</style>
<h1>${title}</h1><p>${text}</p></html>
`;
    app.get(path, (_request, reply) =>
      reply.header('content-security-policy', CSP).type('text/html; charset=utf-8').send(html),
    );
  }
}
