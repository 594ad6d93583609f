/**
 * The built-in judge: labelled examples vote on an input, each by how much the input is like it. It knows nothing but those
 * examples, cannot see pictures, says which judge it is and how sure, and does not guess without examples.
 */
import { type Encoder, EncoderFailure, similarity, type Vector } from '../embedding/encoder.js';
import { JudgeFailure } from './failure.js';
import type { Demand, Judge, Judgement, LabelledExample, Question } from './judge.js';

interface Likeness {
  example: LabelledExample;
  number: number;
  /** Over all fields, and of the field in which they differ most. */
  overall: number;
  least: number;
}

interface Leaning {
  passed: boolean;
  /** 0 to 1. */
  confidence: number;
  because: string;
}

/** How much a nearer example outweighs a farther one. */
const SHARPNESS = 12;
/** Below this, two texts have hardly anything in common. */
const UNLIKE = 0.35;
/** With examples of one kind only: at least this like one of them, in every field, to share its verdict. */
const ALIKE = 0.6;
const FEW = 4;
const UNSURE = 0.4;

export class LocalJudge implements Judge {
  readonly name = 'local';
  readonly local = true;
  readonly #encoder: Encoder;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  canJudge({ withPicture }: Demand): boolean {
    return !withPicture;
  }

  async judge(question: Question, signal: AbortSignal): Promise<Judgement> {
    if (question.examples.length === 0) throw new JudgeFailure('no_examples');
    const likenesses = await this.#compare(question, signal).catch((error: unknown) => {
      if (error instanceof EncoderFailure) throw new JudgeFailure('unreachable', { cause: error });
      throw error;
    });
    const { passed, confidence, because } = lean(likenesses);
    return { passed, reasoning: reasoningOf(question, because, confidence), judge: this.name };
  }

  /** The most alike first. */
  async #compare({ inputs, examples }: Question, signal: AbortSignal): Promise<Likeness[]> {
    const given = inputs.map(({ value }) => value);
    const known = examples.flatMap((example) => inputs.map(({ field }) => example.inputs[field] ?? ''));
    const vectors = await this.#encoder.encode([...given, ...known], signal);
    const likenesses = examples.map((example, i): Likeness => {
      const fields = inputs.map(({ field, value }, j) => {
        if (value.trim() === (example.inputs[field] ?? '').trim()) return 1;
        return likeness(vectors[j], vectors[given.length + i * inputs.length + j]);
      });
      const overall = fields.reduce((sum, one) => sum + one, 0) / fields.length;
      return { example, number: i + 1, overall, least: Math.min(...fields) };
    });
    return likenesses.toSorted((a, b) => b.overall - a.overall);
  }

  /** The encoder is whose it is that made it. */
  async close(): Promise<void> {}
}

function likeness(one: Vector | undefined, other: Vector | undefined): number {
  return one && other ? Math.max(0, similarity(one, other)) : 0;
}

function lean(likenesses: readonly Likeness[]): Leaning {
  const [nearest] = likenesses;
  if (!nearest) throw new JudgeFailure('no_examples');
  const { passed } = nearest.example;
  if (nearest.least === 1) return { passed, confidence: 1, because: `the inputs are those of ${named(nearest)}` };
  const bothKinds = likenesses.some(({ example }) => example.passed !== passed);
  return bothKinds ? weigh(likenesses, nearest) : likeTheOnlyKind(likenesses);
}

/** Every example votes, by its likeness, so that many can outvote the nearest. It decides where they are torn evenly. */
function weigh(likenesses: readonly Likeness[], nearest: Likeness): Leaning {
  let forNearest = 0;
  let all = 0;
  for (const { example, overall } of likenesses) {
    const weight = Math.exp(SHARPNESS * (overall - nearest.overall));
    all += weight;
    if (example.passed === nearest.example.passed) forNearest += weight;
  }
  const outvoted = forNearest * 2 < all;
  const passed = outvoted ? !nearest.example.passed : nearest.example.passed;
  const agreement = Math.abs(forNearest * 2 - all) / all;
  const closeness = Math.min(1, Math.max(0, (nearest.overall - UNLIKE) / (1 - UNLIKE)));
  const confidence = agreement * (0.4 + 0.6 * closeness);
  const likeness = `at a likeness of ${percent(nearest.overall)}`;
  const because = outvoted
    ? `the examples that ${passed ? 'pass' : 'fail'} together outweigh those that ${passed ? 'fail' : 'pass'}, though the most alike is ${named(nearest)}, ${likeness}`
    : `the inputs are most like ${named(nearest)}, ${likeness}`;
  return { passed, confidence, because };
}

/** Nothing shows where the line runs, so only what is like an example in every field shares its verdict. */
function likeTheOnlyKind(likenesses: readonly Likeness[]): Leaning {
  const closest = likenesses.reduce((best, one) => (one.least > best.least ? one : best));
  const kind = closest.example.passed;
  const alike = closest.least >= ALIKE;
  return {
    passed: alike ? kind : !kind,
    confidence: Math.min(0.5, Math.abs(closest.least - ALIKE)),
    because: alike
      ? `the inputs are like ${named(closest)}, at a likeness of ${percent(closest.least)} in the field that differs most; there are no examples of the other kind`
      : `the inputs are like none of the examples, all of which ${kind ? 'pass' : 'fail'} (the most alike: ${percent(closest.least)} in the field that differs most)`,
  };
}

function named({ example, number }: Likeness): string {
  return `example ${number}, which ${example.passed ? 'passes' : 'fails'}`;
}

function reasoningOf({ examples }: Question, because: string, confidence: number): string {
  const caveats = [
    ...(examples.length < FEW ? ['it has few examples to go by'] : []),
    ...(confidence < UNSURE ? ['it is unsure'] : []),
  ];
  const caveat = caveats.length > 0 ? ` Mind that ${caveats.join(' and ')}.` : '';
  return `Local judge, confidence ${confidence.toFixed(2)}: ${because}.${caveat} It compares with labelled examples and does not read the criterion.`;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
