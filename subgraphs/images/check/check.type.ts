import { Directive, Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Checked } from './check.service.js';

@InputType({ description: 'A page of a check of the bucket against the records.' })
@Directive('@inaccessible')
export class InternalCheckImagesInput {
  @Field(() => Boolean, { description: 'True looks for objects without a record, false for images without an object.' })
  objects!: boolean;

  @Field(() => String, { nullable: true, description: 'Where the page before ended.' })
  after?: string | null;

  @Field(() => Boolean, { description: 'Whether what is found is cleared away.' })
  mend!: boolean;
}

@ObjectType({ description: 'What a page of a check found.' })
@Directive('@inaccessible')
export class InternalCheckedImages implements Checked {
  @Field(() => Int, { description: 'How many were looked at.' })
  checked!: number;

  @Field(() => [String], { description: 'Keys of objects without a record, or ids of images without an object.' })
  found!: string[];

  @Field(() => String, { nullable: true, description: 'Where the next page begins; null at the end.' })
  next!: string | null;
}
