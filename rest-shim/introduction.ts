/** The first page of the REST reference. */
export const INTRODUCTION = `The REST API of Darkroom. Each path stands for an operation of the graph at \`/graphql\`.

**Credentials.** Send an API key as \`Authorization: Bearer good_live_…\`. To get one: \`POST /v1/register\` with your
address, then \`POST /v1/register/verify\` with the code from your inbox. A key is shown once; store it at once.
Under \`/v2\` the key of a tenant (\`imgf_…\`) does as well, as far as its scopes reach, and \`X-API-Key\` as the header.
Applications can ask for an access token by OAuth 2.1: \`/.well-known/oauth-authorization-server\` tells how. A refusal for
want of a scope is \`403 forbidden\` with \`required_scope\`.

**Errors** all have one shape: \`error\` is a stable slug, \`message\` is for people, \`hint\` says how to recover,
\`details\` names each bad field, and \`request_id\` is what to quote when you report a problem. What belongs to somebody
else answers as if it did not exist.

**Lists** answer \`items\` and \`next_cursor\`. Pass \`next_cursor\` as \`cursor\` for the next page; it is null on the last
one. \`limit\` is 1 to 100, and 50 when left out.

**Limits.** Answers carry \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\`; a \`429\` also carries
\`Retry-After\`, in seconds.

**Credits.** Answers under \`/v2\` carry \`X-Quota-Warning\` once 80 % of your credits are used.`;
