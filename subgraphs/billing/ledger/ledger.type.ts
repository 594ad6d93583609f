import { Directive, Field, Float, ID, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import { usdOf } from '../settings.js';
import type { Entry } from './ledger.model.js';

export enum LedgerUnit {
  USD = 'usd_micros',
  CREDITS = 'credits',
}
registerEnumType(LedgerUnit, {
  name: 'LedgerUnit',
  description: 'What the amounts of an entry count.',
  valuesConfig: { USD: { description: 'Dollars.' }, CREDITS: { description: 'Whole credits.' } },
});

export enum LedgerEntryKind {
  GRANT = 'grant',
  REFILL = 'refill',
  EXPIRE = 'expire',
  HOLD = 'hold',
  CHARGE = 'charge',
  RELEASE = 'release',
  REPAY = 'repay',
  TAKE_BACK = 'take_back',
  TIER = 'tier',
  SUBSCRIPTION_END = 'subscription_end',
}
registerEnumType(LedgerEntryKind, {
  name: 'LedgerEntryKind',
  description: 'What happened.',
  valuesConfig: {
    GRANT: { description: 'Something was bought or given.' },
    REFILL: { description: 'A new month of a grant or a subscription.' },
    EXPIRE: { description: 'What was left of a grant lapsed.' },
    HOLD: { description: 'A run began, and its price was set aside.' },
    CHARGE: { description: 'A run ended and was charged.' },
    RELEASE: { description: 'A run came to nothing, and what was set aside was given back.' },
    REPAY: { description: 'What was owed was paid.' },
    TAKE_BACK: { description: 'A purchase was refunded or disputed.' },
    TIER: { description: 'The tier changed.' },
    SUBSCRIPTION_END: { description: 'A subscription was cancelled.' },
  },
});

export enum LedgerPot {
  WELCOME = 'welcome',
  MONTHLY = 'monthly',
  SUBSCRIPTION = 'subscription',
  PURCHASED = 'purchased',
  ANONYMOUS = 'anonymous',
}
registerEnumType(LedgerPot, { name: 'LedgerPot', description: 'The kind of pot that an entry is about.' });

@ObjectType({ description: 'One change of an account. The amounts of all entries add up to what is there.' })
@Directive('@key(fields: "id")')
export class LedgerEntry {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => Date, { description: 'When it happened.' })
  at!: Date;

  @Field(() => LedgerEntryKind, { description: 'What happened.' })
  kind!: LedgerEntryKind;

  @Field(() => LedgerUnit, { description: 'What the amounts count.' })
  unit!: LedgerUnit;

  @Field(() => Float, { description: 'What came in (above zero) or went (below).' })
  amount!: number;

  @Field(() => Float, { description: 'By how much it changed what is set aside for runs under way.' })
  held!: number;

  @Field(() => Float, { description: 'By how much it changed what is owed.' })
  owed!: number;

  @Field(() => LedgerPot, { nullable: true, description: 'The kind of pot, where it is about one.' })
  pot!: LedgerPot | null;

  @Field(() => ID, { nullable: true, description: 'The run, where it is about one.' })
  runId!: string | null;

  @Field(() => String, { nullable: true, description: 'What the run was: for example generation, verifier_run.' })
  purpose!: string | null;
}

export const LedgerEntryConnection = connectionType('LedgerEntry', () => LedgerEntry);

export function ledgerEntryView({ _id, at, kind, unit, pot, runId, purpose, ...entry }: Entry): LedgerEntry {
  const shown = (amount: number) => (unit === 'usd_micros' ? usdOf(amount) : amount);
  return {
    id: PlainId.format(_id),
    at,
    kind: kind as LedgerEntryKind,
    unit: unit as LedgerUnit,
    amount: shown(entry.amount),
    held: shown(entry.held),
    owed: shown(entry.owed),
    pot: (pot ?? null) as LedgerPot | null,
    runId: runId ?? null,
    purpose: purpose ?? null,
  };
}
