/** Pictures as fal.run answers them: addresses of its CDN, which here is the same server. */
import { distinct, png } from './pictures.js';
import { openStandIn, type Reply, type StandIn } from './stand-in.js';

const detail = (type: string, msg: string, loc: string[]) => ({
  loc,
  msg,
  type,
  url: `https://docs.fal.ai/errors#${type}`,
  input: 'what was sent',
});

/** `flagged`: which pictures the filter dislikes, by place. */
export function openFal(flagged: readonly number[] = []): Promise<StandIn> {
  return openStandIn({
    async answer({ path, json }, url): Promise<Reply> {
      const file = /^\/files\/(\d+)x(\d+)\/.+\.png$/.exec(path);
      if (file) {
        const picture = distinct(await png(Number(file[1]), Number(file[2])));
        return { headers: { 'content-type': 'image/png' }, body: picture };
      }
      const { width, height } = (json['image_size'] ?? { width: 1024, height: 1024 }) as Record<string, number>;
      const count = Number(json['num_images'] ?? 1);
      const images = Array.from({ length: count }, (_, i) => ({
        url: `${url}/files/${width}x${height}/${i}.png`,
        width,
        height,
        content_type: 'image/png',
      }));
      return {
        headers: { 'x-fal-request-id': '019a0000-0000-7000-8000-000000000000' },
        body: {
          images,
          timings: { inference: 0.4 },
          seed: json['seed'] ?? 2_716_057_342,
          has_nsfw_concepts: images.map((_, i) => flagged.includes(i)),
          prompt: json['prompt'],
        },
      };
    },
    refuse: {
      status: 422,
      headers: { 'x-fal-retryable': 'false' },
      body: {
        detail: [detail('content_policy_violation', 'The content could not be processed.', ['body', 'prompt'])],
      },
    },
    badKey: { status: 401, body: { detail: 'Cannot access application "fal-ai/flux". Authentication is required.' } },
    invalid: {
      status: 422,
      body: { detail: [detail('less_than_equal', 'Input should be less than or equal to 4', ['body', 'num_images'])] },
    },
    rateLimited: { status: 429, body: { detail: 'Too many concurrent requests.' } },
    serverError: {
      status: 500,
      body: { detail: [detail('internal_server_error', 'Internal server error', ['body'])] },
    },
    noPicture: { body: { images: [], seed: 1, has_nsfw_concepts: [], prompt: '' } },
    notAPicture: { body: { images: [{ url: 'not an address' }], seed: 1, has_nsfw_concepts: [false], prompt: '' } },
  });
}
