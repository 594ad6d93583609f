import type { Route } from '../route.js';
import { apiKeys } from './v1/api-keys.js';
import { applications } from './v1/applications.js';
import { grants } from './v1/grants.js';
import { imageGenerators } from './v1/image-generators.js';
import { images } from './v1/images.js';
import { invitations } from './v1/invitations.js';
import { me } from './v1/me.js';
import { models } from './v1/models.js';
import { signIn } from './v1/sign-in.js';
import { teams } from './v1/teams.js';
import { templates } from './v1/templates.js';
import { verifiers } from './v1/verifiers.js';
import { workflows } from './v1/workflows.js';
import { billing } from './v2/billing.js';
import { jobs } from './v2/jobs.js';
import { tenants } from './v2/tenants.js';

/** Every documented path. */
export const ROUTES: readonly Route[] = [
  ...signIn,
  ...me,
  ...apiKeys,
  ...applications,
  ...teams,
  ...images,
  ...imageGenerators,
  ...verifiers,
  ...models,
  ...workflows,
  ...templates,
  ...grants,
  ...invitations,
  ...billing,
  ...jobs,
  ...tenants,
];
