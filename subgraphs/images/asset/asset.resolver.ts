import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import { UserId } from '../../../platform/ids.js';
import { parseAssetId } from '../asset-client.js';
import type { ImagesContext } from '../context.js';
import { User } from '../user/user.type.js';
import { Asset, assetView } from './asset.type.js';

@Resolver(() => Asset)
export class AssetResolver {
  @Query(() => Asset, {
    nullable: true,
    description: 'An output of a job, by the hash of its bytes. Like those it is open to everybody who knows the hash.',
  })
  @NeedsScope('read')
  async asset(
    @Arg('id', () => ID, { description: 'The SHA-256 of the bytes in hexadecimal.' }) id: string,
    @Ctx() context: ImagesContext,
  ): Promise<Asset> {
    const asset = await referencedAsset(id, context);
    if (!asset) throw new Problem('not_found', 'No such asset.');
    return asset;
  }

  @FieldResolver(() => User)
  async owner(@Root() { id }: Asset, @Ctx() { scope, assetOwnershipLoader }: ImagesContext): Promise<User | null> {
    const { caller } = scope;
    if (!caller || !(await assetOwnershipLoader.load(id))) return null;
    return { id: UserId.format(caller.userId) };
  }
}

export async function referencedAsset(text: string, { assetLoader, publicUrl }: ImagesContext): Promise<Asset | null> {
  const id = parseAssetId(text);
  const asset = id === null ? null : await assetLoader.load(id);
  return asset && assetView(publicUrl, asset);
}
