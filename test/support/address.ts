/** A platform at an address that is known before it starts, as PUBLIC_URL has to be. */
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { Platform, Shape } from './platform.js';

/** Hands on bytes to wherever the platform listens. */
export async function atKnownAddress(start: Shape, env: Record<string, string> = {}): Promise<Platform> {
  let target = 0;
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((inbound) => {
    const outbound = dial(target, '127.0.0.1');
    keep(inbound);
    keep(outbound);
    inbound.pipe(outbound).pipe(inbound);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  const url = `http://127.0.0.1:${port}`;
  const platform = await start({ PUBLIC_URL: url, ...env });
  target = Number(new URL(platform.url).port);
  return {
    ...platform,
    url,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await platform.stop();
    },
  };
}
