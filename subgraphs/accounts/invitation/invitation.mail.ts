import type { Mail } from '../../../platform/mail.js';
import { type InvitationDoc, InvitationKind, type InvitationResource } from './invitation.model.js';

// Of the proposer only the handle is named: e-mail addresses are nobody else's business.
const WHAT: Record<InvitationKind, (resource: string) => string> = {
  TEAM_MEMBERSHIP: (resource) => `invites you to join the team ${resource}`,
  TEAM_OWNERSHIP: (resource) => `offers you the ownership of the team ${resource}`,
  WORKFLOW_OWNERSHIP: (resource) => `offers you the ownership of the workflow ${resource}`,
  TEMPLATE_OWNERSHIP: (resource) => `offers you the ownership of the template ${resource}`,
};

export interface InvitationMail {
  to: string;
  invitation: InvitationDoc;
  proposerHandle: string | null;
  publicUrl: string;
}

export function invitationMail({ to, invitation, proposerHandle, publicUrl }: InvitationMail): Mail {
  const { _id, kind, resource, expiresAt } = invitation;
  const what = WHAT[kind](nameOf(resource));
  const proposer = proposerHandle === null ? 'Somebody' : `@${proposerHandle}`;
  return {
    to,
    subject: `${proposer} ${what}`,
    text: [
      'Hello,',
      '',
      `${proposer} ${what} on Darkroom at ${publicUrl}.`,
      '',
      `Nothing happens unless you accept, which you can do until ${expiresAt.toISOString().slice(0, 10)}:`,
      '',
      `  POST ${publicUrl}/v1/invitations/${_id}/accept`,
      '',
      'To turn it down, use /decline in place of /accept, or ignore this mail.',
      '',
    ].join('\n'),
  };
}

/** Never a name in free words: a mail from us is no place for what a stranger would like to say. */
function nameOf({ id, handle, slug }: InvitationResource): string {
  return handle === null ? (slug ?? id) : `@${handle}`;
}
