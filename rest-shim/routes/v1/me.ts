import { z } from 'zod';
import { type Route, route } from '../../route.js';

const handle = z
  .string()
  .max(200)
  .describe('3 to 40 of a-z, 0-9 and -.')
  .meta({ examples: ['yourhandle'] });

export const me: Route[] = [
  route({
    method: 'GET',
    path: '/v1/me',
    tag: 'Account',
    id: 'getMe',
    summary: 'Your account',
    auth: 'required',
    status: 200,
    operation: 'query Me { me { id email handle handle_claimed_at: handleClaimedAt } }',
    errors: [],
  }),
  route({
    method: 'PATCH',
    path: '/v1/me',
    tag: 'Account',
    id: 'claimHandle',
    summary: 'Claim a handle',
    description: 'Users and teams share one namespace. To change a claimed handle, rename it.',
    auth: 'required',
    body: z.object({ handle }),
    status: 200,
    operation: `mutation ClaimHandle($input: ClaimHandleInput!) {
      claimHandle(input: $input) {
        handle claimed_at: claimedAt _: user { id email handle_claimed_at: handleClaimedAt }
      }
    }`,
    variables: ({ body }) => ({ input: { handle: body.handle } }),
    errors: ['validation_error', 'handle_invalid', 'handle_taken', 'handle_reserved', 'handle_already_claimed'],
  }),
  route({
    method: 'POST',
    path: '/v1/me/rename-handle',
    tag: 'Account',
    id: 'renameHandle',
    summary: 'Rename your handle',
    description:
      'Once in 90 days and three times in a calendar year. The old handle stays yours for 90 days; taking it back in ' +
      'that time is free of both limits.',
    auth: 'required',
    body: z.object({ handle }),
    status: 200,
    operation: `mutation RenameHandle($input: RenameHandleInput!) {
      renameHandle(input: $input) { handle claimed_at: claimedAt renamed self_reclaim: selfReclaim }
    }`,
    variables: ({ body }) => ({ input: { handle: body.handle } }),
    errors: [
      'validation_error',
      'handle_invalid',
      'handle_taken',
      'handle_reserved',
      'handle_not_claimed',
      'handle_rename_too_soon',
      'handle_rename_limit_exceeded',
      'conflict',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/me/usage',
    tag: 'Account',
    id: 'getUsage',
    summary: 'Your usage',
    description:
      'The billing month, counted from sign-up: what was granted, used and is left of it, in dollars exact to the ' +
      'millionth. `available_usd` is what a run may cost right now.',
    auth: 'required',
    status: 200,
    operation: `query Usage {
      usage {
        _: tier { tier: slug }
        period_start: periodStart
        period_end: periodEnd
        granted_usd: grantedUsd
        used_usd: usedUsd
        remaining_usd: remainingUsd
        available_usd: availableUsd
        monthly_remaining_usd: monthlyRemainingUsd
        monthly_refill_usd: monthlyRefillUsd
        monthly_refill_at: monthlyRefillAt
        purchased_remaining_usd: purchasedRemainingUsd
        unpaid_balance_usd: unpaidBalanceUsd
      }
    }`,
    errors: [],
  }),
];
