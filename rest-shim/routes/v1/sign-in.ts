import { z } from 'zod';
import { type Route, route } from '../../route.js';

const email = z
  .string()
  .max(320)
  .describe('Your e-mail address.')
  .meta({ examples: ['you@example.com'] });
const code = z
  .string()
  .max(20)
  .describe('The six digits from your inbox.')
  .meta({ examples: ['123456'] });

export const signIn: Route[] = [
  route({
    method: 'POST',
    path: '/v1/register',
    tag: 'Registration',
    id: 'register',
    summary: 'Ask for a sign-up code',
    description: 'The answer is the same for every address, so that nobody can learn who has an account.',
    auth: 'none',
    body: z.object({ email }),
    status: 202,
    operation: 'mutation Register($input: RegisterInput!) { register(input: $input) { status message } }',
    variables: ({ body }) => ({ input: { email: body.email } }),
    errors: ['validation_error', 'rate_limited'],
  }),
  route({
    method: 'POST',
    path: '/v1/register/verify',
    tag: 'Registration',
    id: 'registerVerify',
    summary: 'Trade the sign-up code for an API key',
    description: 'Makes the account on first success. The key is shown this once.',
    auth: 'none',
    body: z.object({ email, code }),
    status: 200,
    operation: `mutation VerifyRegistration($input: VerifyRegistrationInput!) {
      verifyRegistration(input: $input) { api_key: apiKey }
    }`,
    variables: ({ body }) => ({ input: { email: body.email, code: body.code } }),
    errors: ['validation_error', 'invalid_credentials', 'account_suspended', 'rate_limited'],
  }),
  route({
    method: 'POST',
    path: '/v1/login',
    tag: 'Registration',
    id: 'login',
    summary: 'Ask for a sign-in code',
    description: 'The answer is the same for every address, so that nobody can learn who has an account.',
    auth: 'none',
    body: z.object({ email }),
    status: 202,
    operation: 'mutation Login($input: LoginInput!) { login(input: $input) { status message } }',
    variables: ({ body }) => ({ input: { email: body.email } }),
    errors: ['validation_error', 'rate_limited'],
  }),
  route({
    method: 'POST',
    path: '/v1/login/verify',
    tag: 'Registration',
    id: 'loginVerify',
    summary: 'Trade the sign-in code for an API key',
    description: 'The key is shown this once.',
    auth: 'none',
    body: z.object({ email, code }),
    status: 200,
    operation: `mutation VerifyLogin($input: VerifyLoginInput!) {
      verifyLogin(input: $input) { api_key: apiKey }
    }`,
    variables: ({ body }) => ({ input: { email: body.email, code: body.code } }),
    errors: ['validation_error', 'invalid_credentials', 'account_suspended', 'rate_limited'],
  }),
];
