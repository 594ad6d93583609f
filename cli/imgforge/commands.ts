/** Pictures as jobs: generate, models, jobs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Context, Given } from '../command.js';
import { Failure } from '../failure.js';
import { option, word } from '../goodeye/inputs.js';
import { savePictures } from '../pictures.js';
import { lines } from '../terminal/show.js';
import { clean, write } from '../terminal/terminal.js';

const TIERS = ['draft', 'standard', 'premium', 'ultra', 'ultra_plus'] as const;
const SYNC_TIMEOUT_MS = 90_000;
const FOLLOW_MS = 10 * 60_000;
const FIRST_LOOK_MS = 250;
const LOOK_MS = 2_000;

type Job = Record<string, unknown>;

export const IMGFORGE: readonly Command[] = [
  {
    words: 'generate',
    call: 'POST /v2/generate',
    help: 'generate an image; its address goes to stdout',
    arguments: [{ name: 'prompt', in: 'body', help: 'what to draw, 1 to 2000 characters' }],
    options: [
      option('quality_tier', 'quality tier', { flag: 'tier', choices: TIERS, default: 'standard' }),
      option('openai_model', 'an OpenAI model instead of the tier’s'),
      option('cf_model', 'a Workers AI model instead of the tier’s'),
      option('model', 'a Gemini model instead of the tier’s'),
      option('aspect_ratio', 'such as 16:9, 9:16 or 3:2; 1:1 when left out'),
      option('negative_prompt', 'what should not be in it'),
      option('seed', 'the same seed gives the same picture, where the model can', { kind: 'number' }),
      option('input_job_id', 'a completed job to start from'),
      option('input_asset_url', 'the address of an asset to start from'),
      option('output_format', 'how the picture is encoded', { choices: ['png', 'webp', 'avif'] }),
      option('output_quality', '1 to 100, of webp and avif', { kind: 'number' }),
      option('output_preset', 'a variant of this size beside it', {
        choices: ['thumbnail', 'standard', 'hero', 'portrait'],
      }),
      option('background_removal', 'a transparent PNG beside it', { kind: 'flag' }),
      option('idempotency_key', 'names the request: sent again it is not done again'),
      option('output', 'a file for the picture', { short: 'o' }),
      option('sync', 'wait within the request', { kind: 'flag' }),
      option('detach', 'do not wait: print the job and end', { kind: 'flag' }),
    ],
    examples: [
      'imgforge generate "A neon-lit cyberpunk alleyway" --tier premium --output alley.webp',
      'imgforge generate "A mountain at sunset" --aspect-ratio 16:9 --seed 7 --json',
    ],
    run: generate,
  },
  {
    words: 'models',
    call: 'GET /v2/models',
    help: 'the models that can be used: tier defaults, and overrides',
    options: [
      option('capability', 'only models that can do this', {
        in: 'query',
        choices: ['txt2img', 'img2img', 'inpaint', 'negative_prompt', 'seed_control'],
      }),
    ],
    show: modelsFor,
  },
  {
    words: 'jobs list',
    call: 'GET /v2/jobs',
    help: 'your recent jobs',
    list: { items: 'jobs', columns: ['job_id', 'state', 'quality_tier', 'model_id', 'created_at', 'original_prompt'] },
  },
  { words: 'jobs get', call: 'GET /v2/jobs/{job_id}', help: 'how a job stands', arguments: [word('job_id', 'its id')] },
  {
    words: 'jobs vary',
    call: 'POST /v2/jobs/{job_id}/variations',
    help: 'seeded variations of a completed job',
    arguments: [word('job_id', 'its id')],
    options: [
      option('count', 'how many, 1 to 4', { kind: 'number' }),
      option('variation_strength', '0 is close to the source, 1 far from it', { kind: 'number' }),
      option('seed', 'of the first; the others follow', { kind: 'number' }),
    ],
    list: { items: 'jobs', columns: ['job_id', 'state', 'quality_tier', 'model_id', 'created_at'] },
  },
  {
    words: 'jobs delete',
    call: 'DELETE /v2/jobs/{job_id}',
    help: 'delete a job with its pictures',
    arguments: [word('job_id', 'its id')],
    confirm: ({ job_id }) => `Delete the job ${job_id} and its pictures? There is no way back.`,
    show: () => 'deleted\n',
  },
];

async function generate(given: Given, context: Context): Promise<void> {
  const { output, detach, sync, ...asked } = given;
  const { api, terminal, format } = context;
  const activity = context.activity('waiting for the job');
  let job: Job;
  try {
    const body = { ...asked, ...(detach ? { sync: false } : sync ? { sync: true } : {}) };
    job = (await api.call('POST', '/v2/generate', { body, timeoutMs: SYNC_TIMEOUT_MS })) ?? {};
    if (!detach) job = await ended(job, context, (state) => activity.tell(`${state}: ${job['job_id']}`));
  } finally {
    activity.end();
  }
  const { state, asset_url: url, preset_url: preset, bg_removed_url: cut, error } = job;
  if (format === 'json') await write(terminal.stdout, `${JSON.stringify(job)}\n`);
  else if (detach) await write(terminal.stdout, `${clean(String(job['job_id']))}\n`);
  if (String(state).startsWith('failed')) throw new Failure(`the job ${job['job_id']} ${state}: ${error}`);
  if (typeof url !== 'string') return write(terminal.stderr, `${state}: imgforge jobs get ${job['job_id']}\n`);
  if (format !== 'json') {
    const addresses = [url, preset, cut].filter((address) => typeof address === 'string');
    await write(terminal.stdout, addresses.map((address) => `${clean(address)}\n`).join(''));
  }
  await write(terminal.stderr, `${job['model_id']}, seed ${job['seed_used'] ?? 'unknown'}\n`);
  if (typeof output === 'string') await savePictures([url], output, api, terminal);
}

/** The job once it has ended, or as it stands when that takes too long. */
async function ended(first: Job, { api }: Context, told: (state: string) => void): Promise<Job> {
  const until = performance.now() + FOLLOW_MS;
  let job = first;
  for (let pause = FIRST_LOOK_MS; isOpen(job) && performance.now() < until; pause = Math.min(pause * 1.5, LOOK_MS)) {
    told(String(job['state']));
    await sleep(pause, undefined, { signal: api.signal });
    job = (await api.call('GET', `/v2/jobs/${encodeURIComponent(String(first['job_id']))}`)) ?? job;
  }
  return job;
}

