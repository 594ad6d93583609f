import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import type { GrantDoc } from './grant.model.js';

export enum AccessScope {
  ACCOUNT = 'ACCOUNT',
  GENERATE = 'GENERATE',
  READ = 'READ',
}

registerEnumType(AccessScope, {
  name: 'AccessScope',
  description: 'What an application may do in the name of who let it in.',
  valuesConfig: {
    ACCOUNT: { description: 'Everything that its user may do.' },
    GENERATE: { description: 'Make pictures, and buy credits with the saved card.' },
    READ: { description: 'See jobs and their pictures, usage and credits.' },
  },
});

@ObjectType({ description: 'An application or device that was let in, and goes on using the account.' })
export class ConnectedApplication {
  @Field(() => ID, { description: 'The id of this connection.' })
  id!: string;

  @Field(() => String, { description: 'What the application calls itself.' })
  name!: string;

  @Field(() => [AccessScope], { description: 'What it may do.' })
  scopes!: AccessScope[];

  @Field(() => String, { description: 'The address that it may use.' })
  resource!: string;

  @Field(() => Date, { description: 'When it was let in.' })
  createdAt!: Date;
}

export function applicationView({ _id, scopes, resource, createdAt }: GrantDoc, name: string, publicUrl: string) {
  const shown = scopes.map((scope) => AccessScope[scope.toUpperCase() as keyof typeof AccessScope]);
  return { id: _id, name, scopes: shown, resource: publicUrl + resource, createdAt };
}

export const ConnectedApplicationConnection = connectionType('ConnectedApplication', () => ConnectedApplication);

@InputType({ description: 'The connection to end.' })
export class DisconnectApplicationInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}

@ObjectType({ description: 'An application whose tokens are worth nothing any more.' })
export class DisconnectApplicationPayload {
  @Field(() => ID, { description: 'The id of the connection.' })
  id!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  disconnected!: boolean;
}
