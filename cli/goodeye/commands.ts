import type { Command } from '../command.js';
import { account } from './account.js';
import { imageGenerators } from './image-generators.js';
import { images } from './images.js';
import { teams } from './teams.js';
import { templates } from './templates.js';
import { verifiers } from './verifiers.js';
import { workflows } from './workflows.js';

export const GOODEYE: readonly Command[] = [
  ...account,
  ...images,
  ...imageGenerators,
  ...verifiers,
  ...workflows,
  ...templates,
  ...teams,
];
