import { type Logger, pino, stdTimeFunctions } from 'pino';

export interface LogOptions {
  level: string;
  format: 'pretty' | 'json' | 'auto';
  /** Which process speaks, where there are several. */
  role: string;
}

/** Headers that carry credentials never reach a log line, whoever logs a request. */
const REDACT = ['req.headers.authorization', 'req.headers["x-api-key"]', 'req.headers.cookie', 'headers.authorization'];

export function createLog({ level, format, role }: LogOptions): Logger {
  const pretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY === true);
  const options = {
    level,
    redact: REDACT,
    timestamp: stdTimeFunctions.isoTime,
    base: role === 'start' ? {} : { role },
  };
  if (pretty) {
    const target = 'pino-pretty';
    return pino({
      ...options,
      transport: { target, options: { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' } },
    });
  }
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
