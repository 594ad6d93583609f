import { servingUrl } from '../address.js';
import type { HostedImage } from '../client.js';
import type { LiveImage } from './image.model.js';

/** An image as its owner sees it. */
export function hostedImage(publicUrl: string, image: LiveImage): HostedImage {
  const { _id: id, token, visibility, source, contentType, sizeBytes, width, height, createdAt, expiresAt } = image;
  const url = servingUrl(publicUrl, image);
  return { id, token, url, visibility, source, contentType, sizeBytes, width, height, createdAt, expiresAt };
}
