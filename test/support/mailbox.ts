/** A real SMTP server that keeps what it receives. */
import { type AddressInfo, createServer } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  to: string;
  text: string;
}

export interface Mailbox {
  url: string;
  mails: ReceivedMail[];
  /** The newest sign-in code mailed to an address; waits for it. */
  code(email: string, after?: number): Promise<string>;
  waitFor(matches: (mail: ReceivedMail) => boolean, after?: number): Promise<ReceivedMail>;
  close(): Promise<void>;
}

const PATIENCE_MS = 10_000;

export async function openMailbox(): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8').replaceAll('=\r\n', '');
        for (const { address } of session.envelope.rcptTo) mails.push({ to: address.toLowerCase(), text });
        done();
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.server.address() as AddressInfo).port));
  });
  const mailbox: Mailbox = {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async waitFor(matches, after = 0) {
      const deadline = Date.now() + PATIENCE_MS;
      while (Date.now() < deadline) {
        const found = mails.slice(after).findLast(matches);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no such mail among ${mails.length - after}`);
    },
    async code(email, after) {
      const hasCode = /^\s*(\d{6})\s*$/m;
      const mail = await mailbox.waitFor(({ to, text }) => to === email.toLowerCase() && hasCode.test(text), after);
      return hasCode.exec(mail.text)?.[1] ?? '';
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return mailbox;
}

/** A port that nothing listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
