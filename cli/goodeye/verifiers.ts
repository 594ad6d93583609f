/** Verifiers, and judgements by them. */
import { INPUT_CONTRACTS } from '../../subgraphs/registry/verifier/verifier.model.js';
import type { Command } from '../command.js';
import { option, TOKEN, VERSION, word } from './inputs.js';

const id = word('verifier_id', 'the id or name of the verifier');
const RUN_TIMEOUT_MS = 2 * 60_000;

export const verifiers: readonly Command[] = [
  {
    words: 'verifiers deploy',
    call: 'POST /v1/verifiers',
    help: 'deploy a verifier, or a new version of one',
    options: [
      option('name', 'its name', { required: true }),
      option('description', 'what it is for'),
      option('criterion', 'what has to hold', { required: true }),
      option('input_fields', 'the inputs it is given', { kind: 'list' }),
      option('input_contract', 'what a run is given; text when left out', { choices: INPUT_CONTRACTS }),
      option('examples', 'judged examples, as JSON', { flag: 'examples-json', kind: 'json' }),
      option('few_shot_examples', 'the same in the other form', { flag: 'few-shot-json', kind: 'json' }),
      option('model_settings', 'settings of the judge', { flag: 'model-settings-json', kind: 'json' }),
      TOKEN,
    ],
    examples: [
      'goodeye verifiers deploy --name response-clarity --criterion "The response is clear and direct." --input-fields user_query agent_response',
    ],
  },
  {
    words: 'verifiers list',
    call: 'GET /v1/verifiers',
    help: 'your active verifiers',
    list: { columns: ['verifier_id', 'name', 'current_version', 'input_contract', 'updated_at'] },
  },
  {
    words: 'verifiers show',
    call: 'GET /v1/verifiers/{verifier_id}',
    help: 'one version in full',
    arguments: [id],
    options: [VERSION],
  },
  {
    words: 'verifiers runs',
    call: 'GET /v1/verifiers/{verifier_id}/runs',
    help: 'what it has judged',
    arguments: [id],
    list: { columns: ['verifier_run_id', 'version', 'status', 'passed', 'duration_ms', 'created_at'] },
  },
  {
    words: 'verifiers run',
    call: 'POST /v1/verifiers/{verifier_id}/runs',
    help: 'judge; fails when the verdict is not a pass',
    arguments: [word('verifier_id', 'an id, a name, or system:NAME')],
    anonymous: true,
    options: [
      option('inputs', 'what is judged, by input field', { flag: 'inputs-json', kind: 'json' }),
      option('media_url', 'a picture that is judged'),
      option('version', 'a version of it', { kind: 'number' }),
    ],
    timeoutMs: RUN_TIMEOUT_MS,
    examples: [
      'goodeye verifiers run response-clarity --inputs-json \'{"user_query": "2+2?", "agent_response": "4"}\'',
    ],
    failed: ({ passed, reasoning }) => (passed === true ? null : `not passed: ${reasoning ?? 'no verdict'}`),
  },
  {
    words: 'verifiers revoke',
    call: 'DELETE /v1/verifiers/{verifier_id}',
    help: 'deactivate it; its runs stay on record',
    arguments: [id],
    confirm: ({ verifier_id }) => `Revoke the verifier ${verifier_id}? There is no way back.`,
  },
  {
    words: 'verifiers delete',
    call: 'DELETE /v1/verifiers/{verifier_id}/permanent',
    help: 'erase it with all its data',
    arguments: [id],
    confirm: ({ verifier_id }) => `Erase the verifier ${verifier_id}? There is no way back.`,
  },
];
