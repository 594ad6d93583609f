/** Image generators over REST and over the graph, so that one test can hold for both. */
import type { Answer, Client } from './client.js';

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member, and each test asserts what it reads.
type Loose = any;

export interface DoorAnswer {
  status: number;
  /** In the names of REST. */
  body: Loose;
}

export interface Deploy {
  name: string;
  description?: string;
  model?: string;
  generation_contract?: string;
  default_params?: object;
  expected_version_token?: string | null;
}

export interface Door {
  name: 'REST' | 'the graph';
  deploy(wanted: Deploy, key?: string): Promise<DoorAnswer>;
  list(query: { limit?: number; cursor?: string }, key?: string): Promise<DoorAnswer>;
  show(id: string, version?: number, key?: string): Promise<DoorAnswer>;
  revoke(id: string, key?: string): Promise<DoorAnswer>;
  erase(id: string, key?: string): Promise<DoorAnswer>;
  generate(reference: string, body: object, key?: string): Promise<DoorAnswer>;
  runs(id: string, query: { limit?: number; cursor?: string }, key?: string): Promise<DoorAnswer>;
}

export function restDoor({ rest }: Client): Door {
  const search = (query: object) => {
    const text = new URLSearchParams(
      Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])),
    ).toString();
    return text === '' ? '' : `?${text}`;
  };
  const root = '/v1/image-generators';
  return {
    name: 'REST',
    deploy: ({ model = 'local/atelier', generation_contract = 'text_to_image', ...wanted }, key) =>
      rest('POST', root, key, { model, generation_contract, ...wanted }),
    list: (query, key) => rest('GET', root + search(query), key),
    show: (id, version, key) => rest('GET', `${root}/${id}${version === undefined ? '' : search({ version })}`, key),
    revoke: (id, key) => rest('DELETE', `${root}/${id}`, key),
    erase: (id, key) => rest('DELETE', `${root}/${id}/permanent`, key),
    generate: (reference, body, key) => rest('POST', `${root}/${reference}/runs`, key, body),
    runs: (id, query, key) => rest('GET', `${root}/${id}/runs${search(query)}`, key),
  };
}

const VERSION = `version { version description model provider generation_contract: generationContract
  config_hash: configHash default_params: defaultParams }`;
const GENERATOR = `generator_id: id name status current_version: currentVersion version_token: versionToken ${VERSION}`;
const RUN = `run_id: id model_tier_or_model: modelTierOrModel model generator_id: generatorId
  generator_version: generatorVersion image_url: imageUrl image_urls: imageUrls width height num_images: numImages
  cost_usd: costUsd duration_ms: durationMs status created_at: createdAt error_code: errorCode
  error_message: errorMessage hosted_images: hostedImages { id url visibility expires_at: expiresAt }
  prompt_hash: promptHash workflow_id: workflowId workflow_version: workflowVersion workflow_ref: workflowRef
  caller_run_id: runId`;

export function graphDoor({ graph }: Client): Door {
  const upper = (text: string) => text.toUpperCase();
  const generator = ({ version, ...rest }: Loose) => lowered({ ...rest, ...version });
  const run = (found: Loose) =>
    lowered({ ...found, hosted_images: found.hosted_images.map((image: Loose) => image && lowered(image)) });
  const page = (connection: Loose, item: (node: Loose) => Loose) => ({
    items: connection.nodes.map(item),
    next_cursor: connection.next_cursor,
  });
  return {
    name: 'the graph',
    async deploy({ model = 'local/atelier', generation_contract = 'text_to_image', ...wanted }, key) {
      const input = {
        name: wanted.name,
        description: wanted.description,
        model,
        generationContract: upper(generation_contract),
        defaultParams: wanted.default_params,
        expectedVersionToken: wanted.expected_version_token,
      };
      const query = `mutation ($input: DeployImageGeneratorInput!) {
        deployImageGenerator(input: $input) { generator { ${GENERATOR} } }
      }`;
      return read(await graph(query, { input }, key), (data) => generator(data.deployImageGenerator.generator), 201);
    },
    async list({ limit, cursor }, key) {
      const query = `query ($first: Int, $after: String) {
        imageGenerators(first: $first, after: $after) { nodes { ${GENERATOR} } next_cursor: nextCursor }
      }`;
      const answer = await graph(query, { first: limit, after: cursor }, key);
      return read(answer, ({ imageGenerators }) => page(imageGenerators, generator));
    },
    async show(id, version, key) {
      const query = `query ($id: ID!, $version: Int) { imageGenerator(id: $id, version: $version) { ${GENERATOR} } }`;
      return read(await graph(query, { id, version }, key), (data) => generator(data.imageGenerator));
    },
    async revoke(id, key) {
      const query = `mutation ($input: RevokeImageGeneratorInput!) {
        revokeImageGenerator(input: $input) { generator_id: generatorId status }
      }`;
      return read(await graph(query, { input: { id } }, key), (data) => lowered(data.revokeImageGenerator));
    },
    async erase(id, key) {
      const query = `mutation ($input: DeleteImageGeneratorInput!) {
        deleteImageGenerator(input: $input) { generator_id: generatorId deleted }
      }`;
      return read(await graph(query, { input: { id } }, key), (data) => data.deleteImageGenerator);
    },
    async generate(reference, body, key) {
      const camel = Object.entries(body).map(([name, value]) => [
        name.replaceAll(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()),
        value,
      ]);
      const input = { generator: 'model' in body ? null : reference, ...Object.fromEntries(camel) };
      const query = `mutation ($input: RunImageGeneratorInput!) { runImageGenerator(input: $input) { run { ${RUN} } } }`;
      return read(await graph(query, { input }, key), (data) => run(data.runImageGenerator.run));
    },
    async runs(id, { limit, cursor }, key) {
      const query = `query ($id: ID!, $first: Int, $after: String) {
        generationRuns(generatorId: $id, first: $first, after: $after) { nodes { ${RUN} } next_cursor: nextCursor }
      }`;
      const answer = await graph(query, { id, first: limit, after: cursor }, key);
      return read(answer, ({ generationRuns }) => page(generationRuns, run));
    },
  };
}

/** Closed sets are upper case in the graph. */
function lowered(record: Loose): Loose {
  const closed = new Set(['status', 'generation_contract', 'visibility', 'error_code']);
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      closed.has(name) && typeof value === 'string' ? value.toLowerCase() : value,
    ]),
  );
}

function read({ body }: Answer<Loose>, value: (data: Loose) => Loose, status = 200): DoorAnswer {
  const [error] = body.errors ?? [];
  if (!error) return { status, body: value(body.data) };
  const { code, http, ...extras } = error.extensions;
  return { status: http?.status, body: { error: code, message: error.message, ...extras } };
}
