/**
 * What accounts should do, said as simply as it can be: pots are objects, months pass one by one, nothing is stored and
 * nothing happens at the same time.
 */
import type { TierSlug, Unit } from '../../../subgraphs/billing/account/account.model.js';
import { BILLING_SETTINGS } from './settings.js';

interface Pot {
  unit: Unit;
  kind: string;
  left: number;
  granted: number;
  until: number | null;
  gone: boolean;
  subscription?: string;
  endsAt: number | null;
  paidUntil: number | null;
}

interface Run {
  unit: Unit;
  open: { amount: number; parts: { pot: Pot; amount: number }[]; until: number; cap: string | null } | null;
  charged: number | null;
  chargedCap: string | null;
  hasCap: boolean;
}

export interface View {
  available: Record<Unit, number>;
  owed: Record<Unit, number>;
  /** By run: what is held, and of which pots. */
  open: Record<string, [amount: number, ...from: string[]]>;
  /** Where the money is: two orders of things done at once may differ in nothing else, until a pot expires. */
  pots: string[];
  tier: TierSlug;
}

export class ModelAccount {
  readonly kind: 'user' | 'network' | 'cap';
  readonly openedAt: number;
  tier: TierSlug = 'hobby';
  #months = 0;
  pots: Pot[] = [];
  runs = new Map<string, Run>();
  owed: Record<Unit, number> = { usd_micros: 0, credits: 0 };
  done = new Map<string, number>();

  constructor(kind: ModelAccount['kind'], openedAt: Date, now: Date) {
    this.kind = kind;
    this.openedAt = openedAt.getTime();
    const { refills, anonymousGrant, anonymousDailyCap, anonymousMonthlyImages } = BILLING_SETTINGS;
    if (kind === 'cap') {
      this.#add('usd_micros', 'anonymous', anonymousDailyCap, this.openedAt + 86_400_000);
    } else {
      while (this.#monthEnd(this.#months) <= now.getTime()) this.#months += 1;
      const until = this.#monthEnd(this.#months);
      if (kind === 'user') {
        this.#add('usd_micros', 'monthly', refills.hobby, until);
        this.#add('credits', 'welcome', 50, null);
      } else {
        this.#add('usd_micros', 'anonymous', anonymousGrant, until);
        this.#add('credits', 'anonymous', anonymousMonthlyImages, until);
      }
    }
    this.tick(now);
  }

  clone(): ModelAccount {
    const twin = new ModelAccount(this.kind, new Date(this.openedAt), new Date(this.openedAt));
    // Runs refer to pots: what is copied together stays connected.
    const { pots, runs, owed, done } = structuredClone({
      pots: this.pots,
      runs: this.runs,
      owed: this.owed,
      done: this.done,
    });
    twin.#months = this.#months;
    return Object.assign(twin, { tier: this.tier, pots, runs, owed, done });
  }

  /** The day of the month of the beginning, or the last one of a month that has no such day. */
  #monthEnd(months: number): number {
    const opened = new Date(this.openedAt);
    const same = new Date(this.openedAt);
    same.setUTCDate(1);
    same.setUTCMonth(opened.getUTCMonth() + months + 1);
    const month = same.getUTCMonth();
    same.setUTCDate(opened.getUTCDate());
    while (same.getUTCMonth() !== month) same.setUTCDate(0);
    return same.getTime();
  }

