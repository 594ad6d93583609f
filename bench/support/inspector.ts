/** What a process of ours holds in memory once everything is collected that can be. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { freePort } from './server.js';

export interface Inspected {
  /** For the process that is to be looked at. */
  env: Readonly<Record<string, string>>;
  /** Bytes, of JavaScript and beside it. */
  held(): Promise<number>;
}

interface Reply {
  id: number;
  result: { result?: { value: { heapUsed: number; external: number } } };
}

export async function inspected(): Promise<Inspected> {
  const port = await freePort();
  return {
    env: { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` },
    async held() {
      const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
        webSocketDebuggerUrl: string;
      }[];
      const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
      await once(socket, 'open');
      let id = 0;
      const call = async (method: string, params = {}): Promise<Reply['result']> => {
        id += 1;
        socket.send(JSON.stringify({ id, method, params }));
        for (;;) {
          const [message] = (await once(socket, 'message')) as [Buffer];
          const reply = JSON.parse(message.toString()) as Reply;
          if (reply.id === id) return reply.result;
        }
      };
      // What the first collection frees may have held other things.
      for (let i = 0; i < 3; i++) await call('HeapProfiler.collectGarbage');
      const { result } = await call('Runtime.evaluate', { expression: 'process.memoryUsage()', returnByValue: true });
      socket.close();
      if (!result) throw new Error('the process did not tell its memory');
      return result.value.heapUsed + result.value.external;
    },
  };
}
