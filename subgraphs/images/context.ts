import type DataLoader from 'dataloader';
import type { Scope } from '../../platform/scope.js';
import type { LiveAsset } from './asset/asset.model.js';
import type { CheckService } from './check/check.service.js';
import type { ImageDocument } from './image/image.model.js';
import type { ImageService } from './image/image.service.js';
import type { UploadService } from './upload/upload.service.js';

export interface ImagesContext {
  scope: Scope;
  publicUrl: string;
  images: ImageService;
  uploads: UploadService;
  checks: CheckService;
  imageLoader: DataLoader<string, ImageDocument | null>;
  assetLoader: DataLoader<string, LiveAsset | null>;
  /** Whether an asset is an output of the caller’s. */
  assetOwnershipLoader: DataLoader<string, boolean>;
}
