/** The one error vocabulary. Each edge (REST, GraphQL, CLI, MCP) renders a Problem once; nothing else reaches a caller. */

interface ErrorKind {
  status: number;
  /** Shown when the thrower has nothing more precise to say. */
  message: string;
  retryable?: boolean;
  hint?: string;
}

export const ERRORS = {
  validation_error: { status: 400, message: 'The request is not valid.' },
  handle_invalid: {
    status: 400,
    message: 'A handle is 3 to 40 characters of a-z, 0-9 and hyphens, and starts and ends with a letter or digit.',
  },
  auth_required: {
    status: 401,
    message: 'Missing or invalid credentials.',
    hint: 'Send an API key as "Authorization: Bearer good_live_…". POST /v1/register makes an account.',
  },
  invalid_credentials: { status: 401, message: 'The code is wrong, expired or already used.' },
  budget_exhausted: { status: 402, message: 'The credit balance is spent.' },
  anonymous_daily_cap: {
    status: 402,
    message:
      'Callers without an account have spent what they may on one day, all together. It starts anew at 00:00 UTC.',
    hint: 'Make an account with POST /v1/register to go on at once.',
  },
  card_declined: {
    status: 402,
    message: 'The saved card was declined.',
    hint: 'Change the card with POST /v2/billing/portal, or pay with POST /v2/billing/checkout; then use a new idempotencyKey.',
  },
  card_authentication_required: {
    status: 402,
    message: 'The bank asks the holder of the card to confirm this payment.',
    hint: 'Pay on a page with POST /v2/billing/checkout, where the bank can ask.',
  },
  card_missing: {
    status: 402,
    message: 'This account has no saved card.',
    hint: 'Buy once with POST /v2/billing/checkout: the card is saved for later purchases.',
  },
  account_suspended: { status: 403, message: 'This account is suspended.' },
  forbidden: { status: 403, message: 'You do not have the role that this needs.' },
  not_found: { status: 404, message: 'Not found.' },
  image_not_found: { status: 404, message: 'No such image.' },
  user_not_found: { status: 404, message: 'No such user.' },
  method_not_allowed: { status: 405, message: 'This path does not support that method.' },
  not_acceptable: { status: 406, message: 'None of the media types in Accept can be produced here.' },
  request_timeout: { status: 408, message: 'The request took too long to arrive.', retryable: true },
  conflict: { status: 409, message: 'The request conflicts with the current state.' },
  handle_taken: { status: 409, message: 'That handle is taken.' },
  handle_reserved: { status: 409, message: 'That handle is reserved.' },
  handle_already_claimed: {
    status: 409,
    message: 'You already have a handle.',
    hint: 'Use POST /v1/me/rename-handle to change it.',
  },
  handle_not_claimed: {
    status: 409,
    message: 'This needs a claimed handle.',
    hint: 'Claim one with PATCH /v1/me {"handle": "…"}.',
  },
  invitation_already_resolved: { status: 409, message: 'The invitation was already accepted, declined or cancelled.' },
  invitation_already_pending: { status: 409, message: 'An equivalent invitation is already pending.' },
  invitation_expired: { status: 410, message: 'The invitation has expired.' },
  file_too_large: { status: 413, message: 'The picture is too large.' },
  payload_too_large: { status: 413, message: 'The request body is too large.' },
  unsupported_image_type: {
    status: 415,
    message: 'The bytes are not a PNG, JPEG, WebP or GIF picture.',
    hint: 'The type is read from the bytes; the name and the declared type play no part.',
  },
  unsupported_media_type: { status: 415, message: 'The media type of the request body is not supported here.' },
  range_not_satisfiable: { status: 416, message: 'The range begins behind the last byte.' },
  safety_verification_failed: { status: 422, message: 'The template must not be published as it is.' },
  quota_exceeded: { status: 422, message: 'A quota of this account is used up.' },
  headers_too_large: { status: 431, message: 'The request headers are too large.' },
  rate_limited: { status: 429, message: 'Too many requests.', retryable: true },
  quota_exhausted: { status: 429, message: 'The credits of this account are used up.' },
  handle_rename_too_soon: { status: 429, message: 'A handle can be renamed once in 90 days.' },
  handle_rename_limit_exceeded: { status: 429, message: 'A handle can be renamed three times in a calendar year.' },
  cancelled: { status: 499, message: 'The caller has called it off.' },
  internal_error: {
    status: 500,
    message: 'Something went wrong on our side. Quote the request id when you report it.',
  },
  billing_not_configured: { status: 503, message: 'Purchases are not set up on this installation.' },
  safety_verification_unavailable: {
    status: 503,
    message: 'The safety check before publishing could not be done. Nothing was published.',
    retryable: true,
  },
  search_unavailable: {
    status: 503,
    message: 'Search by meaning cannot be done right now. The list with search= compares words, and always works.',
    retryable: true,
  },
  verifier_unavailable: { status: 503, message: 'No judge can be reached right now.', retryable: true },
  unavailable: { status: 503, message: 'A part of the service cannot be reached right now.', retryable: true },
} as const satisfies Record<string, ErrorKind>;

export type ErrorSlug = keyof typeof ERRORS;

export interface FieldIssue {
  /** Where the bad value stands, in the caller's own names: "email", "body.tags.3". */
  field: string;
  message: string;
}

export interface ProblemOptions {
  hint?: string;
  /** One entry per bad field, for validation errors. */
  details?: readonly FieldIssue[];
  retryAfterSeconds?: number;
  /** Documented extra members of the error body, such as current_version_token. */
  extra?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** What an edge puts into its answer; also how a problem travels between processes. */
export interface ProblemBody {
  error: ErrorSlug;
  message: string;
  hint?: string;
  retryable?: boolean;
  details?: readonly FieldIssue[];
  retry_after?: number;
  [extra: string]: unknown;
}

/** An error that was raised on purpose and may be shown to the caller. Anything else is an internal error. */
export class Problem extends Error {
  readonly slug: ErrorSlug;
  readonly options: ProblemOptions;

  constructor(slug: ErrorSlug, message?: string, options: ProblemOptions = {}) {
    super(message ?? ERRORS[slug].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.slug = slug;
    this.options = options;
  }

  get status(): number {
    return ERRORS[this.slug].status;
  }

  toBody(): ProblemBody {
    const kind: ErrorKind = ERRORS[this.slug];
    const { details, retryAfterSeconds, extra } = this.options;
    const hint = this.options.hint ?? kind.hint;
    return {
      ...extra,
      error: this.slug,
      message: this.message,
      ...(hint !== undefined && { hint }),
      ...(kind.retryable && { retryable: true }),
      ...(details && { details }),
      ...(retryAfterSeconds !== undefined && { retry_after: retryAfterSeconds }),
    };
  }

  static invalid(field: string, message: string): Problem {
    return new Problem('validation_error', `${field}: ${message}`, { details: [{ field, message }] });
  }

  /** The reverse of toBody(), for an answer that another process gave. */
  static fromBody({ error, message, hint, retryable: _, details, retry_after, ...extra }: ProblemBody): Problem {
    return new Problem(error, message, {
      ...(hint !== undefined && { hint }),
      ...(details && { details }),
      ...(retry_after !== undefined && { retryAfterSeconds: retry_after }),
      ...(Object.keys(extra).length > 0 && { extra }),
    });
  }
}

export function isErrorSlug(value: unknown): value is ErrorSlug {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}
