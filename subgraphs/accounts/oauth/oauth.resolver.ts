import { Arg, Ctx, Directive, Field, InputType, Mutation, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { requireInternal } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import { OAUTH_CALLS, type OAuthCall, OAuthError, TokensEnded } from './oauth.contract.js';
import type { OAuthService } from './oauth.service.js';

@InputType({ description: 'Something that the gateway asks for an OAuth client.' })
@Directive('@inaccessible')
export class InternalOAuthInput {
  @Field(() => String, { description: 'The name of the call.' })
  call!: string;

  @Field(() => String, { description: 'Its input, as the contract says, in JSON.' })
  input!: string;
}

@Resolver()
export class OAuthResolver {
  @Mutation(() => String, { description: 'The answer to a call of the OAuth contract, or how it is refused, in JSON.' })
  @Directive('@inaccessible')
  async internalOAuth(
    @Arg('input', () => InternalOAuthInput, { description: 'The call.' }) { call, input }: InternalOAuthInput,
    @Ctx() { scope, oauth }: AccountsContext,
  ): Promise<string> {
    requireInternal(scope);
    if (!Object.hasOwn(OAUTH_CALLS, call)) throw Problem.invalid('call', 'is not in the contract');
    try {
      return JSON.stringify(await answer(oauth, call as OAuthCall, JSON.parse(input)));
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      const userId = error instanceof TokensEnded ? error.userId : null;
      return JSON.stringify({ refused: { code: error.code, description: error.message, userId } });
    }
  }
}

function answer<C extends OAuthCall>(oauth: OAuthService, call: C, input: unknown): Promise<unknown> {
  const parsed = OAUTH_CALLS[call].input.safeParse(input);
  if (!parsed.success) throw new OAuthError('invalid_request', 'A value is too long or not of its kind.');
  const run = oauth[call] as (input: unknown) => Promise<unknown>;
  return run(parsed.data);
}
