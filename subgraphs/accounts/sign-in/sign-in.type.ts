import { Field, InputType, ObjectType } from 'type-graphql';
import { ApiKey } from '../api-key/api-key.type.js';
import { User } from '../user/user.type.js';

@InputType({ description: 'Who wants to register.' })
export class RegisterInput {
  @Field(() => String, { description: 'The e-mail address to send a code to.' })
  email!: string;
}

@InputType({ description: 'Who wants to sign in.' })
export class LoginInput {
  @Field(() => String, { description: 'The e-mail address of the account.' })
  email!: string;
}

@ObjectType()
class CodeRequested {
  @Field(() => String, { description: 'Always "ok".' })
  status!: string;

  @Field(() => String, { description: 'What to do next.' })
  message!: string;
}

const SAME_ANSWER = 'The same answer whether or not the address has an account.';

@ObjectType({ description: SAME_ANSWER })
export class RegisterPayload extends CodeRequested {}

@ObjectType({ description: SAME_ANSWER })
export class LoginPayload extends CodeRequested {}

@InputType()
class MailedCode {
  @Field(() => String, { description: 'The e-mail address that the code was sent to.' })
  email!: string;

  @Field(() => String, { description: 'The six digits.' })
  code!: string;
}

@InputType({ description: 'The code that was mailed to register.' })
export class VerifyRegistrationInput extends MailedCode {}

@InputType({ description: 'The code that was mailed to sign in.' })
export class VerifyLoginInput extends MailedCode {}

@ObjectType()
class SignedIn {
  @Field(() => String, { description: 'The key itself. Store it: it cannot be shown again.' })
  apiKey!: string;

  @Field(() => ApiKey, { description: 'What can be seen of the key from now on.' })
  key!: ApiKey;

  @Field(() => User, { description: 'Who is signed in.' })
  user!: User;
}

const SIGNED_IN = 'A signed-in user with a new key.';

@ObjectType({ description: SIGNED_IN })
export class VerifyRegistrationPayload extends SignedIn {}

@ObjectType({ description: SIGNED_IN })
export class VerifyLoginPayload extends SignedIn {}
