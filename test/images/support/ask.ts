import { Agent, request as httpRequest, type RequestOptions } from 'node:http';

/** On a connection of its own: one that was once handed to the HTTP server stays there, and that does not read ahead. */
export function ask(url: string, options: RequestOptions = {}): Promise<{ status: number; bytes: Buffer }> {
  const agent = new Agent({ keepAlive: true });
  return new Promise<{ status: number; bytes: Buffer }>((resolve, reject) => {
    const request = httpRequest(url, { ...options, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end();
  }).finally(() => agent.destroy());
}
