/** The operator's door: a Unix socket in DATA_DIR that only the process's own user may open. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

export function adminSocket(dataDir: string): string {
  return join(dataDir, 'admin.sock');
}

export async function openAdminSocket(app: FastifyInstance, dataDir: string): Promise<void> {
  const path = adminSocket(dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // A socket that is there was left by a process that is dead: one that runs everything has the directory to itself.
  await rm(path, { force: true });
  // Made unreadable for others before anybody can connect: the mode follows the umask of the moment.
  const before = process.umask(0o177);
  try {
    await app.listen({ path });
  } finally {
    process.umask(before);
  }
  await chmod(path, 0o600);
}

export interface AdminAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** Null when no process listens. */
export function callAdmin(dataDir: string, path: string, body: object): Promise<AdminAnswer | null> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: adminSocket(dataDir), path, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    call.end(JSON.stringify(body));
  });
}
