/** Where there is news for subscriptions, told from one process to another: a line for each topic, for as long as it is wanted. */
import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Client } from 'undici';
import { requireInternal } from '../scope.js';
import type { Authorize } from '../subgraph.js';
import type { Follow, FollowListener } from './changes.js';

// An empty line says that the other side is there.
const HEARTBEAT_MS = 2_000;
const SILENCE_MS = 3 * HEARTBEAT_MS;
const AGAIN_MS = 250;
/** A gateway that is this far behind is let go; when it comes again it looks at everything. */
const MAX_BEHIND = 1_000_000;

export interface NoticeRoute {
  path: string;
  follow: Follow;
  authorize: Authorize;
}

export function mountNotices(app: FastifyInstance, { path, follow, authorize }: NoticeRoute): void {
  const open = new Set<PassThrough>();
  app.get(path, (request, reply) => {
    requireInternal(authorize(request));
    const lines = new PassThrough();
    const say = (line: string) => {
      if (lines.writableLength > MAX_BEHIND) lines.destroy();
      else if (lines.writable) lines.write(`${line}\n`);
    };
    const stop = follow({ heard: say, missed: () => say(MISSED) });
    const beat = setInterval(say, HEARTBEAT_MS, '');
    open.add(lines);
    lines.once('close', () => {
      clearInterval(beat);
      stop();
      open.delete(lines);
    });
    request.raw.once('close', () => lines.destroy());
    // What is followed from here on is not lost: the reader begins by looking at everything.
    say('');
    return reply.type('text/plain; charset=utf-8').send(lines);
  });
  // They would hold up the end of the process; whoever reads them comes again.
  app.addHook('preClose', (done) => {
    for (const lines of open) lines.end();
    done();
  });
}

/** No topic is empty or begins with a space. */
const MISSED = ' missed';

export interface NoticeAddress {
  origin: string;
  path: string;
  /** Made anew for each connection: the proof in them does not last. */
  headers(): Record<string, string>;
}

/** Reads them, and comes again for as long as it is not stopped. */
export function followRemote({ origin, path, headers }: NoticeAddress, listener: FollowListener): () => void {
  const client = new Client(origin, {
    connect: { timeout: 3_000 },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  });
  const stopped = new AbortController();
  const { signal } = stopped;
  void readAgain();
  return () => {
    stopped.abort();
    void client.destroy();
  };

  async function readAgain(): Promise<void> {
    while (!signal.aborted) {
      // Whatever ended it, the answer is the same: look at everything, and read again.
      await readOnce().catch(() => {});
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    }
  }

  async function readOnce(): Promise<void> {
    const { statusCode, body } = await client.request({ method: 'GET', path, headers: headers(), signal });
    if (statusCode !== 200) {
      await body.dump();
      return;
    }
    listener.missed();
    body.setEncoding('utf8');
    let rest = '';
    for await (const chunk of body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === MISSED) listener.missed();
        else if (line !== '') listener.heard(line);
      }
    }
  }
}