  #add(unit: Unit, kind: string, left: number, until: number | null, more: Partial<Pot> = {}): Pot {
    const pot: Pot = { unit, kind, left, granted: left, until, gone: false, endsAt: null, paidUntil: null, ...more };
    this.pots.push(pot);
    return pot;
  }

  #repay(pot: Pot): void {
    const paid = Math.min(pot.left, this.owed[pot.unit]);
    pot.left -= paid;
    this.owed[pot.unit] -= paid;
  }

  tick(now: Date): void {
    const at = now.getTime();
    while (this.kind !== 'cap' && this.#monthEnd(this.#months) <= at) {
      const until = this.#monthEnd(this.#months);
      this.#months += 1;
      for (const pot of this.pots.filter((one) => one.kind === 'monthly' || one.kind === 'anonymous')) {
        if (pot.until !== until) continue;
        pot.gone = true;
        this.#repay(this.#add(pot.unit, pot.kind, this.#month(pot.unit), this.#monthEnd(this.#months)));
      }
    }
    for (const pot of this.pots) if (pot.until !== null && pot.until <= at) pot.gone = true;
    this.pots = this.pots.filter(({ gone }) => !gone);
  }

  #month(unit: Unit): number {
    const { refills, anonymousGrant, anonymousMonthlyImages } = BILLING_SETTINGS;
    if (this.kind === 'user') return refills[this.tier];
    return unit === 'usd_micros' ? anonymousGrant : anonymousMonthlyImages;
  }

  available(unit: Unit): number {
    return this.pots.reduce((sum, pot) => sum + (pot.unit === unit ? pot.left : 0), 0);
  }

  #inOrder(unit: Unit): Pot[] {
    const rank = ({ kind }: Pot) => ['welcome', 'purchased'].indexOf(kind);
    const place = (pot: Pot) => (rank(pot) === 0 ? 0 : rank(pot) === 1 ? 2 : 1);
    const end = ({ until }: Pot) => until ?? 9e15;
    return this.pots
      .filter((pot) => pot.unit === unit)
      .sort(
        (a, b) => place(a) - place(b) || end(a) - end(b) || ((a.subscription ?? '') < (b.subscription ?? '') ? -1 : 1),
      );
  }

  #take(unit: Unit, amount: number): { pot: Pot; amount: number }[] {
    let missing = amount;
    return this.#inOrder(unit).map((pot) => {
      const taken = Math.min(missing, pot.left);
      pot.left -= taken;
      missing -= taken;
      return { pot, amount: taken };
    });
  }

  reserve(now: Date, runId: string, unit: Unit, amount: number, cap: string | null = null) {
    this.tick(now);
    const run = this.runs.get(runId);
    const until = now.getTime() + BILLING_SETTINGS.reservationTtlMs;
    if (run?.open) {
      if (run.open.until <= now.getTime()) run.open.until = until;
      return { ok: true, cap: run.open.cap };
    }
    if (run?.charged != null) return { ok: true, cap: run.chargedCap };
    if (this.available(unit) < amount) return { ok: false, cap: null };
    const open = { amount, parts: this.#take(unit, amount), until, cap };
    const first = run ?? { unit, charged: null, chargedCap: null, hasCap: cap !== null };
    this.runs.set(runId, { ...first, open });
    return { ok: true, cap };
  }

  settle(now: Date, runId: string, amount: number, lateCap: string | null = null) {
    this.tick(now);
    const run = this.runs.get(runId);
    if (!run) return null;
    if (run.charged !== null) return { charged: run.charged, cap: run.chargedCap };
    run.charged = amount;
    if (!run.open) {
      const taken = this.#take(run.unit, Math.min(amount, this.available(run.unit)));
      this.owed[run.unit] += amount - taken.reduce((sum, part) => sum + part.amount, 0);
      run.chargedCap = run.hasCap ? lateCap : null;
      return { charged: amount, cap: run.chargedCap };
    }
    const { open } = run;
    run.open = null;
    run.chargedCap = open.cap;
    this.owed[run.unit] += Math.max(0, amount - open.amount);
    let cost = amount;
    for (const { pot, amount: held } of open.parts) {
      const back = Math.max(0, held - cost);
      cost -= held - back;
      if (!pot.gone) pot.left += back;
    }
    return { charged: amount, cap: open.cap };
  }

  release(now: Date, runId: string) {
    this.tick(now);
    const run = this.runs.get(runId);
    if (!run?.open) return null;
    const { open } = run;
    for (const { pot, amount } of open.parts) if (!pot.gone) pot.left += amount;
    run.open = null;
    return { cap: open.cap };
  }

  grant(now: Date, source: string, unit: Unit, amount: number, until: number | null): boolean {
    this.tick(now);
    if (this.#again(`grant ${source}`, amount)) return false;
    const same = this.pots.find((pot) => pot.unit === unit && pot.kind === 'purchased' && pot.until === until);
    const pot = same ?? this.#add(unit, 'purchased', 0, until);
    pot.left += amount;
    if (until === null || until > now.getTime()) this.#repay(pot);
    this.tick(now);
    return true;
  }

  #again(act: string, amount: number): boolean {
    if (this.done.has(act)) return true;
    this.done.set(act, amount);
    return false;
  }

  takeBack(now: Date, source: string, unit: Unit, amount: number): { taken: number; owed: number } | null {
    this.tick(now);
    if (this.#again(`take back ${source}`, amount)) return null;
    let missing = amount;
    for (const pot of this.#inOrder(unit).filter(({ kind }) => kind === 'purchased')) {
      const taken = Math.min(missing, pot.left);
      pot.left -= taken;
      missing -= taken;
    }
    this.owed[unit] += missing;
    return { taken: amount - missing, owed: missing };
  }

  renew(now: Date, source: string, subscription: string, amount: number, upTo: number | null, paidUntil: number) {
    this.tick(now);
    const known = this.done.get(`renewal ${source}`);
    if (known !== undefined) return known;
    const pot = this.pots.find((one) => one.subscription === subscription);
    const endsAt = pot?.endsAt ?? null;
    const note = (granted: number) => {
      this.done.set(`renewal ${source}`, granted);
      this.tick(now);
      return granted;
    };
    if (upTo !== null) {
      const into = pot ?? this.#add('credits', 'subscription', 0, null, { subscription });
      const held = [...this.runs.values()]
        .flatMap(({ open }) => open?.parts ?? [])
        .reduce((sum, part) => sum + (part.pot === into ? part.amount : 0), 0);
      const granted = Math.max(0, Math.min(amount, upTo - into.left - held));
      into.left += granted;
      this.#repay(into);
      return note(granted);
    }
    if (pot?.paidUntil != null && pot.paidUntil >= paidUntil) return note(amount);
    if (pot) pot.gone = true;
    const until = Math.min(paidUntil, endsAt ?? paidUntil);
    this.#repay(this.#add('credits', 'subscription', amount, until, { subscription, endsAt, paidUntil }));
    return note(amount);
  }

  end(now: Date, source: string, subscription: string, endsAt: number): boolean {
    this.tick(now);
    if (this.#again(`end ${source}`, 0)) return false;
    const found = this.pots.find((one) => one.subscription === subscription);
    const pot = found ?? this.#add('credits', 'subscription', 0, null, { subscription });
    pot.endsAt = Math.min(pot.endsAt ?? endsAt, endsAt);
    pot.until = Math.min(pot.until ?? endsAt, endsAt);
    this.tick(now);
    return true;
  }

  setTier(now: Date, source: string, tier: TierSlug): boolean {
    this.tick(now);
    if (this.#again(`tier ${source}`, 0)) return false;
    this.tier = tier;
    for (const pot of this.pots.filter(({ kind }) => kind === 'monthly')) {
      const more = Math.max(0, BILLING_SETTINGS.refills[tier] - pot.granted);
      pot.left += more;
      pot.granted += more;
      this.#repay(pot);
    }
    return true;
  }

  view(now: Date): View {
    this.tick(now);
    const open = [...this.runs].flatMap(([id, run]) => {
      const from = run.open?.parts.filter(({ amount }) => amount > 0) ?? [];
      const named = from.map(({ pot, amount }) => `${amount} ${pot.gone ? 'gone' : nameOf(pot.kind, pot.until)}`);
      return run.open ? [[id, [run.open.amount, ...named]] as const] : [];
    });
    return {
      available: { usd_micros: this.available('usd_micros'), credits: this.available('credits') },
      owed: { ...this.owed },
      open: Object.fromEntries(open.sort(([a], [b]) => (a < b ? -1 : 1))) as View['open'],
      pots: this.pots
        .filter(({ left, subscription }) => left > 0 || subscription !== undefined)
        .map(({ unit, kind, left, until }) => `${left} ${unit} ${nameOf(kind, until)}`)
        .sort(),
      tier: this.tier,
    };
  }
}

export function nameOf(kind: string, until: number | null): string {
  return `${kind} until ${until ?? 'spent'}`;
}
