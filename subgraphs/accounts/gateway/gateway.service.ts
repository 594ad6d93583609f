import type { Collection } from 'mongodb';
import { SECOND_MS } from '../time.js';
import type { GatewayDoc } from './gateway.model.js';
import type { InternalAnnounceGatewayInput, InternalGatewayRoster } from './gateway.type.js';

/** Gateways announce themselves every three seconds; one that was silent for longer than this is gone. */
const SILENCE_MS = 8 * SECOND_MS;

export interface GatewayServiceDeps {
  gateways: Collection<GatewayDoc>;
  now: () => Date;
}

export class GatewayService {
  readonly #deps: GatewayServiceDeps;

  constructor(deps: GatewayServiceDeps) {
    this.#deps = deps;
  }

  async announce({ id, shared, running }: InternalAnnounceGatewayInput): Promise<InternalGatewayRoster> {
    const { gateways, now } = this.#deps;
    const at = now();
    await gateways.deleteMany({ seenAt: { $lte: new Date(at.getTime() - SILENCE_MS) } });
    if (!running) {
      await gateways.deleteOne({ _id: id });
      return { others: 0, unshared: 0 };
    }
    await gateways.updateOne({ _id: id }, { $set: { shared, seenAt: at } }, { upsert: true });
    const others = await gateways.find({ _id: { $ne: id } }).toArray();
    return { others: others.length, unshared: others.filter((other) => !other.shared).length };
  }
}
