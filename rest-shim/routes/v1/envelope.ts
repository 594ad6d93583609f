/** The fields of an invitation as every path of /v1 shows them. */
export const ENVELOPE = `
  invitation_id: id kind state
  resource { type id handle slug }
  proposer { user_id: id handle }
  recipient { user_id: id handle }
  created_at: createdAt expires_at: expiresAt resolved_at: resolvedAt`;

type Body = Record<string, unknown>;

/** What was offered, beside the invitation as every path shows it. */
export function withOffered({ offered, ...body }: Body): Body {
  const { owner, ...thing } = offered as Body;
  return { ...body, ...thing, owner_user_id: (owner as { id: string }).id };
}
