/** How the parts of one installation reach each other: in this process where they run here, else at their address. */
import type { Logger } from 'pino';
import { ByteTransport } from './bytes.js';
import { type Config, ConfigError } from './config.js';
import type { FollowListener } from './graph/changes.js';
import {
  type GraphRequest,
  type GraphResponse,
  type PullRequest,
  type PullResponse,
  SubgraphExecutor,
} from './graph/execute.js';
import { CALL_TIMEOUT_MS, type GatewayTransport, HttpTransport, LocalTransport, measured } from './graph/transport.js';
import type { Metrics } from './metrics.js';
import type { Scope } from './scope.js';
import type { Secrets } from './secrets.js';
import type { Subgraph, SubgraphName } from './subgraph.js';
import { traced } from './tracing.js';

export interface ConnectionsDeps {
  config: Config;
  secrets: Secrets;
  metrics: Metrics;
  log: Logger;
}

export class Connections {
  readonly #deps: ConnectionsDeps;
  readonly #transports = new Map<SubgraphName, GatewayTransport>();
  readonly #bytes: ByteTransport[] = [];
  #local: readonly Subgraph[] = [];

  constructor(deps: ConnectionsDeps) {
    this.#deps = deps;
  }

  /** Subgraphs are handed their peers while they are built, so those that run here are attached afterwards. */
  attach(local: readonly Subgraph[]): void {
    this.#local = local;
  }

  to(name: SubgraphName): GatewayTransport {
    let transport = this.#transports.get(name);
    if (!transport) {
      const { config, secrets, metrics } = this.#deps;
      const url = config.subgraphUrls[name];
      const bare =
        url === undefined
          ? new LateTransport(name, () => this.#open(name))
          : new HttpTransport(name, url, secrets, timeoutOf(name, config));
      const timed = measured(bare, metrics.subgraphCalls);
      transport = config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? timed : traced(timed);
      this.#transports.set(name, transport);
    }
    return transport;
  }

  /** Null: the subgraph is to be found in this process. */
  bytesTo(name: SubgraphName): ByteTransport | null {
    const url = this.#deps.config.subgraphUrls[name];
    if (url === undefined) return null;
    const transport = new ByteTransport(name, url, this.#deps.secrets);
    this.#bytes.push(transport);
    return transport;
  }

  /** For the start: a part that is needed and nowhere to be found. */
  require(name: SubgraphName, why: string): void {
    const found =
      this.#deps.config.subgraphUrls[name] !== undefined || this.#local.some((local) => local.name === name);
    if (!found) throw new ConfigError(`SUBGRAPH_${name.toUpperCase()}_URL must be set for ${why}`);
  }

  #open(name: SubgraphName): LocalTransport {
    const subgraph = this.#local.find((candidate) => candidate.name === name);
    if (!subgraph) throw new ConfigError(`SUBGRAPH_${name.toUpperCase()}_URL must be set`);
    return new LocalTransport(subgraph, new SubgraphExecutor(subgraph.schema, this.#deps.log, subgraph.sources));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#transports.values(), ...this.#bytes].map((transport) => transport.close()));
  }
}

/** Callers of the registry may wait for a job for a minute. */
const LONGEST_WAIT_MS = 60_000;

/** Runs take as long as providers and judges may, and then some. */
function timeoutOf(name: SubgraphName, { PROVIDER_TIMEOUT_MS, JUDGE_TIMEOUT_MS }: Config): number {
  return name === 'registry'
    ? Math.max(PROVIDER_TIMEOUT_MS, JUDGE_TIMEOUT_MS, LONGEST_WAIT_MS) + CALL_TIMEOUT_MS
    : CALL_TIMEOUT_MS;
}

/** A subgraph of this process, found when it is first called. */
class LateTransport implements GatewayTransport {
  readonly name: SubgraphName;
  readonly #open: () => LocalTransport;
  #opened: LocalTransport | undefined;

  constructor(name: SubgraphName, open: () => LocalTransport) {
    this.name = name;
    this.#open = open;
  }

  get #transport(): LocalTransport {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  send(request: GraphRequest, scope: Scope): Promise<GraphResponse> {
    return this.#transport.send(request, scope);
  }

  pull(request: PullRequest, scope: Scope): Promise<PullResponse> {
    return this.#transport.pull(request, scope);
  }

  follow(listener: FollowListener): () => void {
    return this.#transport.follow(listener);
  }

  ready(): Promise<void> {
    return this.#transport.ready();
  }

  async close(): Promise<void> {}
}
