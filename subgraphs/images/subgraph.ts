import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { contextsOf } from '../../platform/graph/context.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { ObjectStore } from '../../platform/s3.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { type Images, NO_IMAGES } from './client.js';
import type { ImagesContext } from './context.js';
import { mountDoor } from './door/door.routes.js';
import { type FetchSettings, fetchingOf } from './fetching.js';
import { IMAGES, type ImageDocument } from './image/image.model.js';
import { ImageResolver, referencedImage, UserImagesResolver } from './image/image.resolver.js';
import { ImageService } from './image/image.service.js';
import { PictureReader } from './picture/picture.js';
import { ReferenceService } from './reference/reference.service.js';
import { ServingService } from './serving/serving.service.js';

export interface ImagesSettings extends FetchSettings {
  publicUrl: string;
  anonymousTtlHours: number;
}

export interface ImagesDeps {
  db: Db;
  store: ObjectStore;
  settings: ImagesSettings;
  log: Logger;
  now: () => Date;
}

export interface ImagesSubgraph extends Subgraph {
  readonly door: Images;
}

export function imagesSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<ImagesContext>({
    resolvers: [ImageResolver, UserImagesResolver],
    references: {
      Image: ({ id }, context) => referencedImage(String(id), context),
      User: ({ id }) => ({ id }),
    },
  });
}

export async function createImages({ db, store, settings, now }: ImagesDeps): Promise<ImagesSubgraph> {
  const { publicUrl } = settings;
  const { schema } = await imagesSchema();
  await ensureIndexes(db, [IMAGES]);
  const collection = db.collection<ImageDocument>(IMAGES.name);
  const images = new ImageService({ images: collection, now });
  const serving = new ServingService({ images: collection, store, now });
  const { fetcher, references: rules } = fetchingOf(settings);
  const references = new ReferenceService({ fetcher, rules, serving, publicUrl, reader: () => new PictureReader() });
  const door: Images = {
    ...NO_IMAGES,
    readReference: (reference) => references.read(reference),
    find: (token) => serving.find(token),
    open: (id, range, _requestId, signal) => serving.open(id, range, signal),
  };
  return {
    name: 'images',
    schema,
    door,
    mount: (app, authorize) => mountDoor(app, door, authorize),
    context: contextsOf<ImagesContext, 'imageLoader'>({ publicUrl, images }, { imageLoader: () => images.loader() }),
    tasks: [],
    async ready() {
      await Promise.all([db.command({ ping: 1 }), store.ready()]);
    },
    async close() {},
  };
}
