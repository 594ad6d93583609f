import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { User } from '../user/user.type.js';
import type { GeneratorDocument } from './generator.model.js';

@ObjectType({ description: 'A deployed image generator: a model and its default parameters under a name.' })
@Directive('@key(fields: "id")')
export class ImageGenerator {
  @Field(() => ID, { description: 'Id of the generator.' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique for its owner.' })
  name!: string;

  @Field(() => String, { description: 'What it is for.' })
  description!: string;

  @Field(() => String, { description: 'The model that draws.' })
  model!: string;

  @Field(() => Int, { description: 'The version that runs when none is named.' })
  currentVersion!: number;

  @Field(() => Date, { description: 'When it was first deployed.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When it was last deployed.' })
  updatedAt!: Date;

  @Field(() => User, { description: 'Whose generator it is.' })
  owner!: User;
}

export const ImageGeneratorConnection = connectionType('ImageGenerator', () => ImageGenerator);

export function generatorView({ _id, ownerId, status: _, ...fields }: GeneratorDocument): ImageGenerator {
  return { ...fields, id: PlainId.format(_id), owner: { id: UserId.format(ownerId) } };
}
