/** The tools of /v2/mcp: pictures from a prompt, as jobs, and the credits they cost. */
import type { Tool } from './tool.js';

export const V2_TOOLS: readonly Tool[] = [
  {
    name: 'generate_image',
    row: 'createJob',
    description:
      'Generates or edits an image from a prompt, and answers with the finished job: the address of the picture in ' +
      'asset_url, and a small picture to look at. A job that takes longer than a minute is answered as it stands; ' +
      'check_job tells when it has ended. Credits are taken for a completed job alone.',
    fixed: { sync: true },
    slow: true,
  },
  {
    name: 'list_models',
    row: 'listJobModels',
    description:
      'The models: the default of each quality tier, the overrides with the parameter that selects them, and what the ' +
      'community has yet to unlock.',
    say: modelsInWords,
  },
  {
    name: 'check_job',
    row: 'getJob',
    description: 'How a job stands, and where its picture is once it has completed.',
  },
  {
    name: 'create_variation',
    row: 'createVariations',
    description:
      'Starts 1 to 4 seeded variations of a completed job. The credits of all of them are held at once. check_job tells ' +
      'when each has ended.',
  },
  { name: 'billing_status', row: 'billingStatus' },
  {
    name: 'billing_purchase_credits',
    row: 'purchaseCredits',
    description:
      'Buys a credit pack with the saved card, which billing_status.hasSavedCard says there is. Spends real money: ask ' +
      'first. The same idempotencyKey never charges twice.',
  },
];

interface ListedModel {
  id: string;
  quality_tier: string | null;
  is_default: boolean;
  parameter: string | null;
  credits_per_request: number | null;
  is_available: boolean;
  capabilities: Record<string, boolean>;
  unlock_status: { type: string; display_current: number; display_goal: number; agent_hint: string } | null;
}

function modelsInWords(body: Record<string, unknown>): string {
  const models = body['models'] as ListedModel[];
  const locked = models.filter(({ unlock_status }) => unlock_status?.type === 'community_milestone');
  const rest = models.filter((model) => !locked.includes(model));
  return [
    section('Tier defaults (choose one with quality_tier)', rest.filter(({ is_default }) => is_default).map(inWords)),
    section('Selectable overrides', rest.filter(({ is_default }) => !is_default).map(inWords)),
    section(
      'Waiting for the community to unlock them',
      locked.map(
        ({ id, unlock_status }) =>
          `${id}: ${unlock_status?.display_current} of ${unlock_status?.display_goal}. ${unlock_status?.agent_hint}`,
      ),
    ),
  ]
    .filter((part) => part !== null)
    .join('\n\n');
}

function section(title: string, lines: string[]): string | null {
  return lines.length === 0 ? null : [`${title}:`, ...lines.map((line) => `- ${line}`)].join('\n');
}

function inWords(model: ListedModel): string {
  const can = Object.entries(model.capabilities).flatMap(([name, has]) => (has ? [name] : []));
  const cost =
    model.credits_per_request === null ? 'costs what its tier costs' : `${model.credits_per_request} credits`;
  const how = model.is_default ? `quality_tier "${model.quality_tier}"` : `${model.parameter ?? 'model'} "${model.id}"`;
  return `${model.id}: ${how}, ${cost}, ${can.join(', ')}${model.is_available ? '' : ' (not available here)'}`;
}
