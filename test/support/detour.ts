/** A way to a server on which a test decides when what is asked arrives, and whether an answer comes back. */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type NetConnectOpts, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';

/**
 * Waited for before bytes go on. What it throws breaks the connection. `asked` is all that was sent since the last answer;
 * `left` resolves when whoever asked has closed the connection.
 */
type Turn = (asked: string, left: Promise<void>) => Promise<void> | void;

export interface Detour {
  /** Host and port. */
  address: string;
  beforeAsking: Turn;
  beforeAnswering: Turn;
  close(): Promise<void>;
}

export async function openDetour(target: NetConnectOpts): Promise<Detour> {
  const open = new Set<Socket>();
  const server = createServer((inbound) => {
    const outbound = dial(target);
    for (const socket of [inbound, outbound]) open.add(socket.once('close', () => open.delete(socket)));
    const left = new Promise<void>((resolve) => inbound.once('close', () => resolve()));
    let asked = '';
    let isAnswered = false;
    async function* asking(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        asked = (isAnswered ? '' : asked) + chunk.toString('latin1');
        isAnswered = false;
        await detour.beforeAsking(asked, left);
        yield chunk;
      }
    }
    async function* answering(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        await detour.beforeAnswering(asked, left);
        isAnswered = true;
        yield chunk;
      }
    }
    const breakOff = () => {
      inbound.destroy();
      outbound.destroy();
    };
    pipeline(inbound, asking, outbound).catch(breakOff);
    pipeline(outbound, answering, inbound).catch(breakOff);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const detour: Detour = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    beforeAsking: () => undefined,
    beforeAnswering: () => undefined,
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return detour;
}
