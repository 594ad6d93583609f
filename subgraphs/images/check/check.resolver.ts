import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import { requireInternal } from '../../../platform/scope.js';
import type { ImagesContext } from '../context.js';
import { InternalCheckedImages, InternalCheckImagesInput } from './check.type.js';

@Resolver()
export class CheckResolver {
  @Mutation(() => InternalCheckedImages, { nullable: true, description: 'Compares the bucket with the records.' })
  @Directive('@inaccessible')
  internalCheckImages(
    @Arg('input', () => InternalCheckImagesInput, { description: 'The page.' }) input: InternalCheckImagesInput,
    @Ctx() { scope, checks }: ImagesContext,
  ): Promise<InternalCheckedImages> {
    requireInternal(scope);
    const { objects, after, mend } = input;
    return objects ? checks.objects(after ?? null, mend) : checks.records(after ?? null, mend);
  }
}
