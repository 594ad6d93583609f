/** Puts together what keeps, serves and ends assets. */
import type DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { ObjectStore } from '../../../platform/s3.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { Fetching } from '../fetching.js';
import { AssetEnd } from './asset.end.js';
import { AssetKeeper } from './asset.keeper.js';
import { assetLoader, ownershipLoader } from './asset.loaders.js';
import {
  ASSET_REFERENCES,
  ASSETS,
  type AssetDocument,
  type AssetReference,
  GONE_HOLDERS,
  type GoneHolder,
  type LiveAsset,
} from './asset.model.js';
import { AssetService } from './asset.service.js';
import { AssetSweeper } from './asset.sweeper.js';
import { HttpRemover } from './background/http.js';
import { LocalRemover } from './background/local.js';
import type { BackgroundRemover } from './background/remover.js';
import { Encoder } from './encoder.js';
import { OutputKeeper } from './output.keeper.js';
import { Variants } from './variants.js';

export interface AssetSettings {
  publicUrl: string;
  maxUploadBytes: number;
  /** Null: the built-in one. */
  backgroundRemover: { url: string; apiKey: string | undefined } | null;
}

export interface AssetParts {
  db: Db;
  store: ObjectStore;
  fetching: Fetching;
  settings: AssetSettings;
  log: Logger;
  now: () => Date;
}

export const ASSET_COLLECTIONS = [ASSETS, ASSET_REFERENCES, GONE_HOLDERS];

export interface AssetsOfImages {
  door: AssetService;
  tasks: readonly BackgroundTask[];
  loader(): DataLoader<string, LiveAsset | null>;
  ownershipLoader(userId: string | undefined): DataLoader<string, boolean>;
  close(): Promise<void>;
}

export function createAssets({ db, settings, fetching, ...shared }: AssetParts): AssetsOfImages {
  const { publicUrl, maxUploadBytes: maxBytes } = settings;
  const parts = {
    ...shared,
    assets: db.collection<AssetDocument>(ASSETS.name),
    references: db.collection<AssetReference>(ASSET_REFERENCES.name),
    goneHolders: db.collection<GoneHolder>(GONE_HOLDERS.name),
  };
  const assetEnd = new AssetEnd(parts);
  const keeper = new AssetKeeper({ ...parts, assetEnd });
  const encoder = new Encoder();
  const remover = removerOf(settings, encoder);
  const variants = new Variants({ ...parts, keeper, encoder });
  const { fetcher, outputs: outputRules } = fetching;
  const outputs = new OutputKeeper({ ...parts, keeper, variants, encoder, remover, fetcher, outputRules, publicUrl });
  const door = new AssetService({ ...parts, keeper, encoder, assetEnd, outputs, variants, publicUrl, maxBytes });
  return {
    door,
    tasks: new AssetSweeper({ ...parts, assetEnd }).tasks,
    loader: () => assetLoader(parts.assets, parts.now),
    ownershipLoader: (userId) => ownershipLoader(parts.references, userId),
    close: () => remover.close(),
  };
}

/** What a remover answers with is as large as the picture, and a PNG of it can be larger than what was uploaded. */
const ANSWER_FACTOR = 4;

function removerOf({ backgroundRemover, maxUploadBytes }: AssetSettings, encoder: Encoder): BackgroundRemover {
  if (!backgroundRemover) return new LocalRemover(encoder);
  return new HttpRemover({ ...backgroundRemover, encoder, maxBytes: ANSWER_FACTOR * maxUploadBytes });
}
