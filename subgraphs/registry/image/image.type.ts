import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A hosted image. Its bytes are at `url`.' })
@Directive('@key(fields: "id", resolvable: false)')
export class Image {
  @Field(() => ID, { description: 'The management id.' })
  id!: string;
}
