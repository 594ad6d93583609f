/**
 * What an account does with its money, as changes of a value in memory: no store, no clock of its own. Each method
 * either changes the account and notes the entries of it, or refuses and changes nothing.
 *
 * What holds after every call, for each unit: the amounts of all entries add up to the pots and open reservations, what
 * they held to the open reservations, and what they owed to what is owed.
 */
import { newId } from '../../../platform/ids.js';
import { actOf, chargeOf, type Entry, type EntryKind, firstHoldOf } from '../ledger/ledger.model.js';
import { type BillingSettings, WELCOME_CREDITS } from '../settings.js';
import {
  type AccountDocument,
  type AccountKind,
  type Pot,
  type PotKind,
  type Reservation,
  type TierSlug,
  UNITS,
  type Unit,
} from './account.model.js';
import { nextMidnight, type Period, periodAt } from './months.js';

/** An account document is written whole: its size is bounded. */
export const MAX_OPEN_RESERVATIONS = 5_000;
const MAX_OUTBOX = 20_000;

export interface HoldRequest {
  runId: string;
  unit: Unit;
  amount: number;
  purpose: string;
  partner?: string;
  /** Holds what is held already for as long again. */
  renew?: boolean;
  /** What the account itself does not know of this run, the ledger does not know either. */
  fresh?: boolean;
}

export type HoldOutcome = { held: true; expiresAt: Date; partner: string | undefined } | { held: false; why: Refusal };
export type Refusal = 'exhausted' | 'crowded';

export interface Charged {
  amount: number;
  unit: Unit;
  purpose: string;
  partner: string | undefined;
  /** False when the run had been charged before. */
  first: boolean;
}

interface EntryFacts extends Partial<Omit<Entry, 'kind' | 'unit'>> {
  unit: Unit;
}

/** What the ledger knows of the once-keys that an operation asked about. */
export type Known = ReadonlyMap<string, Entry>;

export class Account {
  readonly #document: AccountDocument;
  readonly #settings: BillingSettings;
  readonly #now: Date;
  readonly #known: Known;
  readonly #asked: ReadonlySet<string>;
  /** Once-keys that something was decided by without the ledger having been asked: the decision is worth nothing. */
  readonly missing = new Set<string>();
  readonly #once = new Map<string, Entry>();
  readonly #fresh: Entry[] = [];
  pots: Pot[];
  readonly reservations: Map<string, Reservation>;
  readonly owed: Record<Unit, number>;
  tier: TierSlug;
  #tierVersion: number;
  #outbox: Entry[];
  #seq: number;
  #changed = false;

  constructor(
    document: AccountDocument,
    settings: BillingSettings,
    now: Date,
    known: Known = new Map(),
    asked: ReadonlySet<string> = new Set(),
  ) {
    this.#document = document;
    this.#settings = settings;
    this.#now = now;
    this.#known = known;
    this.#asked = asked;
    this.pots = document.pots.map((pot) => ({ ...pot }));
    this.reservations = new Map(document.reservations.map((reservation) => [reservation.runId, reservation]));
    this.owed = { ...document.owed };
    this.tier = document.tier;
    this.#tierVersion = document.tierVersion;
    this.#outbox = document.outbox;
    this.#seq = document.seq;
    for (const entry of document.outbox) if (entry.once !== undefined) this.#once.set(entry.once, entry);
    if (document.rev === 0) this.#open();
    this.#lapse();
    // What a new account is given is worth writing down when something happens to it.
    if (document.rev === 0) this.#changed = false;
  }

  get id(): string {
    return this.#document._id;
  }

