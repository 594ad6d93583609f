/** The page of errors, made from the vocabulary. `npm run schema` writes it. */
import { ERRORS } from '../platform/errors.js';

const HEAD = `# Errors

Every error of the REST API has one shape, with the status of the table:

\`\`\`json
{
  "error": "validation_error",
  "message": "email: is required",
  "details": [{ "field": "email", "message": "is required" }],
  "request_id": "01a1fca3-d761-722a-a78f-cc8e46ff432a"
}
\`\`\`

\`error\` is stable and for programs, \`message\` is for people. \`hint\` says how to recover, \`retryable\` that the same
request may succeed later, \`details\` names each bad field; \`Retry-After\` says in how many seconds to try again. The
request id is also in the \`X-Request-Id\` header and in the server's log: quote it when you report a problem.

In the graph the same error is in \`errors[]\`: \`extensions.code\` is the slug, \`extensions.http.status\` the status, and
\`hint\`, \`retryable\`, \`details\` and the other documented extras stand beside them. A resource of somebody else
answers exactly as one that does not exist.

| status | slug | what it says | what to do |
|---|---|---|---|
`;

interface Row {
  status: number;
  message: string;
  hint?: string;
  retryable?: boolean;
}

export function errorsPage(): string {
  const rows = Object.entries(ERRORS as Record<string, Row>)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([slug, { status, message, hint, retryable }]) => {
      const advice = [hint, retryable && 'Try again later.'].filter(Boolean).join(' ');
      return `| ${status} | \`${slug}\` | ${message} | ${advice} |`;
    });
  return `${HEAD}${rows.join('\n')}\n`;
}
