/** What a grant may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { wants } from '../../../platform/rules.js';
import { HELD_ROLES } from '../workflow/workflow.access.js';

const granteeRule = z
  .string(wants('must be a text'))
  .max(300, 'must have at most 300 characters')
  .refine((text) => text.trim() !== '', 'must not be empty')
  .describe('A user by id, e-mail address or @handle, or a team by id or @handle.')
  .meta({ examples: ['@my-team'] });

/** The member's name is the one that shipped clients send. */
export const revokeRules = z.object({ grantee_email_or_at_team_handle: granteeRule });

export const grantRules = revokeRules.extend({
  role: z
    .enum(HELD_ROLES, wants('must be view, edit or admin'))
    .describe('`view` reads, `edit` saves versions as well, `admin` shares it as well.'),
  include_history: z
    .boolean(wants('must be true or false'))
    .nullish()
    .describe('Whether versions before the current one can be seen; no when left out.'),
});