function isOpen({ state }: Job): boolean {
  return state === 'queued' || state === 'processing';
}

interface Model {
  id: string;
  quality_tier: string | null;
  is_default: boolean;
  parameter: string | null;
  credits_per_request: number | null;
  is_available: boolean;
  unlock_status: { type: string } | null;
}

/** What cannot be used is left out. */
function modelsFor(body: Record<string, unknown>): string {
  const usable = (body['models'] as Model[]).filter(
    ({ is_available, unlock_status }) => is_available && unlock_status?.type !== 'community_milestone',
  );
  const line = ({ id, quality_tier, parameter, is_default, credits_per_request: credits }: Model) => {
    const how = is_default ? `--tier ${quality_tier}` : `--${(parameter ?? 'model').replaceAll('_', '-')} ${id}`;
    return `  ${clean(id).padEnd(44)} ${how.padEnd(60)} ${credits === null ? 'as the tier' : `${credits} cr`}\n`;
  };
  const part = (title: string, models: Model[]) =>
    models.length === 0 ? '' : `${title}\n${models.map(line).join('')}\n`;
  return (
    part(
      'Tier defaults',
      usable.filter(({ is_default }) => is_default),
    ) +
      part(
        'Overrides',
        usable.filter(({ is_default }) => !is_default),
      ) || lines({ models: 'none' })
  );
}
