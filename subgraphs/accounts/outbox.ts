/** Mails that leave after the answer, so that its time does not tell whether there was one to send. */
import type { Mail, Mailer } from '../../platform/mail.js';

export class AfterAnswer {
  readonly #mailer: Mailer;
  #waiting: Mail[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(mailer: Mailer) {
    this.#mailer = mailer;
  }

  send(mail: Mail): void {
    this.#waiting.push(mail);
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const mails = this.#waiting;
    this.#waiting = [];
    for (const mail of mails) this.#mailer.send(mail);
  }
}
