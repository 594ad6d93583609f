/** Images as OpenAI answers them, and as servers that speak like it do. */
import { distinct, png } from './pictures.js';
import { type Dialect, openStandIn, type Recorded, type StandIn } from './stand-in.js';

function error(status: number, message: string, type: string, code: string | null) {
  return { status, body: { error: { message, type, param: null, code } } };
}

const fieldOf = ({ json, form }: Recorded, name: string) => form?.get(name) ?? json[name];

function sizeOf(request: Recorded): [number, number] {
  const [width, height] = String(fieldOf(request, 'size')).split('x').map(Number);
  return [width || 1024, height || 1024];
}

/** Draws what an answer holds; a benchmark brings its own. */
type Draw = (width: number, height: number) => Promise<Buffer>;

function dialect(form: 'base64' | 'url', draw: Draw = png, files?: () => string): Dialect {
  return {
    async answer(request, url) {
      if (request.path.startsWith('/files/')) {
        return { headers: { 'content-type': 'image/png' }, body: distinct(await png(512, 512)) };
      }
      const picture = await draw(...sizeOf(request));
      const count = Number(fieldOf(request, 'n') ?? 1);
      const data = Array.from({ length: count }, (_, i) =>
        form === 'url'
          ? { url: `${files?.() ?? `${url}/files`}/${i}.png` }
          : { b64_json: distinct(picture).toString('base64') },
      );
      return {
        body: {
          created: 1_785_000_000,
          background: 'opaque',
          data,
          output_format: 'png',
          quality: fieldOf(request, 'quality') ?? 'medium',
          size: fieldOf(request, 'size'),
          usage: {
            input_tokens: 14,
            input_tokens_details: { image_tokens: 0, text_tokens: 14 },
            output_tokens: 1056,
            total_tokens: 1070,
          },
        },
      };
    },
    refuse: {
      status: 400,
      body: {
        error: {
          message:
            'Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com and include the request ID. safety_violations=[violence].',
          type: 'image_generation_user_error',
          param: null,
          code: 'moderation_blocked',
          moderation_details: { moderation_stage: 'input', categories: ['violence'] },
        },
      },
    },
    badKey: error(
      401,
      'Incorrect API key provided: sk-test-*****. You can find your API key at https://platform.openai.com/account/api-keys.',
      'invalid_request_error',
      'invalid_api_key',
    ),
    invalid: error(400, "Invalid value: '999x999'.", 'invalid_request_error', 'invalid_value'),
    rateLimited: {
      ...error(429, 'Rate limit reached for images per minute.', 'requests', 'rate_limit_exceeded'),
      headers: { 'retry-after': '60' },
    },
    serverError: error(500, 'The server had an error while processing your request.', 'server_error', null),
    noPicture: { body: { created: 1_785_000_000, data: [] } },
    notAPicture: {
      body: { created: 1_785_000_000, data: [{ b64_json: Buffer.from('plain text').toString('base64') }] },
    },
  };
}

export function openOpenAi(draw?: Draw): Promise<StandIn> {
  return openStandIn(dialect('base64', draw));
}

/** A server that hands out addresses, its own or those below `files`, whatever response_format says. */
export function openCompatibleWithUrls(files?: () => string): Promise<StandIn> {
  return openStandIn(dialect('url', png, files));
}
