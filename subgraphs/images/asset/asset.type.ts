import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { assetUrl } from '../asset-client.js';
import { User } from '../user/user.type.js';
import type { LiveAsset } from './asset.model.js';
import { factsOf } from './facts.js';

@ObjectType({ description: 'Where an output can be had in other shapes, in the format that it has.' })
@OpenToAllKeys()
export class AssetPresetUrls {
  @Field(() => String, { description: '256 by 256 pixels, cut to cover them.' })
  thumbnail!: string;

  @Field(() => String, { description: 'Whole, at most 1024 pixels wide and high.' })
  standard!: string;

  @Field(() => String, { description: '1600 by 900 pixels, cut to cover them.' })
  hero!: string;

  @Field(() => String, { description: '900 by 1200 pixels, cut to cover them.' })
  portrait!: string;
}

@ObjectType({
  description:
    'The output of a job. It is named by its bytes, so that equal outputs are one asset, which lasts as long as any job ' +
    'that has it.',
})
@Directive('@key(fields: "id")')
@OpenToAllKeys()
export class Asset {
  @Field(() => ID, { description: 'The SHA-256 of the bytes in hexadecimal.' })
  id!: string;

  @Field(() => String, { description: 'Where the bytes are, for anybody who knows the address.' })
  url!: string;

  @Field(() => AssetPresetUrls, { description: 'The same picture in other shapes.' })
  presetUrls!: AssetPresetUrls;

  @Field(() => Int, { description: 'Size of the bytes.' })
  bytes!: number;

  @Field(() => String, { description: 'Media type of the bytes.' })
  contentType!: string;

  @Field(() => Int, { description: 'Width in pixels.' })
  width!: number;

  @Field(() => Int, { description: 'Height in pixels.' })
  height!: number;

  @Field(() => Date, { description: 'When it was first stored.' })
  createdAt!: Date;

  @Field(() => User, {
    nullable: true,
    description: 'You, when it is the output of a job of yours. Who else has the same is told to nobody.',
  })
  owner?: User | null;
}

export function assetView(publicUrl: string, asset: LiveAsset): Asset {
  const { id, url, sizeBytes: bytes, contentType, width, height } = factsOf(publicUrl, asset);
  const presetUrls = {
    thumbnail: assetUrl(publicUrl, id, 'thumbnail'),
    standard: assetUrl(publicUrl, id, 'standard'),
    hero: assetUrl(publicUrl, id, 'hero'),
    portrait: assetUrl(publicUrl, id, 'portrait'),
  };
  return { id, url, presetUrls, bytes, contentType, width, height, createdAt: asset.createdAt };
}
