/** Image generators, and pictures made with them. */
import type { Command, Context, Given } from '../command.js';
import { Failure, usage } from '../failure.js';
import { openPicture, savePictures } from '../pictures.js';
import { clean, write } from '../terminal/terminal.js';
import { option, TOKEN, VERSION, word } from './inputs.js';

const id = word('generator_id', 'the id of the generator');
const DEFAULT_TIER = 'system:image-standard';
const GENERATE_TIMEOUT_MS = 4 * 60_000;

export const imageGenerators: readonly Command[] = [
  {
    words: 'image-generators deploy',
    call: 'POST /v1/image-generators',
    help: 'deploy a generator, or a new version of one',
    options: [
      option('name', 'its name', { required: true }),
      option('description', 'what it is for'),
      option('model', 'the model that draws; image-generators models lists them', { required: true }),
      option('generation_contract', 'what it draws from', {
        choices: ['text_to_image', 'image_to_image'],
        required: true,
      }),
      option('default_params', 'its parameters', { flag: 'params-json', kind: 'json' }),
      TOKEN,
    ],
    examples: [
      'goodeye image-generators deploy --name product-hero --model local/atelier --generation-contract text_to_image --params-json \'{"image_size": "square_hd"}\'',
    ],
  },
  {
    words: 'image-generators list',
    call: 'GET /v1/image-generators',
    help: 'your active generators',
    list: { columns: ['generator_id', 'name', 'current_version', 'model', 'generation_contract', 'updated_at'] },
  },
  {
    words: 'image-generators show',
    call: 'GET /v1/image-generators/{generator_id}',
    help: 'one version in full',
    arguments: [word('generator_id', 'its id, or id@version')],
    options: [VERSION],
  },
  {
    words: 'image-generators runs',
    call: 'GET /v1/image-generators/{generator_id}/runs',
    help: 'what was drawn with it',
    arguments: [id],
    list: { columns: ['run_id', 'status', 'num_images', 'cost_usd', 'created_at', 'image_url'] },
  },
  {
    words: 'image-generators models',
    call: 'GET /v1/models',
    help: 'the models that generators can be deployed with; the price is dollars for one picture',
    list: { columns: ['slug', 'provider', 'contracts', 'price', 'available'] },
  },
  {
    words: 'image-generators revoke',
    call: 'DELETE /v1/image-generators/{generator_id}',
    help: 'deactivate it for good; its runs stay on record',
    arguments: [id],
    confirm: ({ generator_id }) => `Revoke the generator ${generator_id}? There is no way back.`,
  },
  {
    words: 'image-generators delete',
    call: 'DELETE /v1/image-generators/{generator_id}/permanent',
    help: 'erase it with its versions and runs',
    arguments: [id],
    confirm: ({ generator_id }) => `Erase the generator ${generator_id} and all its runs? There is no way back.`,
  },
  {
    words: 'image-generators generate',
    plain: true,
    call: 'POST /v1/image-generators/{generator_id}/runs',
    help: 'draw; the addresses of the pictures go to stdout, one a line',
    anonymous: true,
    options: [
      option('prompt', 'what to draw', { required: true }),
      option('generator', `a generator (id or id@version) or a tier; ${DEFAULT_TIER} when left out`, { in: 'path' }),
      option('model', 'a model, for one run without a generator'),
      option('reference_image_url', 'a picture to go by'),
      option('num_images', 'how many, 1 to 4; each is charged', { kind: 'number' }),
      option('seed', 'the same seed gives the same picture, where the model can', { kind: 'number' }),
      option('params', 'parameters of this run', { flag: 'params-json', kind: 'json' }),
      option('version', 'a version of the generator', { kind: 'number' }),
      option('workflow_id', 'the workflow on whose behalf this is'),
      option('workflow_version', 'its version', { kind: 'number' }),
      option('workflow_ref', 'its name in the workflow'),
      option('run_id', 'an id of your own that groups runs'),
      option('output', 'a file for the picture; with several, -2, -3 … are added', { short: 'o' }),
      option('open', 'show the pictures when they are there', { kind: 'flag' }),
    ],
    examples: [
      'goodeye image-generators generate --prompt "A calm mountain lake at dawn" --output lake.png',
      'goodeye image-generators generate --generator system:image-premium --prompt "A hero shot" --num-images 2 --open',
    ],
    run: generate,
  },
];

async function generate(given: Given, context: Context): Promise<void> {
  const { generator, output, open, ...body } = given;
  if (generator && body['model']) throw usage('--generator and --model exclude each other');
  const reference = String(generator ?? (body['model'] ? '-' : DEFAULT_TIER));
  const { api, terminal, format } = context;
  const activity = context.activity('drawing');
  const run = await api
    .call('POST', `/v1/image-generators/${encodeURIComponent(reference)}/runs`, {
      body,
      timeoutMs: GENERATE_TIMEOUT_MS,
    })
    .finally(() => activity.end());
  const {
    status,
    image_urls: urls,
    cost_usd: cost,
    duration_ms: took,
    error_code: code,
    error_message: why,
  } = run ?? {};
  if (format === 'json') await write(terminal.stdout, `${JSON.stringify(run)}\n`);
  if (status === 'error') throw new Failure(`${why} (${code})`);
  const pictures = (urls as (string | null)[]).flatMap((url) => url ?? []);
  if (format !== 'json') await write(terminal.stdout, pictures.map((url) => `${clean(url)}\n`).join(''));
  await write(terminal.stderr, `${pictures.length} drawn in ${took} ms for $${cost}\n`);
  if (typeof output === 'string') await savePictures(pictures, output, api, terminal);
  if (open) for (const url of pictures) await openPicture(url, api, terminal);
}
