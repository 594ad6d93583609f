import { Field, Float, ObjectType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { GenerationContract } from '../generator/generator.type.js';
import { type CatalogueModel, contractsOf, type SystemTier } from './entry.js';
import { type Parameter, parametersOf, SIZE_PARAMETERS } from './parameters.js';
import { basePrice, pricesOf } from './price.js';
import { defaultSize, sizesOf, sizeWords } from './sizes.js';

@ObjectType({ description: 'What one picture of a model costs at a size and quality.' })
export class ImageModelPrice {
  @Field(() => String, { description: 'Width and height in pixels: 1024x1024.' })
  size!: string;

  @Field(() => String, { nullable: true, description: 'The quality, where the provider prices by it.' })
  quality!: string | null;

  @Field(() => Float, { description: 'Dollars for one picture.' })
  usd!: number;
}

@ObjectType({ description: 'Something that params may hold for a model.' })
export class ImageModelParameter {
  @Field(() => String, { description: 'Its name in params.' })
  name!: string;

  @Field(() => String, { description: 'integer, number, string or boolean; size for the two that choose a size.' })
  type!: string;

  @Field(() => String, { description: 'What it does.' })
  description!: string;

  @Field(() => Float, { nullable: true, description: 'Least value of a number.' })
  minimum!: number | null;

  @Field(() => Float, { nullable: true, description: 'Greatest value of a number.' })
  maximum!: number | null;

  @Field(() => [String], { nullable: true, description: 'The values it may have, where they are few.' })
  values!: string[] | null;

  @Field(() => String, { nullable: true, description: 'What holds when it is left out, as text.' })
  default!: string | null;
}

@ObjectType({ description: 'A model that image generators can be deployed with.' })
export class ImageModel {
  @Field(() => String, { description: 'Its name: what `model` takes.' })
  slug!: string;

  @Field(() => String, { description: 'Who runs it.' })
  provider!: string;

  @Field(() => [GenerationContract], { description: 'What a run of it may be given.' })
  contracts!: GenerationContract[];

  @Field(() => Float, { description: 'Dollars for one picture of the default size, with the default parameters.' })
  price!: number;

  @Field(() => [ImageModelPrice], {
    description: 'Dollars for one picture at each size, and quality where it matters.',
  })
  prices!: ImageModelPrice[];

  @Field(() => [String], { description: 'Sizes that it draws, the default one first; see image_size for any others.' })
  sizes!: string[];

  @Field(() => String, { description: 'The size that is drawn when params name none.' })
  defaultSize!: string;

  @Field(() => Boolean, { description: 'Whether it can run here: its provider is set up and has not retired it.' })
  available!: boolean;

  @Field(() => [String], { description: 'The system tiers that it serves here at the moment.' })
  tiers!: string[];

  @Field(() => [ImageModelParameter], { description: 'What params may hold.' })
  parameters!: ImageModelParameter[];

  @Field(() => String, { nullable: true, description: 'The day from which its provider refuses it: 2026-10-23.' })
  retiresAt!: string | null;
}

export const ImageModelConnection = connectionType('ImageModel', () => ImageModel);

const MICROS = 1_000_000;

export interface ModelStanding {
  available: boolean;
  tiers: SystemTier[];
}

export function modelView(model: CatalogueModel, { available, tiers }: ModelStanding): ImageModel {
  return {
    slug: model.slug,
    provider: model.provider,
    contracts: contractsOf(model) as GenerationContract[],
    price: (basePrice(model) ?? 0) / MICROS,
    prices: pricesOf(model).map(({ size, quality, micros }) => ({ size, quality, usd: micros / MICROS })),
    sizes: sizesOf(model.sizes).map(({ slug }) => slug),
    defaultSize: defaultSize(model.sizes).slug,
    available,
    tiers,
    parameters: [...sizeParameters(model), ...Object.entries(parametersOf(model)).map(parameterView)],
    retiresAt: model.retiresAt ?? null,
  };
}

const PLAIN = { minimum: null, maximum: null, values: null, default: null };

function sizeParameters({ sizes }: CatalogueModel): ImageModelParameter[] {
  const words = {
    image_size: `The size: ${sizeWords(sizes)}.`,
    aspect_ratio: 'The shape, in place of a size in pixels.',
  };
  return SIZE_PARAMETERS.map((name) => ({ ...PLAIN, name, type: 'size', description: words[name] }));
}

const TYPES = { integer: 'integer', number: 'number', choice: 'string', text: 'string', flag: 'boolean' } as const;

function parameterView([name, parameter]: [string, Parameter]): ImageModelParameter {
  const { kind, description } = parameter;
  return {
    ...PLAIN,
    name,
    type: TYPES[kind],
    description,
    ...('min' in parameter && { minimum: parameter.min, maximum: parameter.max }),
    ...('values' in parameter && { values: [...parameter.values] }),
    ...('default' in parameter && parameter.default !== undefined && { default: String(parameter.default) }),
  };
}
