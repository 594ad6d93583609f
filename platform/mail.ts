import type { Logger } from 'pino';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export interface Mailer {
  /** Hands a mail over and returns at once: how long delivery takes must not show in an answer's time. */
  send(mail: Mail): void;
  /** Resolves when everything handed over is delivered or given up. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

const ATTEMPTS = 4;
const FIRST_RETRY_MS = 500;

/** Runs deliveries behind the caller's back, with retries, and knows what is still under way. */
class DeliveryQueue implements Mailer {
  readonly #pending = new Set<Promise<void>>();
  readonly #deliver: (mail: Mail) => Promise<unknown>;
  readonly #log: Logger;
  readonly #end: () => void;

  constructor(deliver: (mail: Mail) => Promise<unknown>, log: Logger, end: () => void = () => {}) {
    this.#deliver = deliver;
    this.#log = log;
    this.#end = end;
  }

  send(mail: Mail): void {
    const delivery = this.#attempt(mail).finally(() => this.#pending.delete(delivery));
    this.#pending.add(delivery);
  }

  async #attempt(mail: Mail): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#deliver(mail);
        return;
      } catch (error) {
        // The recipient and the text stay out of the log: the text may hold a sign-in code.
        if (attempt === ATTEMPTS) return this.#log.error({ err: error, subject: 'mail' }, 'mail given up');
        await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS * 4 ** (attempt - 1)));
      }
    }
  }

  async drain(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    await this.drain();
    this.#end();
  }
}

export async function smtpMailer(url: string, from: string, log: Logger): Promise<Mailer> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport(
    // Each wait has a bound, so that a silent mail server cannot hold up a shutdown for long.
    { url, pool: true, maxConnections: 4, connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 },
    { from },
  );
  return new DeliveryQueue(
    (mail) => transport.sendMail(mail),
    log,
    () => transport.close(),
  );
}

/** Without a mail server, what would be mailed is shown to the person who runs the server. */
export function consoleMailer(
  log: Logger,
  write: (text: string) => void = (text) => process.stdout.write(text),
): Mailer {
  return new DeliveryQueue(async ({ to, subject, text }) => {
    const body = text
      .split('\n')
      .map((line) => `  │ ${line}`)
      .join('\n');
    write(`\n  ┌ mail to ${to}: ${subject}\n${body}\n  └\n`);
  }, log);
}
