import type { Db } from 'mongodb';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { ObjectStore } from '../../platform/s3.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { type Images, NO_IMAGES } from './client.js';
import type { ImagesContext } from './context.js';
import { mountDoor } from './door/door.routes.js';
import { IMAGES, type ImageDocument } from './image/image.model.js';
import { ImageResolver, referencedImage, UserImagesResolver } from './image/image.resolver.js';
import { ImageService } from './image/image.service.js';
import { ServingService } from './serving/serving.service.js';

export interface ImagesDeps {
  db: Db;
  store: ObjectStore;
  publicUrl: string;
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

export async function createImages({ db, store, publicUrl, now }: ImagesDeps): Promise<ImagesSubgraph> {
  const { schema } = await imagesSchema();
  await ensureIndexes(db, [IMAGES]);
  const images = new ImageService({ images: db.collection<ImageDocument>(IMAGES.name), now });
  const serving = new ServingService({ images: db.collection<ImageDocument>(IMAGES.name), store, now });
  const door: Images = {
    ...NO_IMAGES,
    find: (token) => serving.find(token),
    open: (id, range, _requestId, signal) => serving.open(id, range, signal),
  };
  return {
    name: 'images',
    schema,
    door,
    mount: (app, authorize) => mountDoor(app, door, authorize),
    context: (scope): ImagesContext => ({ scope, publicUrl, images, imageLoader: images.loader() }),
    tasks: [],
    async ready() {
      await Promise.all([db.command({ ping: 1 }), store.ready()]);
    },
    async close() {},
  };
}
