/** Pictures as Workers AI answers them: bytes from older models, base64 in the envelope from newer ones. */
import { distinct, jpeg, png } from './pictures.js';
import { openStandIn, type StandIn } from './stand-in.js';

function failure(status: number, code: number, message: string) {
  return { status, body: { errors: [{ message, code }], success: false, result: {}, messages: [] } };
}

export function openCloudflare(): Promise<StandIn> {
  return openStandIn({
    async answer({ path, json, form }) {
      const side = (name: string, fallback: number) => Number(form?.get(name) ?? json[name] ?? fallback);
      const [width, height] = [side('width', 1024), side('height', 1024)];
      if (path.includes('phoenix'))
        return { headers: { 'content-type': 'image/jpeg' }, body: await jpeg(width, height) };
      const picture = distinct(await png(width, height));
      const binary = /stable-diffusion|dreamshaper/.test(path);
      if (binary) return { headers: { 'content-type': 'image/png' }, body: picture };
      return { body: { result: { image: picture.toString('base64') }, success: true, errors: [], messages: [] } };
    },
    refuse: failure(400, 3030, 'AiError: AiError: Input prompt contains NSFW content (5a1b)'),
    badKey: failure(401, 10000, 'Authentication error'),
    invalid: failure(400, 5006, "AiError: Bad input: Error: must have required property 'prompt'"),
    rateLimited: failure(429, 3036, 'you have used up your daily free allocation of 10,000 neurons'),
    serverError: failure(500, 8000, 'AiError: Internal server error'),
    noPicture: { body: { result: {}, success: true, errors: [], messages: [] } },
    notAPicture: { headers: { 'content-type': 'image/png' }, body: Buffer.from('this is no picture at all') },
  });
}
