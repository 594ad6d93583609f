import { type PackSubject, type PromptPack, savingSection, subjectSection } from './prompt-pack.js';

export const MAX_ITERATIONS = 1000;
export const OPTIMIZE_ITERATIONS = 20;
export const DESCRIPTION_ITERATIONS = 10;

export function optimizePack(subject: PackSubject, maxIterations: number): PromptPack {
  return {
    skillMd: `# Optimize a workflow

You improve this workflow by trying it, measuring, and changing one thing at a time. You have at most ${maxIterations}
iterations. The verifiers are the measure; the user decides what counts.

${subjectSection(subject)}

## 1. Fix the measure

1. Collect 6 to 12 test cases with the user: ordinary ones, hard ones, and at least two at which the workflow has failed.
   Keep a third of them aside; do not look at those while you change the text.
2. List the verifiers above, and what each judges. If none judges what the user cares about most, deploy one first
   (\`deploy_verifier\`): without a measure this is guessing, and you should say so and stop.
3. Agree what counts, in this order: the share of verdicts that pass over all cases and verifiers; then fewer questions to
   the user; then a shorter body.
4. Each run of a verifier costs credit. Work out runs per iteration (cases times verifiers), say what ${maxIterations}
   iterations would cost at most (\`get_usage\` tells what is left), and get the user's yes before you begin.

## 2. Take the baseline

Follow the body as it stands on every working case, run every verifier on each result, and write the verdicts down with
their reasons. A case that fails only sometimes is run three times; the worst verdict counts.

## 3. Iterate

Repeat, at most ${maxIterations} times:

1. **Choose** the failure that costs the most. Quote the verifier's reason.
2. **Explain** in one sentence which words of the body lead to it. If you cannot, choose another failure.
3. **Change one thing**: add the missing rule, make a step's result explicit, move a rule to where it is needed, add one
   example, remove a sentence that misleads, split a step. Do not write around a single case.
4. **Run** all working cases again, the passing ones too.
5. **Keep** the change if the measure is better and nothing that passed fails; **undo** it otherwise.
6. **Note**: number, change, reason, measure before and after, kept or undone.

Never make a verifier easier to pass. If a verifier is wrong, stop and settle that with the user first.

Stop early when every verdict passes; when three iterations in a row were undone; when what is left needs something
that no wording gives (a tool, data, access); or when the user's budget is used up (\`402 budget_exhausted\`).

## 4. Check honestly

Run the cases that you kept aside, once. If they do clearly worse than the working cases, the text has learned the cases
and not the task: undo the changes that speak of single cases, and say so.

## 5. Report

Show the log of iterations, the measure at the baseline, at the end, and on the cases kept aside, the diff of the body, and
what is still open. Wait for a clear yes.

${savingSection(subject)}
`,
    references: {},
  };
}

export function optimizeDescriptionPack(subject: PackSubject, maxIterations: number): PromptPack {
  return {
    skillMd: `# Optimize a workflow's description

Agents see only the name and the description when they choose a workflow. You make this one be chosen when it helps and
left alone when it does not. You have at most ${maxIterations} iterations, and you change the description alone: the body
stays as it is.

${subjectSection(subject)}

## 1. Write the queries

Write 20 requests as people would really type them: short and long, with typos, without the workflow's own words.

- **10 that need it**, from different angles: the outcome asked for directly, the problem described without naming the
  task, a follow-up in the middle of a talk, the jargon of the field, plain words.
- **10 that do not**, and look as if they did: the same topic with another outcome, a neighbouring task, a question about
  the subject instead of the doing of it, something to be done once.

Show them to the user and let them correct which is which. Keep 3 of each kind aside.

## 2. Measure

For each query decide, from the name and the description alone and beside five other plausible workflows (take those of
\`list_workflows\`, or invent neighbours), whether an agent would choose this one. Judge coldly: what is not said is not
known. Count **missed** (needed, not chosen) and **wrong** (chosen, not needed).

## 3. Iterate

Repeat, at most ${maxIterations} times:

1. Take the most frequent kind of mistake. *Missed*: the description lacks the words or the situation of those queries.
   *Wrong*: it claims more than the workflow does, or leaves the boundary unsaid.
2. Change one thing. What works: begin with what one has afterwards, not with "This workflow helps to"; then "Use when …"
   with the situations in people's words; then "Not for …" with the nearest neighbour and what to use instead. At most
   500 characters. No praise, no lists of synonyms, no promise that the body does not keep.
3. Measure all queries again. Keep the change if missed plus wrong went down and neither alone went up by more than one;
   undo it otherwise.
4. Note: number, change, missed and wrong before and after, kept or undone.

Stop when both are zero, or after three changes in a row that were undone.

## 4. Check and show

Measure the queries that you kept aside, once. Show the user the old and the new description side by side, the counts for
both, and the queries that still go wrong. Wait for a clear yes.

${savingSection(subject)}

Here only \`description\` changes: send the body of version ${subject.version.version} as it is. If the body begins with a YAML block that
holds a description, change it there as well, so that the two do not contradict each other.
`,
    references: {},
  };
}
