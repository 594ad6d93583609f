import type { OutputStep } from '../asset-client.js';

/** Bytes that cannot be made into what was asked for: trying again will not help. */
export class AssetFailure extends Error {
  readonly step: OutputStep;

  constructor(step: OutputStep, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AssetFailure';
    this.step = step;
  }
}
