/**
 * Sign-up and sign-in by e-mail code. A caller must not learn from an answer, its time, or a limit whether an address
 * has an account, so known and unknown addresses take the same steps through the store.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { retryOnDuplicate } from '../../../platform/mongo/writes.js';
import type { Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { ApiKeyService, NewApiKey } from '../api-key/api-key.service.js';
import type { AccountsSettings } from '../deps.js';
import type { Limiter } from '../limiter.js';
import type { AfterAnswer } from '../outbox.js';
import { CODE_DIGITS, CODE_TRIES, CODE_WINDOW_SECONDS, parseEmail } from '../rules.js';
import { MINUTE_MS, plus, SECOND_MS } from '../time.js';
import type { Profile, UserDoc } from '../user/user.model.js';
import type { UserService } from '../user/user.service.js';
import { codeMail } from './sign-in.mail.js';
import type { CodeDoc } from './sign-in.model.js';

export interface SignInServiceDeps {
  codes: Collection<CodeDoc>;
  users: Collection<UserDoc>;
  userService: UserService;
  apiKeyService: ApiKeyService;
  limiter: Limiter;
  outbox: AfterAnswer;
  secrets: Secrets;
  settings: AccountsSettings;
  now: () => Date;
}

export interface SignedIn extends NewApiKey {
  user: Profile;
}

type Intent = 'REGISTER' | 'LOGIN';

export class SignInService {
  readonly #deps: SignInServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: SignInServiceDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'accounts-sweep', everyMs: MINUTE_MS, run: () => this.#sweep() }];
  }

  /** Returns the address as it is stored. */
  async requestCode(intent: Intent, address: string, scope: Pick<Scope, 'network'>): Promise<string> {
    const { codes, users, outbox, secrets, settings, now } = this.#deps;
    const email = parseEmail(address);
    await this.#limit(`network:${scope.network}`, settings.codesPerAddress);
    await this.#limit(`email:${email}`, settings.codesPerEmail);
    const known = (await users.findOne({ email }, { projection: { _id: 1 } })) !== null;
    const decoy = intent === 'LOGIN' && !known;
    const code = randomInt(10 ** CODE_DIGITS)
      .toString()
      .padStart(CODE_DIGITS, '0');
    const doc: Omit<CodeDoc, '_id'> = {
      // What a decoy would be verified by is known to nobody.
      mac: secrets.mac('code', `${email}\n${decoy ? randomBytes(32).toString('hex') : code}`),
      tries: 0,
      expiresAt: plus(now(), settings.codeTtlSeconds * SECOND_MS),
    };
    await retryOnDuplicate(() => codes.replaceOne({ _id: email }, doc, { upsert: true }));
    if (decoy) return email;
    const { codeTtlSeconds: validSeconds, publicUrl } = settings;
    outbox.send(codeMail({ to: email, code, known, validSeconds, publicUrl }));
    return email;
  }

  async #limit(subject: string, limit: number): Promise<void> {
    await this.#deps.limiter.take({
      key: `codes:${subject}`,
      limit,
      windowSeconds: CODE_WINDOW_SECONDS,
      message: 'Too many codes were asked for. Wait before you ask for another.',
    });
  }

  /** A right code proves control of the address, whether it was asked for to register or to sign in. */
  async verify(address: string, code: string): Promise<SignedIn> {
    const user = await this.prove(address, code);
    return { ...(await this.#deps.apiKeyService.createAtSignIn(user.userId)), user };
  }

  /** The account whose owner has the code, made at the first time. */
  async prove(address: string, code: string): Promise<Profile> {
    const email = parseEmail(address);
    if (!(await this.#redeem(email, code.trim()))) throw new Problem('invalid_credentials');
    const user = await this.#deps.userService.ensure(email);
    if (user.suspended) throw new Problem('account_suspended');
    return user;
  }

  /**
   * A try is spent before the code is compared, whatever the state of the code, so that a thousand guesses at once get
   * five comparisons and wrong, expired and void codes cost the same. Deleting the document decides between several
   * that bring the right code.
   */
  async #redeem(email: string, code: string): Promise<boolean> {
    const { codes, secrets, now } = this.#deps;
    const doc = await codes.findOneAndUpdate({ _id: email }, { $inc: { tries: 1 } }, { returnDocument: 'before' });
    const equal = secrets.verify('code', `${email}\n${code}`, doc?.mac ?? secrets.mac('code', ''));
    const open = doc !== null && doc.tries < CODE_TRIES && doc.expiresAt > now();
    if (!open || !equal) return false;
    const { deletedCount } = await codes.deleteOne({ _id: email, mac: doc.mac });
    return deletedCount === 1;
  }

  async #sweep(): Promise<void> {
    await this.#deps.codes.deleteMany({ expiresAt: { $lte: this.#deps.now() } });
    await this.#deps.limiter.sweep();
  }
}
