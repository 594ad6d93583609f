/** The one interface behind which judges stand. */

export type ReasoningEffort = 'minimal' | 'low' | 'medium' | 'high';

export interface JudgedPicture {
  bytes: Buffer;
  contentType: string;
}

export interface LabelledExample {
  inputs: Readonly<Record<string, string>>;
  passed: boolean;
  reasoning: string | null;
}

export interface Question {
  /** What must hold for the inputs to pass. */
  criterion: string;
  /** In the order in which the verifier declares them. */
  inputs: readonly { field: string; value: string }[];
  picture: JudgedPicture | null;
  examples: readonly LabelledExample[];
  /** Null: the judge's own default. */
  model: string | null;
  reasoningEffort: ReasoningEffort | null;
}

/** What a question asks of a judge. */
export interface Demand {
  model: string | null;
  withPicture: boolean;
}

export interface Judgement {
  passed: boolean;
  reasoning: string;
  /** Which judge, and which of its models. */
  judge: string;
}

export interface Judge {
  readonly name: string;
  /** Whether it is the built-in one, which knows less and says so. */
  readonly local: boolean;
  /** Whether this judge could be asked such a thing at all. */
  canJudge(demand: Demand): boolean;
  /** Throws JudgeFailure, or the signal's reason. */
  judge(question: Question, signal: AbortSignal): Promise<Judgement>;
  close(): Promise<void>;
}
