/** What operators may ask of images. */
import { z } from 'zod';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';

const checkedSchema = z.object({ checked: z.number(), found: z.array(z.string()), next: z.string().nullable() });

const checkImages: InternalCall<{ internalCheckImages: z.infer<typeof checkedSchema> }> = {
  query: `mutation InternalCheckImages($input: InternalCheckImagesInput!) {
    internalCheckImages(input: $input) { checked found next }
  }`,
  result: z.object({ internalCheckImages: checkedSchema }),
};

export interface CheckResult {
  checked: number;
  found: number;
  /** The first of them. */
  examples: string[];
}

const EXAMPLES = 20;

export class ImagesOperatorClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  /** Objects without a record, or images without an object. */
  async check(of: 'objects' | 'images', mend: boolean, requestId: string): Promise<CheckResult> {
    const result: CheckResult = { checked: 0, found: 0, examples: [] };
    for (let after: string | null = null; ; ) {
      const input: Record<string, unknown> = { objects: of === 'objects', after, mend };
      const { internalCheckImages: page } = await callInternal(this.#transport, checkImages, { input }, requestId);
      result.checked += page.checked;
      result.found += page.found.length;
      result.examples.push(...page.found.slice(0, EXAMPLES - result.examples.length));
      after = page.next;
      if (after === null) return result;
    }
  }
}
