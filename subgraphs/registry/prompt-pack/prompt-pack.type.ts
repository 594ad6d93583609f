import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { PromptPack } from './prompt-pack.js';

@ObjectType({ description: 'A text that another one speaks of by its path.' })
export class PromptReference {
  @Field(() => String, { description: 'The path.' })
  path!: string;

  @Field(() => String, { description: 'The text, in Markdown.' })
  text!: string;
}

@ObjectType({ description: 'A text for an agent to follow with its user.' })
export class PromptPackView {
  @Field(() => String, { description: 'What to follow, in Markdown.' })
  skillMd!: string;

  @Field(() => [PromptReference], { description: 'More to read, where the text asks for it.' })
  references!: PromptReference[];
}

@ObjectType({ description: 'A text for an agent to follow about one workflow, with that workflow in it.' })
export class WorkflowPromptPack extends PromptPackView {
  @Field(() => ID, { description: 'The workflow.' })
  workflowId!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'How often the text allows to try; null where it does not iterate.',
  })
  maxIterations!: number | null;

  @Field(() => String, { nullable: true, description: 'What the user said, as it was given.' })
  triggerContextEcho!: string | null;
}

export function packView({ skillMd, references }: PromptPack): PromptPackView {
  return { skillMd, references: Object.entries(references).map(([path, text]) => ({ path, text })) };
}