  get period(): Period {
    return periodAt(this.#document.openedAt, this.#now);
  }

  /** Whether there is anything to write. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The entries that were noted since the document was read. */
  get fresh(): readonly Entry[] {
    return this.#fresh;
  }

  /** Leaves out of the outbox what the ledger has. That alone is no reason to write. */
  forget(written: ReadonlySet<string>): void {
    if (written.size > 0) this.#outbox = this.#outbox.filter(({ _id }) => !written.has(_id));
  }

  toDocument(): AccountDocument {
    const { _id, kind, rev, openedAt, outboxSince } = this.#document;
    const reservations = [...this.reservations.values()];
    const outbox = [...this.#outbox, ...this.#fresh];
    const sweepAt = reservations.reduce<Date | null>((first, { expiresAt }) => earliest(first, expiresAt), null);
    return {
      _id,
      kind,
      rev: rev + 1,
      openedAt,
      tier: this.tier,
      tierVersion: this.#tierVersion,
      pots: this.pots,
      reservations,
      owed: this.owed,
      seq: this.#seq,
      outbox,
      ...(outbox.length > 0 && { outboxSince: (this.#outbox.length > 0 && outboxSince) || this.#now }),
      ...(sweepAt && { sweepAt }),
    };
  }

  /** What has already been done under a once-key, here or, when it was asked for, in the ledger. */
  done(once: string): Entry | undefined {
    const found = this.#once.get(once) ?? this.#known.get(once);
    if (!found && !this.#asked.has(once)) this.missing.add(once);
    return found;
  }

  /** What a reservation may take. */
  available(unit: Unit): number {
    return this.pots.reduce((sum, pot) => sum + (pot.unit === unit ? pot.remaining : 0), 0);
  }

  heldOf(pots: readonly Pot[]): number {
    const ids = new Set(pots.map(({ id }) => id));
    let held = 0;
    for (const { parts } of this.reservations.values()) {
      for (const part of parts) if (ids.has(part.pot)) held += part.amount;
    }
    return held;
  }

  reserve({ runId, unit, amount, purpose, partner, renew = false, fresh = false }: HoldRequest): HoldOutcome {
    const done = (key: string) => (fresh ? this.#once.get(key) : this.done(key));
    const open = this.reservations.get(runId);
    if (open) {
      if (open.expiresAt > this.#now && !renew) return { held: true, expiresAt: open.expiresAt, partner: open.partner };
      // Either it is wanted for longer, or the sweeper has not been here yet, and the run is not dead after all.
      return this.#hold({ ...open, expiresAt: this.#deadline() });
    }
    // A repetition that arrives after the run was charged must not hold anything again.
    const charged = done(chargeOf(this.id, runId));
    if (charged) return { held: true, expiresAt: charged.at, partner: charged.partner };
    const waiting = this.#outbox.length + this.#fresh.length;
    if (this.reservations.size >= MAX_OPEN_RESERVATIONS || waiting >= MAX_OUTBOX)
      return { held: false, why: 'crowded' };
    if (this.available(unit) < amount) return { held: false, why: 'exhausted' };
    const parts = this.#take(unit, amount);
    const once = firstHoldOf(this.id, runId);
    const facts = { unit, held: amount, runId, purpose, partner };
    this.#note('hold', done(once) ? facts : { ...facts, once });
    return this.#hold({
      runId,
      unit,
      amount,
      parts,
      purpose,
      expiresAt: this.#deadline(),
      ...(partner && { partner }),
    });
  }

  #hold(reservation: Reservation): HoldOutcome {
    this.#changed = true;
    this.reservations.set(reservation.runId, reservation);
    return { held: true, expiresAt: reservation.expiresAt, partner: reservation.partner };
  }

  #deadline(): Date {
    return new Date(this.#now.getTime() + this.#settings.reservationTtlMs);
  }

  /**
   * Charges a run, once. Null: it was never reserved here. What the cost exceeds the reservation by is owed. A run whose
   * reservation is gone is charged to the pots as they are, and what they lack is owed.
   */
  settle(runId: string, amount: number, latePartner?: string): Charged | null {
    const once = chargeOf(this.id, runId);
    const open = this.reservations.get(runId);
    // A charge ends the reservation: what is still held is in no ledger as charged.
    const before = open ? this.#once.get(once) : this.done(once);
    if (before) return chargedBy(before, false);
    if (open) return this.#settleOpen(open, amount, once);
    const held = this.done(firstHoldOf(this.id, runId));
    if (!held) return null;
    const { unit, purpose = '' } = held;
    const taken = Math.min(amount, this.available(unit));
    this.#take(unit, taken);
    const partner = held.partner === undefined ? undefined : latePartner;
    return chargedBy(
      this.#note('charge', { unit, amount: -taken, owed: amount - taken, runId, purpose, partner, once }),
      true,
    );
  }

  #settleOpen({ runId, unit, amount: held, parts, purpose, partner }: Reservation, amount: number, once: string) {
    const covered = Math.min(amount, held);
    this.reservations.delete(runId);
    const facts = { unit, amount: -covered, held: -held, owed: amount - covered, runId, purpose, partner, once };
    const entry = this.#note('charge', facts);
    let spent = covered;
    const rest = parts.map(({ pot, amount: part }) => {
      const used = Math.min(spent, part);
      spent -= used;
      return { pot, amount: part - used };
    });
    this.#giveBack(unit, rest, runId);
    return chargedBy(entry, true);
  }

  /** Undefined when there was nothing to give back. */
  release(runId: string, note?: string): Reservation | undefined {
    const open = this.reservations.get(runId);
    if (!open) return undefined;
    const { unit, amount, parts, purpose, partner } = open;
    this.reservations.delete(runId);
    this.#note('release', { unit, held: -amount, runId, purpose, partner, note });
    this.#giveBack(unit, parts, runId);
    return open;
  }

  /** Back into the pots it came from. A grant that ran out meanwhile takes what is left of it along. */
  #giveBack(unit: Unit, parts: Reservation['parts'], runId: string): void {
    for (const { pot: id, amount } of parts) {
      if (amount === 0) continue;
      const pot = this.pots.find((candidate) => candidate.id === id);
      if (pot) pot.remaining += amount;
      else this.#note('expire', { unit, amount: -amount, runId });
    }
    this.#prune();
  }

  #take(unit: Unit, amount: number): Reservation['parts'] {
    const parts: Reservation['parts'] = [];
    let missing = amount;
    for (const pot of this.pots.filter((candidate) => candidate.unit === unit).sort(bySpending)) {
      const taken = Math.min(missing, pot.remaining);
      if (taken === 0) continue;
      pot.remaining -= taken;
      missing -= taken;
      parts.push({ pot: pot.id, amount: taken });
    }
    return parts;
  }

  /** Money that was bought or given. False: this source was honoured before. */
  grant(grant: { source: string; unit: Unit; kind: PotKind; amount: number; expiresAt: Date | null; note?: string }) {
    const { source, unit, kind, amount, expiresAt, note } = grant;
    const once = actOf(this.id, 'grant', source);
    if (this.done(once)) return false;
    this.#note('grant', { unit, amount, pot: kind, note, once });
    if (expiresAt && expiresAt <= this.#now) {
      this.#note('expire', { unit, amount: -amount, pot: kind });
      return true;
    }
    const id = expiresAt ? `${unit}:${kind}:${expiresAt.getTime()}` : `${unit}:${kind}`;
    const pot = this.#pot({ id, unit, kind, remaining: 0, granted: 0, expiresAt, refillsTo: null, refillsAt: null });
    pot.remaining += amount;
    pot.granted = pot.remaining + this.heldOf([pot]);
    this.#repay(pot);
    return true;
  }

  #pot(fresh: Pot): Pot {
    const found = this.pots.find(({ id }) => id === fresh.id);
    if (found) return found;
    this.pots.push(fresh);
    return fresh;
  }

  /**
   * Takes money back that came in, as a refund or a dispute does. A pot never falls below zero: what is no longer in
   * pots of this kind is owed. Null: this source was honoured before.
   */
  takeBack(back: { source: string; unit: Unit; kind: PotKind; amount: number; note?: string }) {
    const { source, unit, kind, amount, note } = back;
    const once = actOf(this.id, 'take_back', source);
    if (this.done(once)) return null;
    let missing = amount;
    const pots = this.pots.filter((candidate) => candidate.unit === unit && candidate.kind === kind);
    for (const pot of pots.sort(bySpending)) {
      const taken = Math.min(missing, pot.remaining);
      pot.remaining -= taken;
      pot.granted -= taken;
      missing -= taken;
    }
    this.#note('take_back', { unit, amount: missing - amount, owed: missing, pot: kind, note, once });
    this.#prune();
    return { taken: amount - missing, owed: missing };
  }

  /** One paid month of a subscription. With `upTo` what is unused stays, up to that sum in all; without, it lapses. */
  renew(renewal: {
    source: string;
    subscription: string;
    amount: number;
    upTo: number | null;
    periodEnd: Date;
    endsAt: Date | null;
    note?: string;
  }): { applied: boolean; granted: number } {
    const { source, subscription, amount, upTo, periodEnd, note } = renewal;
    const unit: Unit = 'credits';
    const once = actOf(this.id, 'renewal', source);
    const before = this.done(once);
    if (before) return { applied: false, granted: before.amount };
    const present = this.pots.find((pot) => pot.subscription === subscription);
    const endsAt = earliest(renewal.endsAt, present?.endsAt ?? null);
    const refill = { unit, pot: 'subscription' as const, note, once };
    if (upTo !== null) {
      const pot = present ?? this.#subscriptionPot(subscription);
      const granted = Math.max(0, Math.min(amount, upTo - pot.remaining - this.heldOf([pot])));
      this.#note('refill', { ...refill, amount: granted });
      pot.remaining += granted;
      pot.granted = pot.remaining + this.heldOf([pot]);
      Object.assign(pot, { refillsTo: amount, refillsAt: latest(pot.refillsAt, periodEnd), endsAt, expiresAt: endsAt });
      this.#repay(pot);
      this.#lapse();
      return { applied: true, granted };
    }
    this.#note('refill', { ...refill, amount });
    if (present?.refillsAt && present.refillsAt >= periodEnd) {
      // Invoices arrive in any order: a later month is here already, and this one's grant would have lapsed with it.
      this.#note('expire', { unit, amount: -amount, pot: 'subscription' });
      return { applied: true, granted: amount };
    }
    if (present) this.#drop(present);
    const pot = this.#subscriptionPot(subscription);
    const expiresAt = earliest(periodEnd, endsAt);
    Object.assign(pot, {
      remaining: amount,
      granted: amount,
      refillsTo: amount,
      refillsAt: periodEnd,
      endsAt,
      expiresAt,
    });
    this.#repay(pot);
    this.#lapse();
    return { applied: true, granted: amount };
  }

  /** Numbered: what is still held of a pot that is gone must not come back into a later one of the subscription. */
  #subscriptionPot(subscription: string): Pot {
    const id = `credits:subscription:${subscription}:${this.#seq}`;
    const empty = { remaining: 0, granted: 0, expiresAt: null, refillsTo: null, refillsAt: null, endsAt: null };
    const pot: Pot = { id, unit: 'credits', kind: 'subscription', ...empty, subscription };
    this.pots.push(pot);
    return pot;
  }

