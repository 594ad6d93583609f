/** nginx as it comes with Debian, one worker, serving the same bytes under the same paths from disk. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Bench } from '../section.js';
import { BenchError } from '../support/error.js';
import { type Server, startServer } from '../support/server.js';
import type { Picture } from './pictures.js';

const NGINX = '/usr/sbin/nginx';

export async function startNginx({ world, cores }: Bench, pictures: readonly Picture[]): Promise<Server> {
  const root = await world.directory('nginx');
  for (const { path, bytes } of pictures) {
    const folder = join(root, dirname(path));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, basename(path)), bytes);
  }
  await writeFile(join(root, 'readyz'), 'ok');
  const file = join(root, 'nginx.conf');
  try {
    return await startServer({
      core: cores.front,
      program: NGINX,
      async args(port) {
        await writeFile(file, configuration(root, port));
        return ['-p', root, '-e', join(root, 'error.log'), '-c', file];
      },
      env: {},
      readyPath: '/readyz',
    });
  } catch (cause) {
    throw new BenchError(`${NGINX} does not start. Install it, for example: apt-get install nginx-light`, { cause });
  }
}

/** One process, as ours is one; what it caches of files is in the kernel. No log lines, as ours writes none here. */
function configuration(root: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(root, kind)};`,
  );
  return `
daemon off;
master_process off;
pid ${join(root, 'nginx.pid')};
events { worker_connections 1024; }
http {
  types { image/png png; }
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${root};
    add_header Cache-Control "public, max-age=300";
    add_header X-Content-Type-Options nosniff;
    add_header Content-Disposition inline;
  }
}
`;
}
