/** Who a key belongs to, asked of the graph itself, so that a bad key is reported in the server's own words. */
import { post, readResult } from './graph';

const WHO_AM_I = 'query WhoAmI { me { id handle } }';

export type Identity =
  | { state: 'anonymous' }
  | { state: 'checking' }
  | { state: 'known'; handle: string }
  | { state: 'refused'; reason: string };

interface Me {
  id?: string;
  handle?: string | null;
}

export async function identify(key: string, signal: AbortSignal): Promise<Identity> {
  // fetch() throws a TypeError that names no cause when a header value is not printable ASCII.
  if (!/^[\x21-\x7e]+$/.test(key))
    return { state: 'refused', reason: 'An API key has no spaces or special characters.' };
  try {
    const result = await readResult(await post({ query: WHO_AM_I, operationName: 'WhoAmI' }, key, { signal }));
    const me = result.data?.['me'] as Me | null | undefined;
    const name = me?.handle ?? me?.id;
    if (name) return { state: 'known', handle: name };
    return { state: 'refused', reason: result.errors?.[0]?.message ?? 'This key was not recognised.' };
  } catch (error) {
    return { state: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
}