  /** A subscription was cancelled: what is left of it can be spent until then. */
  endSubscription({ source, subscription, endsAt }: { source: string; subscription: string; endsAt: Date }): boolean {
    const unit: Unit = 'credits';
    const once = actOf(this.id, 'end', source);
    if (this.done(once)) return false;
    this.#note('subscription_end', { unit, pot: 'subscription', note: subscription, once });
    let pot = this.pots.find((candidate) => candidate.subscription === subscription);
    if (!pot) {
      // It may be heard of before the payments that it ends.
      pot = this.#subscriptionPot(subscription);
    }
    pot.endsAt = earliest(pot.endsAt ?? null, endsAt);
    pot.expiresAt = earliest(pot.expiresAt, endsAt);
    this.#lapse();
    return true;
  }

  /**
   * A better tier raises this month's grant at once by what it grants more than the month was granted before; a lesser
   * one takes nothing away and counts from the next refill.
   */
  setTier({
    source,
    tier,
    version,
    note,
  }: {
    source: string;
    tier: TierSlug;
    version?: number;
    note?: string;
  }): boolean {
    const unit: Unit = 'usd_micros';
    const once = actOf(this.id, 'tier', source);
    if (this.done(once) || (version !== undefined && version <= this.#tierVersion)) return false;
    if (version !== undefined) this.#tierVersion = version;
    const refillsTo = this.#settings.refills[tier];
    const pot = this.pots.find(({ kind }) => kind === 'monthly');
    const more = pot ? Math.max(0, refillsTo - pot.granted) : 0;
    this.tier = tier;
    this.#note('tier', { unit, amount: more, pot: 'monthly', note: note ?? tier, once });
    if (!pot) return true;
    pot.refillsTo = refillsTo;
    pot.remaining += more;
    pot.granted += more;
    this.#repay(pot);
    return true;
  }

  #open(): void {
    if (this.#document.kind === 'cap') {
      const expiresAt = nextMidnight(this.#document.openedAt);
      const amount = this.#settings.anonymousDailyCap;
      this.#fill({ ...monthlyPot('usd_micros', 'anonymous', amount, expiresAt), refillsTo: null, refillsAt: null });
      return;
    }
    const { end } = this.period;
    if (this.#document.kind === 'network') {
      for (const unit of UNITS) this.#fill(monthlyPot(unit, 'anonymous', this.#monthly(unit), end));
      return;
    }
    this.#fill(monthlyPot('usd_micros', 'monthly', this.#monthly('usd_micros'), end));
    const welcome = { id: 'credits:welcome', unit: 'credits', kind: 'welcome', remaining: WELCOME_CREDITS } as const;
    const forGood = { granted: WELCOME_CREDITS, expiresAt: null, refillsTo: null, refillsAt: null };
    this.pots.push({ ...welcome, ...forGood });
    this.#note('grant', { unit: 'credits', amount: WELCOME_CREDITS, pot: 'welcome' });
  }

  #monthly(unit: Unit): number {
    const { refills, anonymousGrant, anonymousMonthlyImages } = this.#settings;
    if (this.#document.kind === 'user') return refills[this.tier];
    return unit === 'usd_micros' ? anonymousGrant : anonymousMonthlyImages;
  }

  /** Brings the account to the present: what has expired goes, what is due is refilled. */
  #lapse(): void {
    for (;;) {
      const due = this.pots.find(({ expiresAt }) => expiresAt !== null && expiresAt <= this.#now);
      if (!due) return;
      this.#drop(due);
      if (due.kind === 'monthly' || due.kind === 'anonymous') this.#refill(due);
    }
  }

  #drop(pot: Pot): void {
    this.#changed = true;
    this.pots = this.pots.filter((other) => other !== pot);
    if (pot.remaining > 0) this.#note('expire', { unit: pot.unit, amount: -pot.remaining, pot: pot.kind });
  }

  #refill({ unit, kind, refillsTo, expiresAt }: Pot): void {
    if (refillsTo === null || expiresAt === null) return;
    // Months that passed unseen only matter while they have something to repay.
    const from = this.owed[unit] > 0 ? expiresAt : this.#now;
    const { end } = periodAt(this.#document.openedAt, from);
    this.#fill(monthlyPot(unit, kind, this.#monthly(unit), end));
  }

  #fill(pot: Pot): void {
    this.pots.push(pot);
    this.#note('refill', { unit: pot.unit, amount: pot.granted, pot: pot.kind });
    this.#repay(pot);
  }

