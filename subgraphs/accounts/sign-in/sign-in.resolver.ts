import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { apiKeyView } from '../api-key/api-key.type.js';
import type { AccountsContext } from '../context.js';
import { userView } from '../user/user.type.js';
import {
  LoginInput,
  LoginPayload,
  RegisterInput,
  RegisterPayload,
  VerifyLoginInput,
  VerifyLoginPayload,
  VerifyRegistrationInput,
  VerifyRegistrationPayload,
} from './sign-in.type.js';

const CODE_REQUESTED: RegisterPayload & LoginPayload = { status: 'ok', message: 'Check your email for next steps.' };

@Resolver()
export class SignInResolver {
  @Mutation(() => RegisterPayload, { nullable: true, description: 'Mails a code with which an account is made.' })
  async register(
    @Arg('input', () => RegisterInput, { description: 'Who wants to register.' }) { email }: RegisterInput,
    @Ctx() { scope, signInService }: AccountsContext,
  ): Promise<RegisterPayload> {
    await signInService.requestCode('REGISTER', email, scope);
    return CODE_REQUESTED;
  }

  @Mutation(() => LoginPayload, { nullable: true, description: 'Mails a code to sign in with.' })
  async login(
    @Arg('input', () => LoginInput, { description: 'Who wants to sign in.' }) { email }: LoginInput,
    @Ctx() { scope, signInService }: AccountsContext,
  ): Promise<LoginPayload> {
    await signInService.requestCode('LOGIN', email, scope);
    return CODE_REQUESTED;
  }

  @Mutation(() => VerifyRegistrationPayload, {
    nullable: true,
    description: 'Trades the mailed code for a key. Makes the account at the first time.',
  })
  verifyRegistration(
    @Arg('input', () => VerifyRegistrationInput, { description: 'The code that was mailed.' })
    input: VerifyRegistrationInput,
    @Ctx() context: AccountsContext,
  ): Promise<VerifyRegistrationPayload> {
    return verify(input, context);
  }

  @Mutation(() => VerifyLoginPayload, { nullable: true, description: 'Trades the mailed code for a key.' })
  verifyLogin(
    @Arg('input', () => VerifyLoginInput, { description: 'The code that was mailed.' }) input: VerifyLoginInput,
    @Ctx() context: AccountsContext,
  ): Promise<VerifyLoginPayload> {
    return verify(input, context);
  }
}

async function verify({ email, code }: VerifyLoginInput, context: AccountsContext): Promise<VerifyLoginPayload> {
  const { user, apiKey, secret } = await context.signInService.verify(email, code);
  return { apiKey: secret, key: apiKeyView(apiKey), user: userView(user, user.userId) };
}
