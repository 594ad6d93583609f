import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Events } from '../../platform/events.js';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { contextsOf } from '../../platform/graph/context.js';
import { Idempotency } from '../../platform/idempotency.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { ObjectStore } from '../../platform/s3.js';
import type { Secrets } from '../../platform/secrets.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { AssetResolver, referencedAsset } from './asset/asset.resolver.js';
import { ASSET_COLLECTIONS, type AssetSettings, createAssets } from './asset/assets.js';
import type { Assets } from './asset-client.js';
import { CheckResolver } from './check/check.resolver.js';
import { CheckService } from './check/check.service.js';
import type { HostedImage, Images } from './client.js';
import type { ImagesContext } from './context.js';
import { mountAssetDoor } from './door/asset-door.routes.js';
import { mountDoor } from './door/door.routes.js';
import { type FetchSettings, fetchingOf } from './fetching.js';
import { ImageEnd } from './image/image.end.js';
import { ImageIngester } from './image/image.ingest.js';
import { IMAGES, type ImageDocument } from './image/image.model.js';
import { ImageResolver, referencedImage, UserImagesResolver } from './image/image.resolver.js';
import { ImageService } from './image/image.service.js';
import { ImageSweeper } from './image/image.sweeper.js';
import { OutputService } from './output/output.service.js';
import { PictureReader } from './picture/picture.js';
import { ReferenceService } from './reference/reference.service.js';
import { ServingService } from './serving/serving.service.js';
import { ServingTokens } from './serving/tokens.js';
import { STORAGE, type StorageDocument } from './storage/storage.model.js';
import { StorageService } from './storage/storage.service.js';
import { UploadResolver } from './upload/upload.resolver.js';
import { UPLOAD_REQUESTS, UploadService } from './upload/upload.service.js';

export interface ImagesSettings extends FetchSettings, AssetSettings {
  publicUrl: string;
  anonymousTtlHours: number;
  /** Bytes that one account may host; 0: no limit. */
  storageQuota: number;
}

export interface ImagesDeps {
  db: Db;
  store: ObjectStore;
  events: Events;
  secrets: Secrets;
  settings: ImagesSettings;
  log: Logger;
  now: () => Date;
}

export interface ImagesSubgraph extends Subgraph {
  readonly door: Images;
  readonly assets: Assets;
}

export function imagesSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<ImagesContext>({
    resolvers: [ImageResolver, UserImagesResolver, UploadResolver, CheckResolver, AssetResolver],
    references: {
      Image: ({ id }, context) => referencedImage(String(id), context),
      Asset: ({ id }, context) => referencedAsset(String(id), context),
      User: ({ id }) => ({ id }),
    },
  });
}

export async function createImages(deps: ImagesDeps): Promise<ImagesSubgraph> {
  const { db, store, settings, now } = deps;
  const { publicUrl, maxUploadBytes: maxBytes, storageQuota: quota } = settings;
  const { schema } = await imagesSchema();
  await ensureIndexes(db, [IMAGES, STORAGE, UPLOAD_REQUESTS, ...ASSET_COLLECTIONS]);
  const collection = db.collection<ImageDocument>(IMAGES.name);
  const tokens = ServingTokens.of(deps.secrets);
  const parts = { ...deps, ...settings, images: collection, tokens };
  const storageService = new StorageService({ ...parts, storage: db.collection<StorageDocument>(STORAGE.name), quota });
  const imageEnd = new ImageEnd({ ...parts, storageService });
  const ingester = new ImageIngester({ ...parts, storageService, imageEnd, maxBytes });
  const sweeper = new ImageSweeper({ ...parts, storageService, imageEnd });
  const images = new ImageService({ ...parts, imageEnd });
  const requests = new Idempotency<HostedImage>(db, UPLOAD_REQUESTS.name, now);
  const uploads = new UploadService({ ...parts, ingester, requests, maxBytes });
  const serving = new ServingService(parts);
  const fetching = fetchingOf(settings);
  const { fetcher, references: rules, outputs: outputRules } = fetching;
  const assets = createAssets({ ...deps, fetching });
  const outputs = new OutputService({ ...parts, ingester, fetcher, rules: outputRules });
  const references = new ReferenceService({
    fetcher,
    rules,
    serving,
    assets: assets.door,
    publicUrl,
    reader: () => new PictureReader(),
  });
  const door: Images = {
    upload: (upload, scope) => uploads.upload(upload, scope),
    storeOutput: (output, requestId) => outputs.store(output, requestId),
    outputsOf: (runId) => outputs.ofRun(runId),
    readReference: (reference) => references.read(reference),
    find: (token) => serving.find(token),
    findAhead: (token) => serving.findAhead(token),
    open: (id, range, _requestId, signal) => serving.open(id, range, signal),
    read: ({ id, sizeBytes }) => serving.read(id, sizeBytes),
  };
  return {
    name: 'images',
    schema,
    door,
    assets: assets.door,
    mount(app, authorize) {
      mountDoor(app, door, authorize);
      mountAssetDoor(app, assets.door, authorize);
    },
    context: contextsOf<ImagesContext, 'imageLoader' | 'assetLoader' | 'assetOwnershipLoader'>(
      { publicUrl, images, uploads, checks: new CheckService({ ...parts, imageEnd }) },
      {
        imageLoader: () => images.loader(),
        assetLoader: () => assets.loader(),
        assetOwnershipLoader: ({ scope }) => assets.ownershipLoader(scope.caller?.userId),
      },
    ),
    tasks: [...sweeper.tasks, ...assets.tasks, requests.task('images-upload-requests')],
    async ready() {
      await Promise.all([db.command({ ping: 1 }), store.ready()]);
    },
    async close() {
      await assets.close();
      await storageService.flush();
    },
  };
}