  #repay(pot: Pot): void {
    const amount = Math.min(this.owed[pot.unit], pot.remaining);
    if (amount === 0) return;
    pot.remaining -= amount;
    this.#note('repay', { unit: pot.unit, amount: -amount, owed: -amount, pot: pot.kind });
  }

  /** Pots that nothing can come back to are not kept. */
  #prune(): void {
    const used = new Set([...this.reservations.values()].flatMap(({ parts }) => parts.map(({ pot }) => pot)));
    this.pots = this.pots.filter(
      ({ id, remaining, refillsTo, subscription }) =>
        remaining > 0 || refillsTo !== null || subscription !== undefined || used.has(id),
    );
  }

  #note(kind: EntryKind, { unit, ...facts }: EntryFacts): Entry {
    this.#changed = true;
    this.#seq += 1;
    const entry: Entry = {
      _id: newId(),
      accountId: this.id,
      seq: this.#seq,
      at: this.#now,
      kind,
      unit,
      amount: 0,
      held: 0,
      owed: 0,
      ...facts,
    };
    this.owed[unit] += entry.owed;
    if (entry.once !== undefined) this.#once.set(entry.once, entry);
    this.#fresh.push(entry);
    return entry;
  }
}

function chargedBy({ amount, owed, unit, purpose = '', partner }: Entry, first: boolean): Charged {
  return { amount: owed - amount, unit, purpose, partner, first };
}

