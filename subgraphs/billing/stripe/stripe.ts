/** The one Stripe client, and what its failures mean to a caller. */
import Stripe from 'stripe';
import { Problem } from '../../../platform/errors.js';

export interface StripeSettings {
  secretKey: string;
  webhookSecret: string;
  /** Undefined: Stripe itself. */
  baseUrl: string | undefined;
}

// With its one retry a call ends before the gateway gives up on us.
const TIMEOUT_MS = 10_000;

export function openStripe({ secretKey, baseUrl }: StripeSettings): Stripe {
  const at = baseUrl === undefined ? null : new URL(baseUrl);
  return new Stripe(secretKey, {
    timeout: TIMEOUT_MS,
    maxNetworkRetries: 1,
    telemetry: false,
    ...(at && {
      protocol: at.protocol === 'https:' ? ('https' as const) : ('http' as const),
      host: at.hostname,
      port: at.port || (at.protocol === 'https:' ? '443' : '80'),
    }),
  });
}

/** Awaits an answer of Stripe; what went wrong on the way, or there, is a Problem that may be shown. */
export async function ask<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw problemOf(error) ?? error;
  }
}

/** Null: Stripe understood us and refused, which is for the one who asked to handle. */
function problemOf(error: unknown): Problem | null {
  const { errors } = Stripe;
  if (error instanceof errors.StripeCardError) {
    const authentication = error.code === 'authentication_required';
    return new Problem(authentication ? 'card_authentication_required' : 'card_declined', undefined, {
      ...(error.decline_code !== undefined && !authentication && { extra: { decline_code: error.decline_code } }),
      cause: error,
    });
  }
  if (
    error instanceof errors.StripeConnectionError ||
    error instanceof errors.StripeAPIError ||
    error instanceof errors.StripeRateLimitError ||
    error instanceof errors.StripeAuthenticationError ||
    error instanceof errors.StripePermissionError
  ) {
    return new Problem('unavailable', 'The payment service cannot be reached right now.', { cause: error });
  }
  return null;
}

/** Whether Stripe knows nothing by that id, or the thing has come to its end already. */
export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing';
}

export function isAlready(error: unknown, code: 'charge_already_refunded' | 'resource_already_exists'): boolean {
  return error instanceof Stripe.errors.StripeInvalidRequestError && error.code === code;
}

export function isInvalidRequest(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof Stripe.errors.StripeIdempotencyError
  );
}

/** Members that Stripe gives as an id, or as the object itself where it was asked to. */
export function idOf(reference: string | { id: string } | null | undefined): string | null {
  if (typeof reference === 'string') return reference;
  return reference?.id ?? null;
}

export function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000);
}
