import type DataLoader from 'dataloader';
import type { Scope } from '../../platform/scope.js';
import type { ImageDocument } from './image/image.model.js';
import type { ImageService } from './image/image.service.js';

export interface ImagesContext {
  scope: Scope;
  publicUrl: string;
  images: ImageService;
  imageLoader: DataLoader<string, ImageDocument | null>;
}