/** An account that nothing has happened to. */
export function emptyAccount(id: string, kind: AccountKind, openedAt: Date): AccountDocument {
  return {
    _id: id,
    kind,
    rev: 0,
    openedAt,
    tier: 'hobby',
    tierVersion: 0,
    pots: [],
    reservations: [],
    owed: { usd_micros: 0, credits: 0 },
    seq: 0,
    outbox: [],
  };
}

function monthlyPot(unit: Unit, kind: PotKind, amount: number, end: Date): Pot {
  const id = `${unit}:${kind}:${end.getTime()}`;
  return { id, unit, kind, remaining: amount, granted: amount, expiresAt: end, refillsTo: amount, refillsAt: end };
}

/** Welcome first, what was bought last, and else what expires first. */
function bySpending(a: Pot, b: Pot): number {
  return rank(a) - rank(b) || time(a.expiresAt) - time(b.expiresAt) || (a.id < b.id ? -1 : 1);
}

function rank({ kind }: Pot): number {
  return kind === 'welcome' ? 0 : kind === 'purchased' ? 2 : 1;
}

function time(date: Date | null): number {
  return date?.getTime() ?? Number.MAX_SAFE_INTEGER;
}

function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function latest(a: Date | null, b: Date): Date {
  return a !== null && a > b ? a : b;
}
