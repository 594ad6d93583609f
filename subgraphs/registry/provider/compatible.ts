/** Any server that speaks like OpenAI's Images API; pictures come in base64, or at an address of the server itself. */
import { Outbound } from '../../../platform/outbound/http.js';
import type { Room } from '../../../platform/rooms.js';
import { editForm, imageFields, openAiRefusal, unreadable } from './openai.js';
import { base64Output, bytesOutput, httpUrl, isText } from './picture.js';
import type { ImageRequest, Output, Provider } from './provider.js';
import { listOf, maxAnswerBytes, member, post, readJson, sent } from './service.js';

export interface CompatibleSettings {
  baseUrl: string;
  apiKey: string | undefined;
}

export class Compatible implements Provider {
  readonly name = 'openai-compatible';
  readonly #service: Outbound;
  /** The same server from its root, for addresses that it hands out. */
  readonly #files: Outbound;

  constructor({ baseUrl, apiKey }: CompatibleSettings) {
    const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    this.#service = new Outbound({ baseUrl, headers });
    this.#files = new Outbound({ baseUrl: new URL(baseUrl).origin, headers });
  }

  async generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    const fields = { ...imageFields(request), response_format: 'b64_json' };
    const imageField = request.references.length === 1 ? 'image' : 'image[]';
    const { room } = request;
    const expected = { pictures: request.count, room };
    const call =
      request.references.length === 0
        ? { ...expected, path: '/images/generations', json: fields }
        : { ...expected, path: '/images/edits', form: await editForm(fields, request, imageField) };
    const answer = await post(this.#service, call, signal, openAiRefusal);
    const items = listOf(member(readJson(answer), 'data')).slice(0, request.count);
    return Promise.all(items.map((item) => this.#output(item, room, signal)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#service.close(), this.#files.close()]);
  }

  async #output(item: unknown, room: Room, signal: AbortSignal): Promise<Output> {
    const b64 = member(item, 'b64_json');
    if (isText(b64)) return base64Output(b64, null);
    const url = httpUrl(member(item, 'url'));
    if (url === null) return unreadable();
    const { origin, pathname, search } = new URL(url);
    // The operator named this server, so it may be asked wherever it stands; any other address is checked by who fetches.
    if (origin !== this.#files.origin) return { kind: 'url', url, width: null, height: null, seedUsed: null };
    const file = await sent(
      this.#files.send({ method: 'GET', path: pathname + search, maxBytes: maxAnswerBytes(1), room }, signal),
    );
    return file.status === 200 ? bytesOutput(file.body, null) : unreadable();
  }
}
